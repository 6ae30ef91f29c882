/** Every factory returns the one `SessionStorage`, whether or not it was given a cookie. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { rowName } from "../_row.ts";
import { cookieHeader } from "../core/_support.ts";
import { createCookie } from "../../core/cookie.ts";
import { createSession, type Session } from "../../core/session.ts";
import {
  createCloudflareKVSessionStorage,
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createDynamoDBSessionStorage,
  createFileSessionStorage,
  createFsSessionStorage,
  createMemcacheSessionStorage,
  createMemorySessionStorage,
  createReadThroughSessionStorage,
  createRedisSessionStorage,
  createSessionStorage,
  type SessionStorage,
  withSession,
} from "../../mod.ts";
import { FakeEngine } from "./_fake_engine.ts";

const kv = {
  getWithMetadata: () => Promise.resolve({ value: null, metadata: null }),
  put: () => Promise.resolve(),
  delete: () => Promise.resolve(),
};
const four = {
  createData: () => Promise.resolve("1"),
  readData: () => Promise.resolve(null),
  updateData: () => Promise.resolve(),
  deleteData: () => Promise.resolve(),
};
const unused = { url: "redis://localhost:1" };

/** Each factory with what it needs, and more options. */
const factories: Record<
  string,
  (options?: { cookie?: { secrets: string[] } }) => SessionStorage
> = {
  cookie: (options) => createCookieSessionStorage(options),
  memory: (options) => createMemorySessionStorage(options),
  file: (options) => createFileSessionStorage({ dir: "/unused", ...options }),
  fs: (options) => createFsSessionStorage("/unused", options),
  "Deno KV": (options) => createDenoKvSessionStorage(options),
  "Workers KV": (options) =>
    createCloudflareKVSessionStorage({ kv, ...options }),
  DynamoDB: (options) =>
    createDynamoDBSessionStorage({ table: "t", ...options }),
  Redis: (options) => createRedisSessionStorage({ ...unused, ...options }),
  Memcached: (options) =>
    createMemcacheSessionStorage({ url: "localhost:1", ...options }),
  engine: (options) =>
    createSessionStorage({ engine: new FakeEngine(), ...options }),
  "four functions": (options) => createSessionStorage({ ...four, ...options }),
  "read-through": (options) =>
    createReadThroughSessionStorage({
      to: createMemorySessionStorage(options),
      from: createMemorySessionStorage(options),
    }),
};

const SHAPE = [
  "commitCookie",
  "commitSession",
  "destroySession",
  "destroySessions",
  "getSession",
  "listSessions",
  "read",
  "save",
];

for (const [name, create] of Object.entries(factories)) {
  Deno.test(`${name}: the storage has one shape, with a cookie and without`, async () => {
    for (const options of [undefined, { cookie: { secrets: ["s3cr3t"] } }]) {
      const storage = create(options) as unknown as Record<string, unknown>;
      for (const method of SHAPE) {
        assertEquals(typeof storage[method], "function", `${name}.${method}`);
      }
      assertEquals(typeof storage["guarantees"], "object", name);
      const ownerless = create(options);
      for (
        const call of [
          () => ownerless.listSessions("ann"),
          () => ownerless.destroySessions("ann"),
        ]
      ) {
        await assertRejects(call, TypeError, "an owner's sessions", name);
      }
    }
  });
}

Deno.test("createMemorySessionStorage() uses React Router's default cookie, when it is given none", async () => {
  const { getSession, commitSession, destroySession } =
    createMemorySessionStorage();
  const session = await getSession();
  session.set("theme", "dark");
  const setCookie = await commitSession(session);
  assertMatch(setCookie, /^__session=[^;]+; HttpOnly; SameSite=Lax; Path=\/$/);
  const next = await getSession(cookieHeader(setCookie));
  assertEquals(next.get("theme"), "dark");
  assertMatch(await destroySession(next), /^__session=; .*Expires=Thu, 01 Jan/);
});

