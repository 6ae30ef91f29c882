/** The options `schema` and `migrate`, on every kind of storage, with the schemas of three libraries. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type } from "npm:arktype@2.2.10";
import * as v from "npm:valibot@1.5.0";
import { z } from "npm:zod@4.6.7";
import type { SessionData } from "../../core/session.ts";
import type { StandardSchemaLike } from "../../core/standard_schema.ts";
import type {
  SessionEvent,
  SessionStorage,
  StorageOptions,
} from "../../storage/contract.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { MemoryEngine } from "../../storage/engines/memory.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { createReadThroughSessionStorage } from "../../storage/read_through.ts";
import { withSession } from "../../middleware/with_session.ts";
import { rowName } from "../_row.ts";
import { assertSessionError, Clock, cookieHeader } from "../core/_support.ts";
import { FakeEngine } from "./_fake_engine.ts";

/** Opens a storage on the same sessions, as another release of an application does. */
type Open = <Data = SessionData>(
  options?: StorageOptions<Data>,
) => SessionStorage<Data>;

const cookie = { name: "s", secrets: ["s3cr3t"] };

const kinds: Record<string, () => Open> = {
  engine: () => {
    const engine = new FakeEngine();
    return (options) => createSessionStorage({ cookie, engine, ...options });
  },
  "engine without compare-and-set": () => {
    const engine = new FakeEngine({ compareAndSet: false });
    return (options) => createSessionStorage({ cookie, engine, ...options });
  },
  "synchronous engine": () => {
    const engine = new MemoryEngine(100, Date.now, () => {});
    return (options) => createSessionStorage({ cookie, engine, ...options });
  },
  "four functions": () => {
    const rows = new Map<string, unknown>();
    const functions = {
      createData: async (data: unknown) => {
        const id = crypto.randomUUID() + crypto.randomUUID();
        rows.set(id, data);
        return id;
      },
      // deno-lint-ignore no-explicit-any -- sessions of any shape
      readData: async (id: string) => (rows.get(id) ?? null) as any,
      updateData: async (id: string, data: unknown) => void rows.set(id, data),
      deleteData: async (id: string) => void rows.delete(id),
    };
    return (options) =>
      createSessionStorage({ cookie, ...functions, ...options });
  },
  "read-through": () => {
    const [engine, old] = [new FakeEngine(), new FakeEngine()];
    const from = createSessionStorage({ cookie, engine: old });
    return <Data>(options?: StorageOptions<Data>) => {
      if (!options) return from as SessionStorage<never>;
      const to = createSessionStorage({ cookie, engine, ...options });
      return createReadThroughSessionStorage({ to, from });
    };
  },
  cookie: () => (options) => createCookieSessionStorage({ cookie, ...options }),
};
for (const format of ["react-router", "remix"] as const) {
  kinds[`${format} cookie`] = () => (options) =>
    createCookieSessionStorage({ cookie: { ...cookie, format }, ...options });
}

/** Stores a session. Returns its `Cookie` header. */
async function stored(
  storage: SessionStorage,
  data: Record<string, unknown>,
  flash: Record<string, unknown> = {},
): Promise<string> {
  const session = await storage.getSession();
  for (const [key, value] of Object.entries(data)) session.set(key, value);
  for (const [key, value] of Object.entries(flash)) session.flash(key, value);
  return cookieHeader(await storage.commitSession(session));
}

/** The `Cookie` header after a save, which may not send one. */
function next(setCookie: string, before: string): string {
  return setCookie ? cookieHeader(setCookie) : before;
}

const user = z.object({
  userId: z.string(),
  visits: z.coerce.number().optional(),
  theme: z.enum(["light", "dark"]).default("light"),
});

/** `{ user: { id } }` became `{ userId }`. */
const migrate = ({ user, ...rest }: Record<string, { id: number }>) => ({
  ...rest,
  userId: String(user?.id),
});

