import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Cookie,
  createCookie,
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createFileSessionStorage,
  createMemorySessionStorage,
  createReadThroughSessionStorage,
  createSessionStorage,
  createWorkersKVSessionStorage,
  type SessionEvent,
  type SessionStorage,
  withSession,
} from "../../mod.ts";
import { hashId } from "../../core/keys.ts";
import { assertSessionError } from "../core/_support.ts";
import { kvNamespace } from "../engines/_kv_namespace.ts";
import { rowName } from "../_row.ts";
import { FakeEngine } from "./_fake_engine.ts";

const cookie = { name: "session", secrets: ["s3cr3t"] };

async function signIn(
  storage: SessionStorage,
  options?: { maxAge: number },
): Promise<string> {
  const session = await storage.getSession();
  session.set("user", "ann");
  return headerOf(await storage.commitSession(session, options));
}

async function visit(
  storage: SessionStorage,
  header: string,
  key: string,
): Promise<unknown> {
  const session = await storage.getSession(header);
  session.set(key, true);
  await storage.commitSession(session);
  return session.get("user");
}

function headerOf(setCookie: string | null): string {
  return setCookie?.split(";")[0] ?? "";
}

/** A database with numbers for ids, and a table to look into. */
function database(options: { cookie?: Cookie; now?: () => number } = {}) {
  const rows = new Map<string, { data: object; expires: Date | undefined }>();
  let last = 0;
  const storage = createSessionStorage({
    cookie: { ...cookie, name: "sid" },
    ...options,
    async createData(data, expires) {
      rows.set(String(++last), { data, expires });
      return String(last);
    },
    async readData(id) {
      return rows.get(id)?.data ?? null;
    },
    async updateData(id, data, expires) {
      if (rows.has(id)) rows.set(id, { data, expires });
    },
    async deleteData(id) {
      rows.delete(id);
    },
  });
  return { rows, storage };
}

function fakes(to: FakeEngine = new FakeEngine()) {
  const old = new FakeEngine();
  const from = createSessionStorage({ engine: old, cookie });
  const moving = createReadThroughSessionStorage({
    to: createSessionStorage({ engine: to, cookie }),
    from,
  });
  return { old, to, from, moving };
}

Deno.test("createReadThroughSessionStorage() moves a session once, and does not call the previous storage again", async () => {
  const { old, to, from, moving } = fakes();
  const header = await signIn(from);
  old.calls = [];
  const session = await moving.getSession(header);
  assertEquals(session.get("user"), "ann");
  assertEquals(old.calls, ["read", "read", "delete"]);
  assertEquals(to.calls, ["read", "write", "write", "write"]);
  assertEquals(old.records.size, 0);
  assertEquals(await moving.commitSession(session, { renew: false }), "");

  old.calls = [];
  to.calls = [];
  await moving.getSession(header);
  assertEquals([old.calls, to.calls], [[], ["read"]]);
  await moving.getSession(null);
  assertEquals([old.calls, to.calls], [[], ["read"]]);
});

Deno.test("createReadThroughSessionStorage() looks up an unknown id in both storages, and stores nothing", async () => {
  const { old, to, from, moving } = fakes();
  const header = await signIn(from);
  await moving.destroySession(await moving.getSession(header));
  old.calls = [];
  to.calls = [];
  assertEquals((await moving.getSession(header)).size, 0);
  assertEquals([old.calls, to.calls], [["read"], ["read", "read"]]);
});

Deno.test("createReadThroughSessionStorage() keeps a session's age and lifetime", async () => {
  let now = 1_000_000_000;
  const options = { cookie, now: () => now };
  const from = createMemorySessionStorage(options);
  const moving = createReadThroughSessionStorage({
    to: createMemorySessionStorage({ ...options, absoluteTimeout: 1000 }),
    from,
  });
  const remembered = await signIn(from, { maxAge: 5000 });
  const brief = await signIn(from, { maxAge: 600 });
  now += 500_000;
  for (const header of [remembered, brief]) {
    assertEquals(
      (await moving.getSession(header)).get("user"),
      "ann",
      rowName(header),
    );
  }
  now += 100_000;
  assertEquals((await moving.getSession(brief)).size, 0);
  const session = await moving.getSession(remembered);
  const setCookie = await moving.commitSession(session);
  assert(setCookie.includes("Max-Age=5000"), setCookie);
  now += 399_999;
  assertEquals((await moving.getSession(remembered)).get("user"), "ann");
  now += 1;
  assertEquals((await moving.getSession(remembered)).size, 0);
});

