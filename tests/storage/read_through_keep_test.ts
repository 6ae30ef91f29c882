/** A move with `keepOld`: servers of the old and the new release serve the same visitors. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  createCookie,
  createCookieSessionStorage,
  createReadThroughSessionStorage,
  createSessionStorage,
  createWorkersKVSessionStorage,
  type SessionEvent,
  type SessionStorage,
  withSession,
} from "../../mod.ts";
import { effort } from "../_effort.ts";
import { assertSessionError } from "../core/_support.ts";
import { kvNamespace } from "../engines/_kv_namespace.ts";
import { rowName } from "../_row.ts";
import { FakeEngine } from "./_fake_engine.ts";
import { MOVE, MOVE_BACK, playRollout, type Rollout } from "./_rollout.ts";

const cookie = { name: "session", secrets: ["s3cr3t"] };
const renamed = { name: "sid", secrets: ["older"] };

/** A database behind four functions. */
function database(options: object = { cookie }): () => SessionStorage {
  const rows = new Map<string, object>();
  return () =>
    createSessionStorage({
      ...options,
      async createData(data) {
        const id = crypto.randomUUID() + crypto.randomUUID();
        rows.set(id, data);
        return id;
      },
      async readData(id) {
        return rows.get(id) ?? null;
      },
      async updateData(id, data) {
        if (rows.has(id)) rows.set(id, data);
      },
      async deleteData(id) {
        rows.delete(id);
      },
    });
}

function onEngine(options: object = { cookie }): () => SessionStorage {
  const engine = new FakeEngine();
  return () => createSessionStorage({ ...options, engine });
}

function inKv(): () => SessionStorage {
  const { kv } = kvNamespace();
  return () => createWorkersKVSessionStorage({ kv, cookie });
}

const owner = (data: { user?: string }) => data.user;
const plain = { ...cookie, format: "react-router" } as const;

const ROLLOUTS: Readonly<Record<string, () => Rollout>> = {
  "engine to engine": () => ({
    from: onEngine(),
    to: onEngine(),
    revokes: true,
  }),
  "engine to engine, with owner": () => ({
    from: onEngine({ cookie, owner }),
    to: onEngine({ cookie, owner }),
    revokes: true,
  }),
  "engine to engine, under another cookie": () => ({
    from: onEngine({ cookie: renamed }),
    to: onEngine(),
    revokes: true,
  }),
  "engine to engine, by the middleware's cookie": () => ({
    from: onEngine({}),
    to: onEngine({}),
    cookie: createCookie("session", { secrets: ["s3cr3t"] }),
    revokes: true,
  }),
  "database to engine": () => ({
    from: database({ cookie: renamed }),
    to: onEngine(),
    revokes: true,
  }),
  "engine to database": () => ({
    from: onEngine(),
    to: database(),
    // The old record is kept for a minute after the move.
    revokes: false,
  }),
  "engine to Workers KV": () => ({
    from: onEngine(),
    to: inKv(),
    revokes: true,
  }),
  "Workers KV to engine": () => ({
    from: inKv(),
    to: onEngine(),
    revokes: true,
  }),
  "cookie to engine": () => ({
    from: () => createCookieSessionStorage({ cookie }),
    to: onEngine(),
    revokes: false,
  }),
  "cookie to engine, under another name": () => ({
    from: () => createCookieSessionStorage({ cookie: renamed }),
    to: onEngine(),
    revokes: false,
  }),
  "React Router's cookie to engine": () => ({
    from: () => createCookieSessionStorage({ cookie: plain }),
    to: onEngine(),
    revokes: false,
  }),
};

for (const [name, make] of Object.entries(ROLLOUTS)) {
  Deno.test(`createReadThroughSessionStorage() signs nobody out in a rolling deployment with keepOld and two rollbacks (${name})`, async () => {
    for (let seed = 1; seed <= (effort.thorough ? 50 : 4); seed++) {
      await playRollout(make(), MOVE, seed);
    }
  });
}

for (const [name, make] of Object.entries(ROLLOUTS)) {
  // A cookie storage cannot be moved to.
  if (!name.startsWith("engine to engine")) continue;
  Deno.test(`createReadThroughSessionStorage() signs nobody out when a move turns back halfway (${name})`, async () => {
    for (let seed = 1; seed <= (effort.thorough ? 50 : 4); seed++) {
      await playRollout(make(), MOVE_BACK, seed);
    }
  });
}