for (const [kind, create] of Object.entries(kinds)) {
  Deno.test(`${kind}: a session shows what its schema returns`, async () => {
    const open = create();
    const header = await stored(open(), { userId: "ann", visits: "3" });
    const storage = open({ schema: user });
    const session = await storage.getSession(header);

    assertEquals(session.get("visits"), 3);
    assertEquals(session.data, { userId: "ann", visits: 3, theme: "light" });
    assert(session.has("theme"));
    assert(!session.dirty, "what was only read is not written");
    assertEquals(await storage.save(session), null);
  });

  Deno.test(`${kind}: a save keeps what its schema does not know or converts`, async () => {
    const open = create();
    const header = await stored(
      open(),
      { userId: "ann", visits: "3", passport: { user: 1 } },
      { notice: "hello" },
    );
    const storage = open({ schema: user });
    const session = await storage.getSession(header);
    session.set("userId", "bob");
    const after = next(await storage.commitSession(session), header);

    const raw = await open({}).getSession(after);
    assertEquals(raw.get("notice"), "hello");
    assertEquals(
      raw.data,
      { userId: "bob", visits: "3", passport: { user: 1 } },
    );
  });

  Deno.test(`${kind}: a session that does not fit is no session, and stays`, async () => {
    const open = create();
    const header = await stored(open(), { userId: 7 }, { notice: "hello" });
    const other = await stored(open(), { userId: 8 });
    const events: SessionEvent[] = [];
    const storage = open({
      schema: user,
      onEvent: (event) => events.push(event),
    });
    for (let i = 0; i < 3; i++) {
      const session = await storage.getSession(header);
      assertEquals(session.data, {}, rowName(i));
      assertEquals(session.size, 0, rowName(i));
      assertEquals(await storage.save(session), null, rowName(i));
      await storage.getSession(other);
    }

    const misfits = events.filter((event) => event.type === "misfit");
    assertEquals(misfits.map(({ keys }) => keys), [["userId"], ["userId"]]);
    const raw = await open({}).getSession(header);
    assertEquals(raw.get("userId"), 7);
    assertEquals(raw.get("notice"), "hello");
  });

  Deno.test(`${kind}: the visitor's new session replaces one that does not fit`, async () => {
    const open = create();
    const header = await stored(open(), { userId: 7 });
    const storage = open({ schema: user });
    const session = await storage.getSession(header);
    session.restart();
    session.set("userId", "ann");
    const after = cookieHeader(await storage.commitSession(session));

    assert(after !== header);
    assertEquals((await storage.getSession(after)).get("userId"), "ann");
    if (!storage.guarantees.revoke) return;
    assertEquals((await open({}).getSession(header)).data, {});
  });

  Deno.test(`${kind}: a logout ends a session that does not fit`, async () => {
    const open = create();
    const header = await stored(open(), { userId: 7 });
    const storage = open({ schema: user });
    const session = await storage.getSession(header);
    await storage.destroySession(session);

    if (!storage.guarantees.revoke) return;
    assertEquals((await open({}).getSession(header)).data, {});
  });

  Deno.test(`${kind}: an older shape is migrated, and written with the next save`, async () => {
    const open = create();
    const header = await stored(
      open(),
      { user: { id: 7 }, cart: ["tea"], __csrf_1: "token" },
      { notice: "hello" },
    );
    const events: string[] = [];
    const storage = open({
      schema: user,
      migrate,
      onEvent: ({ type }) => events.push(type),
    });
    const session = await storage.getSession(header);
    assertEquals(session.get("userId"), "7");
    assert(!session.dirty);
    assertEquals(await storage.save(session), null);
    const before = (await open({}).getSession(header)).data;
    assertEquals(
      before["user"],
      { id: 7 },
      "an older release can still read it",
    );

    session.set("visits", 1);
    const after = next(await storage.commitSession(session), header);
    const raw = await open({}).getSession(after);
    assertEquals(raw.get("notice"), "hello");
    assertEquals(
      raw.data,
      { userId: "7", cart: ["tea"], __csrf_1: "token", visits: 1 },
    );
    assert(!events.includes("misfit"));
  });

  Deno.test(`${kind}: a migrated value can be removed, and does not come back`, async () => {
    const open = create();
    const header = await stored(open(), { user: { id: 7 }, cart: ["tea"] });
    const storage = open({ schema: user, migrate });
    const session = await storage.getSession(header);
    session.unset("userId");
    assert(session.dirty);
    const after = next(await storage.commitSession(session), header);

    assertEquals((await open({}).getSession(after)).data, { cart: ["tea"] });
  });

  Deno.test(`${kind}: a converted value that is changed in place is saved`, async () => {
    const open = create();
    const schema = z.object({
      cart: z.array(z.object({ id: z.coerce.number(), n: z.number() })),
    });
    const header = await stored(open(), { cart: [{ n: 1, id: "7" }] });
    const storage = open({ schema });
    const session = await storage.getSession(header);
    const cart = session.get("cart");
    assertEquals(cart, [{ id: 7, n: 1 }]);
    assert(!session.dirty, "another order of keys is no change");
    cart?.push({ id: 8, n: 2 });
    assert(session.dirty);
    const after = next(await storage.commitSession(session), header);

    const both = [{ id: 7, n: 1 }, { id: 8, n: 2 }];
    assertEquals((await open({}).getSession(after)).get("cart"), both);
  });

  Deno.test(`${kind}: errors of the application's schema and migration do not fail a request`, async () => {
    const open = create();
    const header = await stored(open(), { user: { id: 7 } });
    const error = new Error("a bug");
    const fails = () => {
      throw error;
    };
    const failing: [StorageOptions<unknown>, unknown][] = [
      [{ schema: z.object({ user: z.unknown().transform(fails) }) }, error],
      [{ schema: user, migrate: fails }, error],
      [{ schema: user, migrate: async () => fails() }, error],
      [{ schema: user, migrate: () => undefined }, TypeError],
      [{ schema: z.unknown().transform(() => 7) }, TypeError],
      [{
        schema: z.looseObject({ a: z.string() }),
        migrate: () => ({ a: "1", b: 1n }),
      }, Error],
    ];
    for (const [options, cause] of failing) {
      const events: SessionEvent[] = [];
      const onEvent = (event: SessionEvent) => events.push(event);
      const storage = open({ ...options, onEvent });
      const session = await storage.getSession(header);
      assertEquals(session.size, 0, rowName(options));
      const [misfit] = events.filter(({ type }) => type === "misfit");
      assert(misfit, rowName(options, events));
      assert(
        misfit.cause === cause ||
          misfit.cause instanceof (cause as ErrorConstructor),
        rowName(options, misfit),
      );
    }
  });
}