Deno.test("createReadThroughSessionStorage() throws store-failed when either storage fails, and continues in the next request", async () => {
  const { old, to, from, moving } = fakes();
  const header = await signIn(from);
  old.play("read", "fail");
  await assertSessionError(() => moving.getSession(header), "store-failed");
  to.play("read", "fail");
  await assertSessionError(() => moving.getSession(header), "store-failed");
  old.play("delete", "late failure");
  await assertSessionError(() => moving.getSession(header), "store-failed");
  assertEquals((await moving.getSession(header)).get("user"), "ann");
});

Deno.test("createReadThroughSessionStorage() throws store-failed, when a session is too large for the new storage", async () => {
  const { from, moving } = fakes(new FakeEngine({ maxBytes: 100 }));
  const session = await from.getSession();
  session.set("cart", "x".repeat(200));
  const header = headerOf(await from.commitSession(session));
  await assertSessionError(() => moving.getSession(header), "store-failed");
  assertEquals((await from.getSession(header)).has("cart"), true);
});

Deno.test("createReadThroughSessionStorage() moves what an older server saves between read and removal", async () => {
  const { old, from, moving } = fakes();
  const header = await signIn(from);
  old.play("delete", { before: () => visit(from, header, "late") });
  const session = await moving.getSession(header);
  assertEquals(session.data, { user: "ann", late: true });
  assertEquals(old.records.size, 0);
});

Deno.test("createReadThroughSessionStorage() drops a copy whose id an older server replaces between read and removal", async () => {
  for (const verb of ["read", "delete"] as const) {
    const { old, to, from, moving } = fakes();
    const header = await signIn(from);
    let next = "";
    const renew = async () => {
      const session = await from.getSession(header);
      session.regenerateId();
      next = headerOf(await from.commitSession(session));
    };
    // The second reading is the one before the copy counts.
    old.play(verb, ...verb === "read" ? ["pass" as const] : [], {
      before: renew,
    });
    assertEquals((await moving.getSession(header)).size, 0, verb);
    assertEquals(to.records.size, 0, verb);
    const session = await moving.getSession(next);
    assertEquals(session.data, { user: "ann" }, verb);
  }
});

Deno.test("createReadThroughSessionStorage() sends a new cookie, when the old one has another name", async () => {
  const { rows, storage: from } = database();
  const header = await signIn(from);
  const moving = createReadThroughSessionStorage({
    to: createMemorySessionStorage({ cookie }),
    from,
  });
  const handler = withSession(
    moving,
    (_request, session) => new Response(String(session.get("user"))),
  );
  const ask = (cookie: string) =>
    handler(new Request("http://localhost/", { headers: { cookie } }));

  const first = await ask(header);
  assertEquals(await first.text(), "ann");
  const sent = headerOf(first.headers.get("set-cookie"));
  assertEquals(sent.split("=")[0], "session");
  assertEquals(rows.size, 0);

  const second = await ask(`${header}; ${sent}`);
  assertEquals(await second.text(), "ann");
  assertEquals(second.headers.get("set-cookie"), null);
  // A request that was sent with the old cookie only.
  assertEquals(await (await ask(header)).text(), "ann");
  // An id of the database is looked up only if the database's own cookie contains it.
  await signIn(from);
  const unsigned = createReadThroughSessionStorage({
    to: createMemorySessionStorage({ cookie: { name: "session" } }),
    from,
  });
  assertEquals((await unsigned.getSession("session=2")).size, 0);
});

Deno.test("createReadThroughSessionStorage() reads cookies of other libraries", async () => {
  const foreign: Cookie = {
    name: "connect.sid",
    isSigned: true,
    parse: async (header) =>
      header?.match(/connect\.sid=s%3A([^.;]+)\.good/)?.[1] ?? null,
    serialize: () => Promise.reject(new Error("only reads")),
  };
  const { rows, storage: from } = database({ cookie: foreign });
  const id = "Ab-_".repeat(8);
  rows.set(id, { data: { user: "ann" }, expires: undefined });
  const moving = createReadThroughSessionStorage({
    to: createMemorySessionStorage({ cookie }),
    from,
  });
  assertEquals(
    (await moving.getSession(`connect.sid=s%3A${id}.bad`)).size,
    0,
  );
  const session = await moving.getSession(`connect.sid=s%3A${id}.good`);
  assertEquals([session.id, session.get("user")], [id, "ann"]);
  const sent = headerOf(await moving.commitSession(session, { renew: false }));
  assertEquals((await moving.getSession(sent)).get("user"), "ann");
});

