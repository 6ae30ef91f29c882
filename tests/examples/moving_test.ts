// A user whom the old application signed in stays signed in on the new one. Old applications are real ones.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { createFileSessionStorage as reactRouterFiles } from "@react-router/node";
import { createCookie as remixCookie } from "@remix-run/cookie";
import { createFsSessionStorage as remixFiles } from "@remix-run/session/fs-storage";
import { createMemorySessionStorage as remixMemory } from "@remix-run/session/memory-storage";
import express from "npm:express@5.3.0";
import expressSession from "npm:express-session@^1.19.0";
import { RedisStore } from "npm:connect-redis@10.0.0";
import { getIronSession, sealData, webCookies } from "npm:iron-session@^9.0.1";
import { createClient } from "npm:redis@^6.3.1";
import {
  createCookie,
  createCookieSessionStorage,
  createMemorySessionStorage,
  createReadThroughSessionStorage,
  createSessionStorage,
  type FourFunctions,
  type SessionStorage,
} from "../../mod.ts";
import {
  expressCookie,
  expressSessions,
  type ExpressStore,
} from "../../examples/moving/express_session.ts";
import { ironCookie } from "../../examples/moving/iron_session.ts";
import { reactRouterSessions } from "../../examples/moving/react_router.ts";
import { remixSessions } from "../../examples/moving/remix_3.ts";
import { fillCode } from "../../tools/guide.ts";
import { root } from "../../tools/project.ts";
import { assertNoDrift } from "../_drift.ts";
import { installed, startRedis } from "../engines/_servers.ts";
import { stopTime } from "../guides/_clock.ts";
import { rowName } from "../_row.ts";