const libraries: Record<string, StandardSchemaLike<{ userId: string }>> = {
  Zod: z.object({ userId: z.string() }),
  "Zod, asynchronous": z.object({
    userId: z.string().refine(async (id) => {
      await Promise.resolve();
      return id !== "";
    }),
  }),
  Valibot: v.object({ userId: v.string() }),
  "Valibot, asynchronous": v.objectAsync({ userId: v.string() }),
  ArkType: type({ userId: "string" }),
};
for (const [library, schema] of Object.entries(libraries)) {
  for (const kind of ["engine", "cookie"]) {
    Deno.test(`${kind}: checks with a schema of ${library}`, async () => {
      const open = kinds[kind]!();
      const events: SessionEvent[] = [];
      const storage = open({
        schema,
        onEvent: (event) => events.push(event),
      });
      const fits = await stored(open(), { userId: "ann", more: 1 });
      const wrong = await stored(open(), { userId: 7 });
      const session = await storage.getSession(fits);
      const userId: string | undefined = session.get("userId");
      assertEquals(userId, "ann");
      assertEquals(session.size, 2);
      assertEquals((await storage.getSession(wrong)).size, 0);
      const [misfit] = events.filter(({ type }) => type === "misfit");
      assertEquals(misfit?.keys, ["userId"]);
    });
  }
}