Deno.test("createReadThroughSessionStorage() returns an empty session for a copy of an old cookie, when its session was destroyed", async () => {
  const from = createCookieSessionStorage({ cookie });
  const header = await signIn(from);
  const moving = createReadThroughSessionStorage({
    to: createMemorySessionStorage({ cookie }),
    from,
  });
  const session = await moving.getSession(header);
  const sent = headerOf(await moving.commitSession(session, { renew: false }));
  assert(sent && sent !== header);
  assertEquals((await moving.getSession(header)).id, session.id);
  await moving.destroySession(await moving.getSession(sent));
  assertEquals((await moving.getSession(header)).size, 0);
  assertEquals((await from.getSession(header)).get("user"), "ann");
});

Deno.test("createReadThroughSessionStorage() returns an empty session for an old cookie with a later deadline, when its session was destroyed", async () => {
  const clock = { now: 1e12 };
  const now = () => clock.now;
  const shared = { ...cookie, maxAge: 3600 };
  const from = createCookieSessionStorage({ cookie: shared, now });
  const first = await signIn(from);
  clock.now += 1800_000;
  const session = await from.getSession(first);
  session.set("seen", true);
  const second = headerOf(await from.commitSession(session));
  // Some engines remove expired records at once, others after days.
  for (const drops of [true, false]) {
    const engine = new FakeEngine();
    const moving = createReadThroughSessionStorage({
      to: createSessionStorage({ engine, cookie: shared, now }),
      from,
    });
    await moving.destroySession(await moving.getSession(first));
    assertEquals((await moving.getSession(second)).size, 0, rowName(drops));
    const { now: before } = clock;
    clock.now += 1800_001;
    if (drops) engine.drop(clock.now);
    assertEquals((await moving.getSession(second)).size, 0, rowName(drops));
    assertEquals(
      (await from.getSession(second)).get("user"),
      "ann",
      rowName(drops),
    );
    clock.now = before;
  }
});

Deno.test("createReadThroughSessionStorage() does not move a session whose cookie does not contain an id, until it changes", async () => {
  const plain = { ...cookie, format: "react-router" } as const;
  const from = createCookieSessionStorage({ cookie: plain });
  const header = await signIn(from);
  const engine = new FakeEngine();
  const events: SessionEvent["type"][] = [];
  const moving = createReadThroughSessionStorage({
    to: createSessionStorage({
      engine,
      cookie,
      onEvent: ({ type }) => events.push(type),
    }),
    from,
  });
  const session = await moving.getSession(header);
  assertEquals(session.get("user"), "ann");
  assertEquals(await moving.commitSession(session, { renew: false }), "");
  assertEquals(engine.calls, []);
  session.set("cart", ["tea"]);
  const sent = headerOf(await moving.commitSession(session, { renew: false }));
  const { data } = await moving.getSession(sent);
  assertEquals(data, { user: "ann", cart: ["tea"] });
  assertEquals(events, ["committed"]);
});

Deno.test("createReadThroughSessionStorage() moves to a database at the first change, and keeps the old id for a minute", async () => {
  let now = 1_000_000_000;
  const old = new FakeEngine();
  const from = createSessionStorage({ engine: old, cookie, now: () => now });
  const { rows, storage } = database({ now: () => now });
  const moving = createReadThroughSessionStorage({ to: storage, from });
  const header = await signIn(from);
  const session = await moving.getSession(header);
  assertEquals(await moving.commitSession(session, { renew: false }), "");
  session.set("cart", ["tea"]);
  const sent = headerOf(await moving.commitSession(session, { renew: false }));
  assertEquals(rows.size, 1);
  assertEquals((await moving.getSession(sent)).data, {
    user: "ann",
    cart: ["tea"],
  });
  assertEquals((await moving.getSession(header)).get("user"), "ann");

  const other = await signIn(from);
  const leaving = await moving.getSession(other);
  await moving.destroySession(leaving);
  assertEquals((await moving.getSession(other)).size, 0);
  now += 60_000;
  assertEquals((await moving.getSession(header)).size, 0);
});

