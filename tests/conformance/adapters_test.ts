import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import session from "npm:express-session@1.19.0";
import { Hono } from "npm:hono@4.13.19";
import { MemoryStore, sessionMiddleware } from "npm:hono-sessions@0.8.1";
import { createStorage } from "npm:unstorage@1.17.6";
import {
  type ExpressStore,
  fromExpressStore,
  fromHonoSessions,
  fromUnstorage,
  type StorageLike,
} from "../../conformance/mod.ts";

type Reader = Required<Pick<StorageLike, "read" | "save">>;

/** A store that writes down what is called. */
function spy(store: ExpressStore): { calls: string[]; store: ExpressStore } {
  const calls: string[] = [];
  const log = <Args extends [string, ...unknown[]]>(
    name: string,
    method: (...args: Args) => unknown,
  ) =>
  (...args: Args) => {
    calls.push(name);
    return method(...args);
  };
  return {
    calls,
    store: {
      get: log("get", (sid, done) => store.get(sid, done as () => void)),
      set: log(
        "set",
        (sid, value, done) => store.set(sid, value, done as () => void),
      ),
      destroy: log(
        "destroy",
        (sid, done) => store.destroy(sid, done as () => void),
      ),
      touch: log(
        "touch",
        (sid, value, done) => store.touch?.(sid, value, done as () => void),
      ),
    },
  };
}

Deno.test("fromExpressStore() calls a store as express-session does", async () => {
  const { calls, store } = spy(new session.MemoryStore());
  const { read, save } = fromExpressStore(store) as Reader;
  const first = await read(null);
  assertEquals(await save(first), null, "an unchanged new session");
  assertEquals(calls, [], "a visitor without a session");
  first.set("userId", "u1");
  const id = await save(first);
  assertMatch(id ?? "", /^[\w-]{32}$/);
  const next = await read(id);
  assertEquals(next.get("userId"), "u1");
  assertEquals(await save(next), null, "an unchanged session");
  next.regenerateId();
  const renewed = await save(next);
  assert(renewed !== id, "a new id");
  next.destroy();
  assertEquals(await save(next), "");
  assertEquals(calls, ["set", "get", "touch", "destroy", "set", "destroy"]);
});

Deno.test("fromExpressStore() does not show a store what cannot be an id", async () => {
  const { calls, store } = spy(new session.MemoryStore());
  const { read } = fromExpressStore(store) as Reader;
  for (const text of ["", "../x", "x".repeat(31), `${"x".repeat(32)}\n`]) {
    await read(text);
    assertEquals(calls, [], JSON.stringify(text));
  }
});

Deno.test("fromExpressStore() stores the cookie that express-session would", async () => {
  let stored: { cookie?: object } = {};
  const store: ExpressStore = {
    get: (_, done) => done(null, null),
    destroy: (_, done) => done(),
    set(_, value, done) {
      stored = JSON.parse(JSON.stringify(value));
      done();
    },
  };
  const { read, save } = fromExpressStore(store, { maxAge: 600 }) as Reader;
  const first = await read(null);
  first.set("userId", "u1");
  await save(first);
  const cookie = new session.Cookie();
  cookie.maxAge = 600_000;
  const wanted = JSON.parse(JSON.stringify(cookie));
  const found = stored.cookie as typeof wanted;
  // express-session counts from the clock, which may go on in between.
  const seconds = (ms: number) => Math.round(ms / 1000);
  assertEquals(seconds(found.originalMaxAge), seconds(wanted.originalMaxAge));
  assert(
    Math.abs(Date.parse(found.expires) - Date.parse(wanted.expires)) < 60_000,
    `${found.expires} and ${wanted.expires}`,
  );
  assertEquals([found.httpOnly, found.path], [wanted.httpOnly, wanted.path]);
});

Deno.test("fromExpressStore() takes ENOENT for a session that does not exist, and passes other errors on", async () => {
  const failing = (error: unknown) =>
    fromExpressStore({
      get: (_, done) => done(error),
      set: (_sid, _value, done) => done(error),
      destroy: (_, done) => done(error),
    }) as Reader;
  const id = "x".repeat(32);
  const missing = Object.assign(new Error("gone"), { code: "ENOENT" });
  assertEquals((await failing(missing).read(id)).has("userId"), false);
  const broken = failing(new Error("the store is broken"));
  await assertRejects(() => broken.read(id), Error, "the store is broken");
});

Deno.test("fromExpressStore() ends an expired session itself if the middleware does", async () => {
  const records = new Map<string, unknown>();
  const store: ExpressStore = {
    get: (sid, done) => done(null, records.get(sid)),
    set: (sid, value, done) => done(void records.set(sid, value)),
    destroy: (sid, done) => done(void records.delete(sid)),
  };
  const open = (maxAge: number) =>
    fromExpressStore(store, {
      maxAge,
      middleware: "@fastify/session",
    }) as Reader;
  for (const [maxAge, size] of [[-1, 0], [600, 1]] as const) {
    records.clear();
    const storage = open(maxAge);
    const first = await storage.read(null);
    first.set("userId", "u1");
    const id = await storage.save(first);
    await open(600).read(id);
    assertEquals(records.size, size, `maxAge ${maxAge}`);
  }
});

Deno.test("fromUnstorage() reads a record under its own key only, and passes ttl on", async () => {
  const inner = createStorage();
  const options: unknown[] = [];
  const { read, save } = fromUnstorage({
    getItem: (key) => inner.getItem(key),
    removeItem: (key) => inner.removeItem(key),
    async setItem(key, value, more) {
      options.push(more);
      await inner.setItem(key, value);
    },
  }, { ttl: 60 }) as Reader;
  const ids: string[] = [];
  for (const userId of ["u1", "u2"]) {
    const first = await read(null);
    first.set("userId", userId);
    ids.push(await save(first) ?? "");
  }
  const [one = "", two = ""] = ids;
  assertEquals((await read(one)).get("userId"), "u1");
  await inner.setItem(one, await inner.getItem(two));
  assertEquals((await read(one)).has("userId"), false, "a moved record");
  assertEquals(options, [{ ttl: 60 }, { ttl: 60 }]);
});

Deno.test("fromHonoSessions() saves a session twice, each time with a new id", async () => {
  const app = new Hono();
  app.use(sessionMiddleware({ store: new MemoryStore() }));
  const { getSession, commitSession } = fromHonoSessions(app) as Required<
    StorageLike
  >;
  const first = await getSession();
  first.set("userId", "u1");
  const cookies: string[] = [];
  for (let i = 0; i < 2; i++) {
    first.regenerateId();
    cookies.push((await commitSession(first)).split(";")[0] ?? "");
  }
  const [between, last] = cookies;
  assertEquals((await getSession(between)).has("userId"), false);
  assertEquals((await getSession(last)).get("userId"), "u1");
});

Deno.test("fromHonoSessions() rejects if the application answers with an error", async () => {
  const app = new Hono();
  app.onError(() => new Response(null, { status: 500 }));
  app.use(() => {
    throw new Error("the middleware fails");
  });
  const { getSession } = fromHonoSessions(app) as Required<StorageLike>;
  await assertRejects(() => getSession(), Error, "answered with 500");
});