Deno.test("schema: a type that JSON lacks is shown, and the stored text stays", async () => {
  const open = kinds["engine"]!();
  const schema = z.object({ born: z.coerce.date(), n: z.number() });
  const header = await stored(open(), { born: "2000-01-01", n: 1 });
  const storage = open({ schema });
  const session = await storage.getSession(header);
  assertEquals(session.get("born"), new Date("2000-01-01"));
  assert(!session.dirty);
  session.set("n", 2);
  await storage.commitSession(session);

  const raw = await open().getSession(header);
  assertEquals(raw.data, { born: "2000-01-01", n: 2 });
  session.set("born", new Date(0));
  await assertSessionError(
    () => storage.commitSession(session),
    "unserializable",
    "born",
  );
});

Deno.test("schema: parallel saves of a migrated session lose nothing", async () => {
  const open = kinds["engine"]!();
  const storage = open({ schema: user.loose(), migrate });
  const older = open();
  const header = await stored(older, { user: { id: 7 }, n: "a" });
  const sessions = [
    await storage.getSession(header),
    await storage.getSession(header),
    await older.getSession(header),
  ] as const;
  sessions[0].set("visits", 1);
  sessions[1].set("theme", "dark");
  sessions[2].set("old", true);
  for (const session of sessions.slice(0, 2)) {
    await storage.commitSession(session);
  }
  assertEquals(sessions[1].get("visits"), 1, "the session shows it too");
  await older.commitSession(sessions[2]);

  assertEquals(
    (await open().getSession(header)).data,
    { userId: "7", n: "a", visits: 1, theme: "dark", old: true },
  );
});

Deno.test("schema: a migration is not applied to a record that an older release has changed", async () => {
  const open = kinds["engine"]!();
  const storage = open({ schema: user.loose(), migrate });
  const older = open();
  const header = await stored(older, { user: { id: 7 } });
  const session = await storage.getSession(header);
  const old = await older.getSession(header);
  old.set("user", { id: 8 });
  await older.commitSession(old);
  session.set("visits", 1);
  await storage.commitSession(session);

  const raw = (await open().getSession(header)).data;
  assertEquals(raw, { user: { id: 8 }, visits: 1 });
  const migrated = await storage.getSession(header);
  assertEquals(migrated.get("userId"), "8");
});

Deno.test("schema: a session shows converted values after a save that merged", async () => {
  const open = kinds["engine"]!();
  const storage = open({ schema: user });
  const header = await stored(open(), { userId: "ann", visits: "3" });
  const [session, other] = [
    await storage.getSession(header),
    await storage.getSession(header),
  ];
  assertEquals([session.get("visits"), other.get("visits")], [3, 3]);
  other.set("userId", "bob");
  await storage.commitSession(other);
  session.set("theme", "dark");
  await storage.commitSession(session);

  assertEquals(session.data, { userId: "bob", visits: 3, theme: "dark" });
  assert(!session.dirty);
  other.set("visits", 4);
  await storage.commitSession(other);
  const third = await storage.getSession(header);
  third.set("visits", 5);
  await storage.commitSession(third);
  session.set("theme", "light");
  await storage.commitSession(session);
  assertEquals(session.get("visits"), 5, "of a newer value, that one is shown");
});

Deno.test("schema: a session can be saved again, with what the first save has written", async () => {
  for (const kind of ["engine", "cookie"]) {
    const open = kinds[kind]!();
    const older = { user: { id: 7 }, visits: [1, 2] };
    const storage = open({
      schema: user,
      migrate: ({ user, visits }) => ({
        userId: String(user.id),
        visits: String(visits.length),
      }),
    });
    let header = await stored(open(), older);
    const raw = async () => (await open().getSession(header)).data;
    const session = await storage.getSession(header);
    assertEquals(session.get("visits"), 2, kind);
    const save = async (key: "userId" | "theme", value: string) => {
      session.set(key, value as "dark");
      header = next(await storage.commitSession(session), header);
    };
    await save("theme", "dark");
    const first = { userId: "7", visits: "2", theme: "dark" };
    assertEquals(await raw(), first, kind);
    await save("userId", "8");
    assertEquals(await raw(), { ...first, userId: "8" }, kind);
    await save("theme", "light");
    const last = { userId: "8", visits: "2", theme: "light" };
    assertEquals(await raw(), last, kind);
  }
});