Deno.test("createReadThroughSessionStorage() keeps the old id for a minute after a login, and ends the sessions of other cookies at once", async () => {
  const from = createSessionStorage({ engine: new FakeEngine(), cookie });
  const { storage } = database();
  const moving = createReadThroughSessionStorage({ to: storage, from });
  const [own, other] = [await signIn(from), await signIn(from)];
  const session = await moving.getSession(`${own}; ${other}`);
  session.regenerateId();
  await moving.commitSession(session);
  assertEquals((await moving.getSession(own)).get("user"), "ann");
  assertEquals((await moving.getSession(other)).size, 0);
});

Deno.test("createReadThroughSessionStorage() keeps ids and removes both records at logout, when it moves to Workers KV", async () => {
  const { kv, stored } = kvNamespace();
  const { old, from } = fakes();
  const header = await signIn(from);
  const moving = createReadThroughSessionStorage({
    to: createWorkersKVSessionStorage({ kv, cookie }),
    from,
  });
  const session = await moving.getSession(header);
  assertEquals([session.get("user"), old.records.size], ["ann", 0]);
  await moving.destroySession(session);
  assertEquals(stored.size, 0);
});

const owner = (data: { user?: string }) => data.user;

/** Signs a value as the cookie does. */
async function cookieOf(value: string): Promise<string> {
  const { name, ...options } = cookie;
  const setCookie = await createCookie(name, options).serialize(value);
  return headerOf(setCookie).slice(name.length + 1);
}

/** Saves a session in a storage without a cookie, and returns its id. */
async function valueIn(storage: SessionStorage, user: string): Promise<string> {
  const session = await storage.read(null);
  session.set("user", user);
  return await storage.save(session) ?? "";
}

Deno.test("createReadThroughSessionStorage() lists and revokes an owner's sessions in the storages that have owner, with a cookie and without", async () => {
  for (const bound of [{ cookie }, {}]) {
    for (const [to, from] of [[true, true], [true, false], [false, true]]) {
      const row = rowName(bound, `to ${to}, from ${from}`);
      const make = (owned = false) =>
        createMemorySessionStorage({ ...bound, ...owned ? { owner } : {} });
      const previous = make(from);
      const moving = createReadThroughSessionStorage({
        to: make(to),
        from: previous,
      });
      // With a cookie, only its header leads to the previous storage.
      const enter = async () =>
        "cookie" in bound ? await signIn(previous) : valueIn(previous, "ann");
      const open = (sent: string) =>
        "cookie" in bound ? moving.getSession(sent) : moving.read(sent);
      const sent = [await enter(), await enter(), await enter()];
      const [first = "", second = "", third = ""] = sent;
      const current = await open(first);
      assertEquals(current.get("user"), "ann", row);
      const moved = to ? 1 : 0;
      const stays = from ? 2 : 0;
      const listed = await moving.listSessions("ann", { current });
      assertEquals(listed.length, moved + stays, row);
      const currents = listed.filter(({ current }) => current).length;
      assertEquals(currents, moved, row);

      const other = listed.find(({ current }) => !current);
      if (other) {
        const one = await moving.destroySessions("ann", { only: other.id });
        assertEquals(one, 1, row);
        const users = [
          (await open(second)).get("user"),
          (await open(third)).get("user"),
        ];
        const left = users.filter((user) => user === "ann");
        assertEquals(left.length, 1, row);
      }
      await moving.destroySessions("ann", { except: current });
      assertEquals((await open(first)).get("user"), "ann", row);
      assertEquals(await moving.destroySessions("ann"), moved, row);
    }
    const without = createReadThroughSessionStorage({
      to: createMemorySessionStorage(bound),
      from: createMemorySessionStorage(bound),
    });
    for (
      const ask of [without.listSessions, without.destroySessions]
    ) {
      await assertRejects(
        () => ask("ann"),
        TypeError,
        "created without owner",
        rowName(bound, ask),
      );
    }
  }
});