/** Both releases over two engines. */
function releases(options: object = {}) {
  const [old, fresh] = [new FakeEngine(), new FakeEngine()];
  const events: SessionEvent["type"][] = [];
  const onEvent = ({ type }: SessionEvent) => void events.push(type);
  const shared = { cookie, ...options };
  const from = createSessionStorage({ ...shared, engine: old });
  const to = createSessionStorage({ ...shared, engine: fresh, onEvent });
  const kept = createReadThroughSessionStorage({ to, from, keepOld: true });
  const moving = createReadThroughSessionStorage({ to, from });
  return { old, fresh, events, from, to, kept, moving };
}

async function signIn(storage: SessionStorage): Promise<string> {
  const session = await storage.getSession();
  session.set("user", "ann");
  return headerOf(await storage.commitSession(session));
}

function headerOf(setCookie: string): string {
  return setCookie.split(";")[0] ?? "";
}

async function userOf(
  storage: SessionStorage,
  header: string,
): Promise<unknown> {
  return (await storage.getSession(header)).get("user");
}

Deno.test("createReadThroughSessionStorage() with keepOld leaves each session in the previous storage, for one more read", async () => {
  const { old, fresh, events, from, kept } = releases();
  const header = await signIn(from);
  const begun = await signIn(kept);
  assertEquals(await userOf(from, begun), "ann");
  old.calls = [];
  fresh.calls = [];
  const session = await kept.getSession(header);
  assertEquals([old.calls, fresh.calls], [["read"], ["read"]]);
  session.set("cart", ["tea"]);
  assertEquals(await kept.commitSession(session, { renew: false }), "");
  assertEquals([old.calls, fresh.calls], [["read", "write"], ["read"]]);
  await kept.getSession(null);
  assertEquals([old.calls, fresh.calls], [["read", "write"], ["read"]]);
  const { data } = await from.getSession(header);
  assertEquals(data, { user: "ann", cart: ["tea"] });
  // No alarm: the session is not missing.
  assertEquals([fresh.records.size, events], [0, []]);
});

Deno.test("destroySession() with keepOld ends a session for servers of every release", async () => {
  const storages = releases();
  const { from, kept, moving } = storages;
  for (const [name, ends] of Object.entries({ from, kept })) {
    for (const moved of [false, true]) {
      if (moved && ends === from) continue;
      const header = await signIn(kept);
      if (moved) assertEquals(await userOf(moving, header), "ann", name);
      await ends.destroySession(await ends.getSession(header));
      for (const storage of [from, kept, moving]) {
        const user = await userOf(storage, header);
        assertEquals(user, undefined, rowName(name, moved));
      }
    }
  }
});

Deno.test("createReadThroughSessionStorage() with keepOld finds what another server has moved, and saves it there", async () => {
  const { old, from, to, kept, moving } = releases();
  const header = await signIn(from);
  assertEquals(await userOf(moving, header), "ann");
  old.calls = [];
  const session = await kept.getSession(header);
  session.set("cart", ["tea"]);
  await kept.commitSession(session);
  assertEquals(old.calls, []);
  const { data } = await to.getSession(header);
  assertEquals(data, { user: "ann", cart: ["tea"] });
});

Deno.test("createReadThroughSessionStorage() with keepOld does not lose a session that moves between its two reads", async () => {
  const { old, from, kept, moving } = releases();
  const header = await signIn(from);
  old.play("read", { before: () => userOf(moving, header) });
  assertEquals(await userOf(kept, header), "ann");
});

Deno.test("createReadThroughSessionStorage() with keepOld keeps visitors signed in, when the new storage loses everything", async () => {
  const { fresh, from, kept } = releases();
  const [stays, leaves] = [await signIn(kept), await signIn(kept)];
  await kept.destroySession(await kept.getSession(leaves));
  fresh.records.clear();
  for (const storage of [from, kept]) {
    const users = [await userOf(storage, stays), await userOf(storage, leaves)];
    assertEquals(users, ["ann", undefined], rowName(storage === kept));
  }
});

Deno.test("createReadThroughSessionStorage() with keepOld throws store-failed when either storage fails, and a logout can be repeated", async () => {
  const { old, fresh, from, kept } = releases();
  const header = await signIn(from);
  for (const engine of [old, fresh]) {
    engine.play("read", "fail");
    await assertSessionError(() => kept.getSession(header), "store-failed", {
      row: rowName(engine === old),
    });
  }
  const session = await kept.getSession(header);
  fresh.play("read", "fail");
  await assertSessionError(() => kept.destroySession(session), "store-failed");
  await kept.destroySession(session);
  assertEquals(await userOf(kept, header), undefined);
});