Deno.test("schema: a strict one accepts a session with a CSRF token", async () => {
  const open = kinds["engine"]!();
  const header = await stored(open(), { userId: "ann", __csrf_1: "token" });
  const schema = z.strictObject({ userId: z.string() });
  const session = await open({ schema }).getSession(header);
  assertEquals(session.get("userId"), "ann");
  assertEquals(session.size, 2);
});

Deno.test("schema: reading is a use of a session that fits, and only of such", async () => {
  const clock = new Clock();
  const engine = new FakeEngine();
  const timed = { cookie, engine, now: clock.now, idleTimeout: 3600 };
  const plain = createSessionStorage(timed);
  const storage = createSessionStorage({ ...timed, schema: user });
  const rows: [data: object, calls: string[]][] = [
    [{ userId: "ann", visits: "3" }, ["read", "touch"]],
    [{ userId: 7 }, ["read"]],
  ];
  for (const [data, calls] of rows) {
    const header = await stored(plain, data as Record<string, unknown>);
    clock.time += 1_800_000;
    engine.calls = [];
    const session = await storage.getSession(header);
    assertEquals(engine.calls, calls, rowName(data));
    if (calls.length < 2) continue;
    assertEquals(session.get("visits"), 3, rowName(data));
    session.set("userId", "bob");
    await storage.commitSession(session);
    const raw = (await plain.getSession(header)).data;
    assertEquals(raw, { userId: "bob", visits: "3" }, rowName(data));
  }
});

Deno.test("schema: restart({ keep }) keeps migrated values of the newest record", async () => {
  const open = kinds["engine"]!();
  const storage = open({ schema: user, migrate });
  const header = await stored(open(), { user: { id: 7 }, cart: ["tea"] });
  const session = await storage.getSession(header);
  session.restart({ keep: ["userId"] });
  const after = cookieHeader(await storage.commitSession(session));

  assertEquals((await open().getSession(after)).data, { userId: "7" });
});

Deno.test("schema: a save that fails is repeated with its migration", async () => {
  const engine = new FakeEngine();
  const open = (options: StorageOptions = {}) =>
    createSessionStorage({ cookie, engine, ...options });
  const storage = open({ schema: user, migrate });
  const header = await stored(open(), { user: { id: 7 } });
  const session = await storage.getSession(header);
  session.set("visits", 1);
  engine.play("write", "fail");
  await assertSessionError(
    () => storage.commitSession(session),
    "store-failed",
  );
  await storage.commitSession(session);

  const raw = (await open().getSession(header)).data;
  assertEquals(raw, { userId: "7", visits: 1 });
});

Deno.test("schema: of several cookies, the first that fits is used", async () => {
  for (const kind of ["engine", "cookie", "four functions"]) {
    const open = kinds[kind]!();
    const misfit = await stored(open(), { userId: 7 });
    const good = await stored(open(), { userId: "ann" });
    const storage = open({ schema: user });
    for (const pair of [[misfit, good], [good, misfit]]) {
      const session = await storage.getSession(pair.join("; "));
      assertEquals(session.get("userId"), "ann", kind);
    }
  }
});

Deno.test("schema: one that does not fit is not removed if it was saved meanwhile", async () => {
  const open = kinds["engine"]!();
  const older = open();
  const header = await stored(older, { userId: 7 });
  const storage = open({ schema: user });
  const session = await storage.getSession(header);
  const old = await older.getSession(header);
  old.set("cart", ["tea"]);
  await older.commitSession(old);
  session.set("userId", "ann");
  await storage.commitSession(session);

  assertEquals((await open().getSession(header)).get("userId"), 7);
});