Deno.test("createReadThroughSessionStorage() lists a session once, when its move was interrupted", async () => {
  for (const failing of [1, 2, 3]) {
    const to = new FakeEngine();
    const from = createSessionStorage({
      engine: new FakeEngine(),
      cookie,
      owner,
    });
    const moving = createReadThroughSessionStorage({
      to: createSessionStorage({ engine: to, cookie, owner }),
      from,
    });
    const header = await signIn(from);
    to.play("write", ...Array(failing).fill("pass"), "fail");
    await assertSessionError(() => moving.getSession(header), "store-failed");
    const listed = await moving.listSessions("ann");
    assertEquals(listed.length, 1, rowName(failing));
    const [{ id: only } = { id: "" }] = listed;
    assertEquals(
      await moving.destroySessions("ann", { only }),
      1,
      rowName(failing),
    );
    assertEquals((await moving.getSession(header)).size, 0, rowName(failing));
  }
});

Deno.test("createReadThroughSessionStorage() drops what a request sets under an id that was just replaced", async () => {
  const sources = {
    "another engine": () => createMemorySessionStorage({ cookie }),
    "a cookie": () => createCookieSessionStorage({ cookie }),
    "another engine, by value": () => createMemorySessionStorage(),
  };
  for (const [name, make] of Object.entries(sources)) {
    const from = make();
    const engine = new FakeEngine();
    const moving = createReadThroughSessionStorage({
      to: createSessionStorage({ engine, cookie }),
      from,
    });
    const began = name.endsWith("by value")
      ? `session=${await cookieOf(await valueIn(from, "ann"))}`
      : await signIn(from);
    const session = await moving.getSession(began);
    assertEquals(session.get("user"), "ann", name);
    session.restart();
    session.set("user", "bea");
    const sent = headerOf(await moving.commitSession(session));
    const late = await moving.getSession(began);
    assertEquals(late.size, 0, name);
    late.set("cart", ["tea"]);
    assertEquals(await moving.commitSession(late), "", name);
    assertEquals((await moving.getSession(sent)).data, { user: "bea" }, name);
    assertEquals(engine.sessions, 1, name);
  }
});

Deno.test("createReadThroughSessionStorage() knows an id that the previous storage has just replaced", async () => {
  const sources = {
    "by value": createMemorySessionStorage,
    "by a cookie": () => createMemorySessionStorage({ cookie }),
    // It cannot mark a copy.
    "to Workers KV": createMemorySessionStorage,
  };
  for (const [name, make] of Object.entries(sources)) {
    for (const moves of [false, true]) {
      const row = `${name}, ${moves ? "moved" : "not moved"}`;
      const from = make();
      const moving = createReadThroughSessionStorage({
        to: name === "to Workers KV"
          ? createWorkersKVSessionStorage({ kv: kvNamespace().kv, cookie })
          : createMemorySessionStorage({ cookie }),
        from,
      });
      const first = await valueIn(from, "ann");
      // An older server gives the session a new id.
      const renewed = await from.read(first);
      renewed.regenerateId();
      const old = `session=${await cookieOf(first)}`;
      const next = `session=${await cookieOf(await from.save(renewed) ?? "")}`;
      if (moves) await moving.getSession(next);

      const late = await moving.getSession(old);
      assertEquals(late.size, 0, row);
      late.set("cart", ["tea"]);
      assertEquals(await moving.commitSession(late), "", row);
      const stayed = await moving.getSession(next);
      assertEquals(stayed.data, { user: "ann" }, row);

      await moving.destroySession(await moving.getSession(old));
      assertEquals((await moving.getSession(next)).size, 0, row);
    }
  }
});

Deno.test("createReadThroughSessionStorage() returns an empty session for an old cookie after its logout, whatever ids a request names", async () => {
  const from = createCookieSessionStorage({
    cookie: { ...cookie, name: "old" },
  });
  const header = await signIn(from);
  const to = createMemorySessionStorage({ cookie: { name: "session" } });
  const moving = createReadThroughSessionStorage({ to, from });
  const { id } = await from.getSession(header);
  await moving.destroySession(await moving.getSession(header));
  for (const named of [hashId(`moved ${id}`), `moved ${id}`]) {
    const own = await signIn(to);
    const forged = await createCookie("session").serialize(named);
    const both = `${own}; ${headerOf(forged)}`;
    await moving.destroySession(await moving.getSession(both));
    assertEquals((await moving.getSession(header)).size, 0, named);
  }
});