Deno.test("createReadThroughSessionStorage() with keepOld reads and saves by value, without a cookie", async () => {
  const from = onEngine({})();
  const to = onEngine({})();
  const kept = createReadThroughSessionStorage({ to, from, keepOld: true });
  const session = await kept.read(null);
  session.set("user", "ann");
  const value = await kept.save(session);
  assertEquals((await from.read(value)).get("user"), "ann");
  assertEquals((await kept.read(value)).get("user"), "ann");
  const moving = createReadThroughSessionStorage({ to, from });
  assertEquals((await moving.read(value)).get("user"), "ann");
  assertEquals((await from.read(value)).size, 0);
  assertEquals((await kept.read(value)).get("user"), "ann");

  const brought = createCookie("brought");
  withSession(brought, kept, () => new Response());
  await assertRejects(
    () => kept.getSession("brought=x"),
    TypeError,
    'a middleware uses it with the cookie "brought"',
  );
});

Deno.test("commitCookie() with keepOld sends the previous storage's cookie, until the session has moved", async () => {
  const from = onEngine({ cookie: renamed })();
  const to = onEngine()();
  const kept = createReadThroughSessionStorage({ to, from, keepOld: true });
  const session = await kept.getSession();
  session.set("user", "ann");
  const sent = await kept.commitCookie(session);
  assertEquals(sent?.name, "sid");
  const moving = createReadThroughSessionStorage({ to, from });
  const header = `sid=${sent?.value}`;
  assertEquals(await userOf(moving, header), "ann");
  const moved = await kept.getSession(header);
  assertEquals((await kept.commitCookie(moved))?.name, "session");
});

Deno.test("createReadThroughSessionStorage() with keepOld ends the sessions of all cookies in the request at a logout", async () => {
  const from = onEngine({ cookie: renamed })();
  const to = onEngine()();
  const kept = createReadThroughSessionStorage({ to, from, keepOld: true });
  const both = `${await signIn(from)}; ${await signIn(to)}`;
  await kept.destroySession(await kept.getSession(both));
  assertEquals(await userOf(kept, both), undefined);
  assertEquals(await userOf(from, both), undefined);
});

Deno.test("destroySessions() with keepOld lists and revokes an owner's sessions, wherever they are", async () => {
  const { from, kept, moving } = releases({ owner });
  const headers = [await signIn(from), await signIn(kept), await signIn(from)];
  const [first = "", second = "", third = ""] = headers;
  assertEquals(await userOf(moving, first), "ann");
  assertEquals((await kept.listSessions("ann")).length, 3);
  const current = await kept.getSession(second);
  assertEquals(await kept.destroySessions("ann", { except: current }), 2);
  assertEquals(await userOf(kept, second), "ann");
  for (const header of [first, third]) {
    assertEquals(await userOf(kept, header), undefined, rowName(header));
  }
});

Deno.test("createReadThroughSessionStorage() with keepOld sweeps and closes both storages", async () => {
  const done: string[] = [];
  const make = (name: string) =>
    createSessionStorage({
      engine: Object.assign(new FakeEngine(), {
        sweep: async () => void done.push(`sweep ${name}`),
        close: async () => void done.push(`close ${name}`),
      }),
    });
  const kept = createReadThroughSessionStorage({
    to: make("new"),
    from: make("old"),
    keepOld: true,
  });
  await kept.sweep?.();
  await kept.close?.();
  assertEquals(done, ["sweep new", "sweep old", "close new", "close old"]);
});

Deno.test("createReadThroughSessionStorage() throws, when keepOld cannot be kept", () => {
  const owned = onEngine({ cookie, owner });
  const plainly = onEngine();
  const make = (options: object) => () =>
    createReadThroughSessionStorage({
      to: plainly(),
      from: onEngine()(),
      keepOld: true,
      ...options,
    });
  const cases: [() => unknown, string][] = [
    [make({ keepOld: 1 }), "keepOld must be true or false, received a number"],
    [make({ to: owned() }), "create from with owner too"],
    [make({ from: make({})() }), "finish that move first"],
    [make({ to: make({})() }), "finish that move first"],
    [
      () => withSession(createCookie("a"), make({})(), () => new Response()),
      "uses the cookies of to and from",
    ],
  ];
  for (const [call, message] of cases) {
    assertThrows(call, TypeError, message, message);
  }
});