Deno.test("schema: owners are asked for values as the schema converts them", async () => {
  const engine = new FakeEngine();
  const owned = createSessionStorage({
    cookie,
    engine,
    owner: (data) => data["user"] && String(data["user"].id),
  });
  await stored(owned, { user: { id: 7 } });
  await stored(owned, { user: { id: 7, broken: true } });
  await stored(owned, { user: { id: 8 } });
  const storage = createSessionStorage({
    cookie,
    engine,
    schema: user,
    migrate(old) {
      if (old["user"].broken) throw new Error("a bug");
      return migrate(old);
    },
    owner: ({ userId }) => userId,
  });

  const listed = await storage.listSessions("7");
  assertEquals(
    listed.map(({ data }) => data).sort((a, b) =>
      Object.keys(a).length - Object.keys(b).length
    ),
    [{}, { userId: "7", theme: "light" }],
    "of one that does not fit, nothing is shown",
  );
  assertEquals(await storage.destroySessions("7"), 2);
  assertEquals(await storage.listSessions("7"), []);
  assertEquals((await storage.listSessions("8")).length, 1);
});

Deno.test("schema: an engine's session with owner is saved and listed after its migration", async () => {
  const engine = new FakeEngine();
  const open = (options: StorageOptions = {}) =>
    createSessionStorage({ cookie, engine, ...options });
  for (const data of [{ user: { id: 7 } }, { userId: 7 }]) {
    const header = await stored(open(), data);
    const storage = createSessionStorage({
      cookie,
      engine,
      schema: z.object({
        userId: z.coerce.string().regex(/\d/),
        visits: z.number().optional(),
      }),
      migrate,
      owner: ({ userId }) => userId,
    });
    const session = await storage.getSession(header);
    session.set("visits", 1);
    await storage.commitSession(session);
    const listed = await storage.listSessions("7");
    assertEquals(listed[0]?.data, { userId: "7", visits: 1 }, rowName(data));
    assertEquals(await storage.destroySessions("7"), 1, rowName(data));
  }
});

Deno.test("schema: __proto__ is an ordinary key", async () => {
  for (const kind of ["engine", "cookie"]) {
    const open = kinds[kind]!();
    const raw = await open().getSession();
    raw.set("__proto__", { admin: true });
    raw.set("userId", "ann");
    const header = cookieHeader(await open().commitSession(raw));
    const session = await open({ schema: user }).getSession(header);
    assertEquals(Object.keys(session.data).includes("__proto__"), true, kind);
    assertEquals(session.has("admin" as "userId"), false, kind);
    session.set("visits", 1);
  }
});

Deno.test("schema: a middleware answers a misfit as a stranger, without a cookie", async () => {
  const open = kinds["engine"]!();
  const cookie = await stored(open(), { userId: 7 });
  const handler = withSession(open({ schema: user }), (_request, session) => {
    const userId: string | undefined = session.get("userId");
    return new Response(userId ?? "please sign in");
  });
  const response = await handler(
    new Request("http://localhost/", { headers: { cookie } }),
  );
  assertEquals(response.status, 200);
  assertEquals(await response.text(), "please sign in");
  assertEquals(response.headers.getSetCookie(), []);
});

Deno.test("schema: options that cannot work are refused", () => {
  const engine = new FakeEngine();
  const wrong: [StorageOptions<never>, string][] = [
    [{ schema: {} as never }, "schema must implement Standard Schema"],
    [{ schema: (() => true) as never }, "schema must implement Standard"],
    [{ schema: null as never }, "schema must implement Standard Schema"],
    [{ schema: user as never, migrate: {} as never }, "migrate must be a"],
    [{ migrate }, "migrate requires schema"],
  ];
  for (const [options, message] of wrong) {
    assertThrows(
      () => createSessionStorage({ engine, ...options }),
      TypeError,
      message,
      rowName(options),
    );
  }
  const to = createSessionStorage({ cookie, engine, schema: user });
  const from = createMemorySessionStorage({ cookie });
  assertThrows(
    () => createReadThroughSessionStorage({ to, from, keepOld: true }),
    TypeError,
    "create from with schema too",
  );
});