Deno.test("createReadThroughSessionStorage() does not report a session that moves as missing", async () => {
  const events: SessionEvent["type"][] = [];
  const onEvent = ({ type }: SessionEvent) => void events.push(type);
  const from = createMemorySessionStorage({ cookie });
  const to = createMemorySessionStorage({ cookie, onEvent });
  const moving = createReadThroughSessionStorage({ to, from });
  const header = await signIn(from);
  await moving.getSession(header);
  assertEquals(events, []);
  await to.destroySession(await to.getSession(header));
  events.length = 0;
  await moving.getSession(header);
  assertEquals(events, ["missing"]);
});

Deno.test("createReadThroughSessionStorage() moves a session by the lifetime of the cookie that a middleware brings", async () => {
  let now = 1e12;
  const day = 24 * 60 * 60;
  const clock = { now: () => now };
  const long = createCookie("__session", { maxAge: 30 * day });
  const from = createMemorySessionStorage(clock);
  const ask = async (storage: SessionStorage, header = "", user = "") => {
    const handler = withSession(long, storage, (_request, session) => {
      if (user) session.set("user", user);
      return new Response(String(session.get("user")));
    });
    const request = new Request("http://localhost/", {
      headers: { cookie: header },
    });
    const answer = await handler(request);
    return [await answer.text(), headerOf(answer.headers.get("set-cookie"))];
  };
  const [, header] = await ask(from, "", "ann");
  now += 20 * day * 1000;
  for (const keepOld of [true, false]) {
    const moving = createReadThroughSessionStorage({
      to: createMemorySessionStorage(clock),
      from,
      keepOld,
    });
    assertEquals((await ask(moving, header))[0], "ann", rowName(keepOld));
  }
});

Deno.test("createReadThroughSessionStorage() ends a session that stays in its cookie by the timeouts of both storages, and keeps one in use", async () => {
  const plain = { ...cookie, format: "react-router" } as const;
  type Settings = { idleTimeout?: number };
  const settings: [Settings, Settings][] = [
    [{ idleTimeout: 600 }, {}],
    [{}, { idleTimeout: 600 }],
    [{ idleTimeout: 600 }, { idleTimeout: 600 }],
  ];
  for (const [old, next] of settings) {
    const clock = { ms: 1e12 };
    const now = () => clock.ms;
    const from = createCookieSessionStorage({ cookie: plain, now, ...old });
    const moving = createReadThroughSessionStorage({
      to: createMemorySessionStorage({ cookie, now, ...next }),
      from,
    });
    let header = await signIn(from);
    const unused = await signIn(from);
    for (let visit = 0; visit < 4; visit++) {
      const session = await moving.getSession(header);
      assertEquals(session.get("user"), "ann", rowName(old, next, visit));
      const sent = await moving.commitSession(session, { renew: false });
      if (sent) header = headerOf(sent);
      clock.ms += 500_000;
    }
    // Without an instant in the cookie, its time counts from its first read.
    const ended = (await moving.getSession(unused)).size === 0;
    assertEquals(ended, old.idleTimeout === 600, rowName(old, next));
  }
});

Deno.test("createReadThroughSessionStorage() sends the cookie again with the move, when its secret is an older one", async () => {
  const from = createMemorySessionStorage({ cookie });
  const header = await signIn(from);
  const moving = createReadThroughSessionStorage({
    to: createMemorySessionStorage({
      cookie: { ...cookie, secrets: ["n3w", "s3cr3t"] },
    }),
    from,
  });
  const session = await moving.getSession(header);
  const sent = headerOf(await moving.commitSession(session, { renew: false }));
  assert(sent !== "" && sent !== header);
  const again = await moving.getSession(sent);
  assertEquals(again.get("user"), "ann");
  assertEquals(await moving.commitSession(again, { renew: false }), "");
});