/** Signs in at an old application, and gives what the browser has then. */
async function signInAt(
  store: expressSession.Store,
  secret: string,
  name?: string,
): Promise<string> {
  const app = express();
  app.use(expressSession({
    store,
    secret,
    resave: false,
    saveUninitialized: false,
    ...(name ? { name } : {}),
  }));
  // deno-lint-ignore no-explicit-any -- the session's fields are the application's
  app.get("/", (req: any, res: any) => {
    req.session.userId = "ann";
    req.session["__flash__:notice"] = "Saved";
    res.end();
  });
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  const response = await fetch(`http://127.0.0.1:${port}/`);
  await response.text();
  await new Promise((resolve) => server.close(resolve));
  return response.headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

function moved(store: unknown, name = "connect.sid"): SessionStorage {
  return createReadThroughSessionStorage({
    to: createMemorySessionStorage({
      cookie: { name: "__session", secrets: ["new secret"] },
    }),
    from: createSessionStorage({
      cookie: expressCookie(name, ["newer secret", "old secret"]),
      ...expressSessions(store as ExpressStore),
    }),
  });
}

/** A visit with a cookie of the old application, up to the logout. */
async function assertStaysSignedIn(
  { getSession, commitSession, destroySession }: SessionStorage,
  old: string,
): Promise<void> {
  const session = await getSession(old);
  session.get("notice");
  assertEquals(session.data, { userId: "ann" });
  session.set("theme", "dark");
  const cookie = (await commitSession(session)).split(";")[0];
  assertMatch(cookie ?? "", /^__session=/);
  const both = `${old}; ${cookie}`;
  const again = await getSession(both);
  assertEquals(again.data, { userId: "ann", theme: "dark" });
  await destroySession(again);
  for (const header of [both, old]) {
    assertEquals((await getSession(header)).size, 0, rowName(header));
  }
}

/** Cookies that somebody who does not know the secret may send. */
function forgeries(cookie: string): string[] {
  const [name = "", value = ""] = cookie.split(/=(.*)/);
  return [
    "",
    "%",
    "%E0%A4%A",
    "s%3A",
    "s%3Aadmin",
    "s%3Aadmin.x",
    value.replace(/.\./, "A."),
    value.slice(0, -1),
    `${value}x`,
    `${value}%00`,
  ].map((forged) => `${name}=${forged}`);
}

Deno.test("expressCookie() keeps users of express-session signed in, whose sessions were in its MemoryStore", async () => {
  const store = new expressSession.MemoryStore();
  const old = await signInAt(store, "old secret");
  const storage = moved(store);
  for (const forged of forgeries(old)) {
    assertEquals((await storage.getSession(forged)).size, 0, rowName(forged));
  }
  await assertStaysSignedIn(storage, old);
});

Deno.test("expressCookie() takes the id from the cookie that is signed, where a name comes twice", async () => {
  const store = new expressSession.MemoryStore();
  const old = await signInAt(store, "old secret", "sid");
  const storage = moved(store, "sid");
  const header = `sid=s%3Aplanted.x; ${old}`;
  assertEquals((await storage.getSession(header)).get("userId"), "ann");
  const unknown = moved(store, "id");
  assertEquals((await unknown.getSession(header)).size, 0);
});

Deno.test("expressSessions() brings a message along that the first Remix had not shown yet", async () => {
  const store = new expressSession.MemoryStore();
  const { getSession, commitSession } = moved(store);
  const session = await getSession(await signInAt(store, "old secret"));
  assertEquals(session.get("notice"), "Saved");
  const cookie = (await commitSession(session)).split(";")[0];
  assertEquals((await getSession(cookie)).has("notice"), false);
});

if (installed("redis")) {
  Deno.test("expressSessions() keeps users of express-session signed in, whose sessions were in Redis", async () => {
    const server = await startRedis();
    const client = createClient({ url: `redis://127.0.0.1:${server.port}` });
    client.on("error", () => {});
    await client.connect();
    try {
      const store = new RedisStore({ client });
      const old = await signInAt(store, "old secret");
      assertEquals((await client.keys("sess:*")).length, 1);
      await assertStaysSignedIn(moved(store), old);
      assertEquals(await client.keys("sess:*"), []);
    } finally {
      await client.close();
      await server.stop();
    }
  });
}

/** What an old application of React Router or Remix 3 leaves behind. */
interface OldApplication {
  /** What its cookie is written in. */
  readonly format: "react-router" | "remix";
  /** Its sessions, as the examples read them. */
  readonly sessions: FourFunctions;
  /** Signs in, with a message to be shown, and gives what the browser has then. */
  signIn(): Promise<string>;
}

function reactRouterApplication(dir: string): OldApplication {
  const { getSession, commitSession } = reactRouterFiles({
    dir,
    cookie: { name: "__session", secrets: ["old secret"], maxAge: 3600 },
  });
  return {
    format: "react-router",
    sessions: reactRouterSessions((cookie) =>
      reactRouterFiles({ dir, cookie })
    ),
    async signIn() {
      const session = await getSession();
      session.set("userId", "ann");
      session.flash("notice", "Saved");
      return (await commitSession(session)).split(";")[0] ?? "";
    },
  };
}

function remixApplication(
  storage: ReturnType<typeof remixFiles>,
): OldApplication {
  return {
    format: "remix",
    sessions: remixSessions(storage, ["notice", "userId", "unknown"]),
    async signIn() {
      const session = await storage.read(null);
      session.set("userId", "ann");
      session.flash("notice", "Saved");
      session.flash("userId", "behind a value");
      const id = await storage.save(session);
      const cookie = remixCookie("__session", { secrets: ["old secret"] });
      return (await cookie.serialize(id ?? "")).split(";")[0] ?? "";
    },
  };
}

/** Runs a test for each old application, with the storages that it may have had. */
async function eachOld(
  run: (application: OldApplication) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await run(reactRouterApplication(`${dir}/react-router`));
    await run(remixApplication(remixFiles(`${dir}/remix`)));
    await run(remixApplication(remixMemory({ useUnknownIds: true })));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function movedFrom(
  { format, sessions }: OldApplication,
  home: "memory" | "database" = "memory",
): SessionStorage {
  const cookie = { name: "__session", secrets: ["new secret"] };
  return createReadThroughSessionStorage({
    to: home === "memory"
      ? createMemorySessionStorage({ cookie })
      : createSessionStorage({ cookie, ...database() }),
    from: createSessionStorage({
      cookie: { ...cookie, secrets: ["old secret"], accept: [format] },
      ...sessions,
    }),
  });
}

/** Four functions over a database. */
function database(): FourFunctions {
  const rows = new Map<string, FourFunctionsData>();
  return {
    async createData(data) {
      const id = crypto.randomUUID();
      rows.set(id, data);
      return id;
    },
    readData: async (id) => rows.get(id) ?? null,
    async updateData(id, data) {
      rows.set(id, data);
    },
    async deleteData(id) {
      rows.delete(id);
    },
  };
}

type FourFunctionsData = Parameters<FourFunctions["createData"]>[0];

Deno.test("reactRouterSessions() and remixSessions() keep users signed in, whose sessions were on the server", async () => {
  await eachOld(async (old) => {
    const storage = movedFrom(old);
    const cookie = await old.signIn();
    for (const forged of forgeries(cookie)) {
      assertEquals((await storage.getSession(forged)).size, 0, rowName(forged));
    }
    await assertStaysSignedIn(storage, cookie);
  });
});

Deno.test("reactRouterSessions() and remixSessions() bring a message along that was not shown yet", async () => {
  await eachOld(async (old) => {
    const { getSession, commitSession } = movedFrom(old);
    const session = await getSession(await old.signIn());
    assertEquals(session.size, 2);
    assertEquals(session.get("notice"), "Saved");
    assertEquals(session.get("userId"), "ann");
    const cookie = (await commitSession(session)).split(";")[0];
    assertEquals((await getSession(cookie)).data, { userId: "ann" });
    assertEquals((await getSession(cookie)).size, 1);
  });
});

Deno.test("reactRouterSessions() and remixSessions() empty the old storage, and know no id that it does not", async () => {
  await eachOld(async (old) => {
    const { getSession } = movedFrom(old);
    const cookie = await old.signIn();
    const id = idIn(cookie, old);
    assert(await old.sessions.readData(id));
    await getSession(cookie);
    for (const gone of [id, id.replace(/^./, "_"), id.replace(/^./, "0")]) {
      assertEquals(await old.sessions.readData(gone), null, rowName(gone));
    }
  });
});

Deno.test("reactRouterSessions() and remixSessions() end the old session a minute after a database has it", async () => {
  using clock = stopTime();
  await eachOld(async (old) => {
    const { getSession, commitSession } = movedFrom(old, "database");
    const cookie = await old.signIn();
    const session = await getSession(cookie);
    session.set("theme", "dark");
    session.get("notice");
    const moved = (await commitSession(session)).split(";")[0];
    const userId = "ann";
    assertEquals((await getSession(cookie)).data, {
      userId,
      __flash_notice__: "Saved",
    });
    clock.pass(61);
    assertEquals((await getSession(cookie)).size, 0);
    const { data } = await getSession(moved);
    assertEquals(data, { userId: "ann", theme: "dark" });
  });
});

Deno.test("reactRouterSessions() gives no session that was over", async () => {
  using clock = stopTime();
  const dir = await Deno.makeTempDir();
  const old = reactRouterApplication(dir);
  const cookie = await old.signIn();
  clock.pass(3601);
  assertEquals((await movedFrom(old).getSession(cookie)).size, 0);
  await Deno.remove(dir, { recursive: true });
});

/** The id in a cookie of an old application. */
function idIn(cookie: string, { format }: OldApplication): string {
  const value = decodeURIComponent(cookie.split(/=(.*)/)[1] ?? "");
  const text = atob(value.split(".")[0] ?? "");
  return format === "react-router" ? JSON.parse(text) : text;
}

const password = "thirty-two characters, at least.";

/** Signs in at an old application of iron-session, and gives what the browser has then. */
async function ironSignIn(ttl?: number): Promise<string> {
  const headers = new Headers();
  const session = await getIronSession<{ userId: string }>(
    webCookies(new Request("https://app.example/"), headers),
    { cookieName: "sid", password, ...(ttl === undefined ? {} : { ttl }) },
  );
  session.userId = "ann";
  await session.save();
  return headers.getSetCookie()[0]?.split(";")[0] ?? "";
}

Deno.test("ironCookie() keeps users of iron-session signed in, and a copy of their cookie opens nothing after the logout", async () => {
  const storage = createReadThroughSessionStorage({
    to: createMemorySessionStorage({
      cookie: { name: "__session", secrets: ["new secret"] },
    }),
    from: createCookieSessionStorage({
      cookie: ironCookie("sid", { password }),
    }),
  });
  const old = await ironSignIn();
  assert(old.startsWith("sid=Fe26.2*"));
  const seal = await sealData({ userId: "eve" }, {
    password: "another password, as long as that",
  });
  for (
    const forged of [old.slice(0, -9), old.replace("*1*", "*2*"), `sid=${seal}`]
  ) {
    assertEquals((await storage.getSession(forged)).size, 0, rowName(forged));
  }
  await assertStaysSignedIn(storage, old);
  // iron-session opens these, too: they are the same seal.
  for (const altered of [old.replace(/~2$/, ""), `${old}~`, `${old}x`]) {
    assertEquals((await storage.getSession(altered)).size, 0, altered);
  }
});

Deno.test("ironCookie() remembers a logout for as long as the old cookie would open something", async () => {
  using clock = stopTime();
  const day = 24 * 60 * 60;
  for (const [ttl, last] of [[30 * day, 30 * day], [0, 399 * day]] as const) {
    const storage = createReadThroughSessionStorage({
      to: createMemorySessionStorage({
        cookie: { name: "__session", secrets: ["new secret"] },
      }),
      from: createCookieSessionStorage({
        cookie: ironCookie("sid", { password, ttl }),
      }),
    });
    const [one, other] = [await ironSignIn(ttl), await ironSignIn(ttl)];
    await storage.destroySession(await storage.getSession(one));
    clock.pass(last - 1);
    assertEquals((await storage.getSession(one)).size, 0, rowName(ttl));
    assertEquals(
      (await storage.getSession(other)).get("userId"),
      "ann",
      rowName(ttl),
    );
  }
});

Deno.test("ironCookie() moves into a cookie storage, by a cookie that takes the old one's place", async () => {
  const own = createCookie("sid", {
    secrets: ["new secret"],
    encrypt: true,
    httpOnly: true,
  });
  const old = ironCookie("sid", { password });
  const { getSession, commitSession, destroySession } =
    createCookieSessionStorage({
      cookie: {
        name: "sid",
        isSigned: true,
        parse: async (header) =>
          await own.parse(header) ?? await old.parse(header),
        serialize: own.serialize.bind(own),
      },
    });
  const session = await getSession(await ironSignIn());
  session.set("theme", "dark");
  const setCookie = await commitSession(session);
  assertMatch(setCookie, /^sid=e1.*HttpOnly/);
  const again = await getSession(setCookie.split(";")[0]);
  assertEquals(again.data, { userId: "ann", theme: "dark" });
  assertMatch(await destroySession(again), /^sid=;/);
});

Deno.test("docs/coming-from/code.md holds the code that is tested here", async () => {
  const path = "docs/coming-from/code.md";
  const page = await Deno.readTextFile(new URL(path, root));
  const shown = [...page.matchAll(/<!-- code: (\S+) -->/g)];
  const files = await Array.fromAsync(
    Deno.readDir(new URL("examples/moving/", root)),
  );
  assertEquals(
    shown.map(([, file]) => file).sort(),
    files.map(({ name }) => `examples/moving/${name}`).sort(),
  );
  assertNoDrift({
    path,
    found: page,
    written: await fillCode(page),
    tool: "deno run -A tools/guide.ts",
  });
});