Deno.test("getSession() takes a Cookie header, a request, headers, or nothing", async () => {
  const storage = createMemorySessionStorage();
  const session = createSession({ theme: "dark" });
  const cookie = cookieHeader(await storage.commitSession(session));
  const request = new Request("http://localhost/", { headers: { cookie } });
  for (const from of [cookie, request, request.headers]) {
    const session = await storage.getSession(from);
    assertEquals(session.get("theme"), "dark", String(from));
  }
  const plain = new Request("http://localhost/");
  for (const from of [undefined, null, "", plain, plain.headers]) {
    assertEquals((await storage.getSession(from)).size, 0, String(from));
  }
});

Deno.test("commitCookie() gives the parts of what commitSession() sends", async () => {
  const expires = new Date(Date.now() + 3_600_000);
  const cookies = {
    "a cookie of this library": createCookie("sid", {
      domain: "example.com",
      maxAge: 3600,
      partitioned: true,
      path: "/shop",
      priority: "high",
      sameSite: "none",
      secrets: ["s3cr3t"],
      secure: true,
    }),
    "the default cookie": undefined,
  };
  for (const [title, cookie] of Object.entries(cookies)) {
    const storage = createMemorySessionStorage({ cookie });
    assertEquals(await storage.commitCookie(createSession()), null, title);
    const session = createSession({ theme: "dark" });
    const parts = await storage.commitCookie(session);
    const setCookie = await storage.commitSession(session);
    assert(parts, title);
    assertEquals(
      `${parts.name}=${parts.value}`,
      cookieHeader(setCookie),
      title,
    );
    const again = createCookie(parts.name, parts.options);
    const attributes = (await again.serialize("x")).split("; ").slice(1).sort();
    assertEquals(attributes, setCookie.split("; ").slice(1).sort(), title);
    const lasting = await storage.commitCookie(session, { expires });
    const seconds = Math.floor(expires.getTime() / 1000);
    assertEquals(
      Math.floor((lasting?.options.expires?.getTime() ?? 0) / 1000),
      seconds,
      title,
    );
    session.destroy();
    const cleared = await storage.commitCookie(session);
    assertEquals(
      [cleared?.value, cleared?.options.expires],
      ["", new Date(0)],
      title,
    );
  }
});

Deno.test("a middleware binds its cookie, and the storage's default cookie is not used beside it", async () => {
  const storage = createMemorySessionStorage();
  const cookie = createCookie("sid", { secrets: ["s3cr3t"] });
  const handler = withSession(cookie, storage, (_request, session) => {
    session.set("visits", 1);
    return new Response();
  });
  const response = await handler(new Request("http://localhost/"));
  assertMatch(response.headers.get("set-cookie") ?? "", /^sid=/);
  for (
    const use of [
      () => storage.getSession(),
      () => storage.commitSession(createSession({ a: 1 })),
      () => storage.commitCookie(createSession({ a: 1 })),
      () => storage.destroySession(createSession()),
    ]
  ) {
    await assertRejects(
      use,
      TypeError,
      'a middleware uses it with the cookie "sid"',
      rowName(use),
    );
  }
  assertThrows(() => withSession(storage, () => new Response()), TypeError);
  assertEquals((await storage.read(null)).size, 0, "read() needs no cookie");
});

Deno.test("a storage with a cookie of its own can be bound to another one, beside it", async () => {
  const storage = createMemorySessionStorage({ cookie: { name: "own" } });
  const handler = withSession(createCookie("sid"), storage, (_, session) => {
    session.set("visits", 1);
    return new Response();
  });
  const response = await handler(new Request("http://localhost/"));
  const [value = ""] = (response.headers.get("set-cookie") ?? "").split(";");
  assertMatch(value, /^sid=/);
  assertMatch(
    await storage.commitSession(createSession({ a: 1 })),
    /^own=/,
  );
});