Deno.test("createReadThroughSessionStorage() sweeps and closes both storages, even when the first fails", async () => {
  const done: string[] = [];
  const counts: Record<string, number | void> = { new: 3, old: 4 };
  const make = (name: string) => {
    const engine = Object.assign(new FakeEngine(), {
      async sweep() {
        done.push(`sweep ${name}`);
        return counts[name];
      },
      async close() {
        done.push(`close ${name}`);
        throw new Error("cannot close");
      },
    });
    return createSessionStorage({ engine });
  };
  const moving = createReadThroughSessionStorage({
    to: make("new"),
    from: make("old"),
  });
  assertEquals(await moving.sweep?.(), 7);
  await assertSessionError(() => moving.close?.(), "store-failed");
  const all = ["sweep new", "sweep old", "close new", "close old"];
  assertEquals(done, all);
  delete counts["old"];
  assertEquals(await moving.sweep?.(), undefined, "one does not count");
});

Deno.test("createReadThroughSessionStorage() throws, when the storages cannot be combined", () => {
  const memory = createMemorySessionStorage({ cookie });
  const plain = createMemorySessionStorage();
  const make = (
    storage: SessionStorage,
    from: SessionStorage,
  ) =>
  () => createReadThroughSessionStorage({ to: storage, from });
  const react = { ...cookie, format: "react-router" } as const;
  const cases: [() => unknown, string][] = [
    [make(memory, memory), "must be different storages"],
    [
      make(plain, memory),
      "from was created with a cookie, and to was not; create to with a cookie too",
    ],
    [
      make(createCookieSessionStorage({ cookie }), memory),
      "and not a cookie storage",
    ],
    [make(memory, {} as SessionStorage), "from must be a storage of this"],
    [make(memory, createCookieSessionStorage()), "create it with its cookie"],
    [
      make(
        memory,
        createCookieSessionStorage({ cookie: { ...react, path: "/shop" } }),
      ),
      "give both cookies the same name, path and domain",
    ],
    [
      () =>
        withSession(
          createCookie("other"),
          createReadThroughSessionStorage({
            to: memory,
            from: createCookieSessionStorage({ cookie }),
          }),
          () => new Response(),
        ),
      "uses the cookies of to and from",
    ],
  ];
  for (const [call, message] of cases) {
    assertThrows(call, TypeError, message, rowName(call));
  }
});

Deno.test("createReadThroughSessionStorage() moves a session from files to Deno KV, while many requests use it", async () => {
  const dir = await Deno.makeTempDir();
  const kv = await Deno.openKv(":memory:");
  const files = createFileSessionStorage({ dir, cookie });
  const to = createDenoKvSessionStorage({ kv, cookie });
  const header = await signIn(files);
  const keys = Array.from({ length: 20 }, (_, i) => `visit ${i}`);
  const users = await Promise.all(keys.map((key) => {
    // A separate storage, as in another process.
    const from = createFileSessionStorage({ dir, cookie });
    const moving = createReadThroughSessionStorage({ to, from });
    return visit(moving, header, key);
  }));
  assertEquals(users, keys.map(() => "ann"));
  const { data } = await to.getSession(header);
  assertEquals(Object.keys(data).sort(), [...keys, "user"].sort());
  assertEquals((await files.getSession(header)).size, 0);
  kv.close();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("createReadThroughSessionStorage() keeps the changes of two processes that move the same sessions", async () => {
  const dir = await Deno.makeTempDir();
  const [old, fresh] = [`${dir}/old`, `${dir}/new`];
  const files = createFileSessionStorage({ dir: old, cookie });
  const headers: string[] = [];
  for (let i = 0; i < 20; i++) headers.push(await signIn(files));
  const processes = await Promise.all(["first", "second"].map(async (key) => {
    const process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", new URL("_mover.ts", import.meta.url).pathname],
        ...[old, fresh, key, ...headers],
      ],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const lines = process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    assertEquals((await lines.read()).value, "ready\n");
    return { process, lines };
  }));
  // Both have started before either begins.
  for (const { process } of processes) await process.stdin.close();
  for (const { process, lines } of processes) {
    let text = "";
    for (let next; !(next = await lines.read()).done;) text += next.value;
    assertEquals(
      text.trim().split("\n"),
      headers.map(() => "ann"),
      rowName(process),
    );
    assertEquals((await process.status).code, 0, rowName(process));
  }
  const to = createFileSessionStorage({ dir: fresh, cookie });
  for (const header of headers) {
    const both = { user: "ann", first: true, second: true };
    assertEquals((await to.getSession(header)).data, both, rowName(header));
    assertEquals((await files.getSession(header)).size, 0, rowName(header));
  }
  await Deno.remove(dir, { recursive: true });
});