Deno.test("createCookieSessionStorage() works under a middleware's cookie, when it is given none", async () => {
  const storage = createCookieSessionStorage();
  const cookie = createCookie("sid", { secrets: ["s3cr3t"] });
  const handler = withSession(cookie, storage, (_request, session) => {
    const visits = (session.get("visits") ?? 0) + 1;
    session.set("visits", visits);
    return new Response(String(visits));
  });
  const first = await handler(new Request("http://localhost/"));
  const sent = cookieHeader(first.headers.get("set-cookie") ?? "");
  const second = await handler(
    new Request("http://localhost/", { headers: { cookie: sent } }),
  );
  assertEquals(await second.text(), "2");
});

Deno.test("every factory refuses an unknown option, and names the nearest one", () => {
  for (const [name, create] of Object.entries(factories)) {
    if (name === "read-through") continue;
    assertThrows(
      () => create({ idleTimout: 60 } as never),
      TypeError,
      'Cannot create storage: unknown option "idleTimout"; the nearest known one is "idleTimeout"',
      name,
    );
    assertThrows(
      () => create({ maxAge: 60 } as never),
      TypeError,
      "Cannot create storage: maxAge is an option of the cookie; write { cookie: { maxAge: … } }",
      name,
    );
    create({ idleTimout: undefined } as never);
  }
  const storage = createMemorySessionStorage();
  assertThrows(
    () =>
      createReadThroughSessionStorage({ to: storage, form: storage } as never),
    TypeError,
    'unknown option "form"; the nearest known one is "from"',
  );
  assertThrows(
    () => createCookie("a", { samesite: "lax" } as never),
    TypeError,
    'Cannot create cookie "a": unknown option "samesite"; the nearest known one is "sameSite"',
  );
  assertThrows(
    () => createMemorySessionStorage({ cookie: { secret: "s" } as never }),
    TypeError,
    'Cannot create cookie "__session": unknown option "secret"; the nearest known one is "secrets"',
  );
  createSessionStorage({ ...four, query: () => {} } as never);
});

/** A third party's storage, of which each test takes a part. */
function thirdParty() {
  const sessions = new Map<string, object>();
  const read = (value: string | null) =>
    Promise.resolve(createSession(sessions.get(value ?? "")));
  const save = (session: Session) => {
    sessions.set(session.id, session.data);
    return Promise.resolve(session.id);
  };
  return {
    values: { read, save },
    headers: {
      getSession: (from?: unknown) =>
        read(String(from ?? "").replace("theirs=", "")),
      commitSession: async (session: Session) =>
        session.size > 0 ? `theirs=${await save(session)}` : "",
      destroySession: () => Promise.resolve("theirs=; Max-Age=0"),
    },
  };
}

Deno.test("withSession() takes a third party's storage that has one part of the shape only", async () => {
  const count = (_request: Request, session: Session) => {
    session.set("visits", (session.get("visits") ?? 0) + 1);
    return new Response(String(session.get("visits")));
  };
  const { headers, values } = thirdParty();
  const handlers = {
    "getSession, commitSession and destroySession": withSession(headers, count),
    "read and save": withSession(createCookie("sid"), values, count),
  };
  for (const [title, handler] of Object.entries(handlers)) {
    const first = await handler(new Request("http://localhost/"));
    const cookie = cookieHeader(first.headers.get("set-cookie") ?? "");
    const next = new Request("http://localhost/", { headers: { cookie } });
    assertEquals(await (await handler(next)).text(), "2", title);
  }
});

Deno.test("save() stores a session object in one storage after another, when two of different kinds save it at once", async () => {
  const steps: string[] = [];
  const engine = new FakeEngine();
  const write = engine.write.bind(engine);
  engine.write = async (...args) => {
    for (let i = 0; i < 10; i++) await undefined;
    steps.push("engine");
    return await write(...args);
  };
  const records = createSessionStorage({ engine });
  const cookies = createCookieSessionStorage({
    cookie: { secrets: ["s3cr3t"] },
    onEvent: () => steps.push("cookie"),
  });
  const session = createSession({ a: 1 });
  await Promise.all([records.save(session), cookies.save(session)]);
  assertEquals(steps, ["engine", "cookie"]);
});
