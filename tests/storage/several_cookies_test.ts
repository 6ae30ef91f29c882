/** A request that carries several cookies of the session's name. */
import { assertEquals, assertNotEquals } from "@std/assert";
import { Clock, cookieHeader } from "../core/_support.ts";
import type {
  SessionEvent,
  SessionStorage,
  StorageOptions,
} from "../../storage/contract.ts";
import { createCookieSessionStorage } from "../../storage/cookie.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { createReadThroughSessionStorage } from "../../storage/read_through.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { withSession } from "../../middleware/with_session.ts";
import { rowName } from "../_row.ts";
import { FakeEngine } from "./_fake_engine.ts";

const cookie = { secrets: ["s3cr3t"] };

function setUp(options: StorageOptions = {}) {
  const engine = new FakeEngine();
  const clock = new Clock();
  const events: SessionEvent["type"][] = [];
  const storage = createSessionStorage({
    engine,
    cookie,
    now: clock.now,
    onEvent: ({ type }) => events.push(type),
    ...options,
  });
  return { engine, clock, events, storage };
}

/** Saves a session of a user, and returns the cookie. */
async function signIn(
  storage: SessionStorage,
  user = "ann",
  options = {},
): Promise<string> {
  const session = await storage.getSession();
  session.set("user", user);
  return cookieHeader(await storage.commitSession(session, options));
}

async function userOf(
  storage: SessionStorage,
  ...cookies: string[]
): Promise<unknown> {
  return (await storage.getSession(cookies.join("; "))).get("user");
}

/** Ways in which a cookie's session ends while the browser keeps the cookie. */
type End = (at: ReturnType<typeof setUp>) => Promise<string>;
const ends: Record<string, End> = {
  async destroyed({ storage }) {
    const dead = await signIn(storage);
    await storage.destroySession(await storage.getSession(dead));
    return dead;
  },
  async expired({ storage, clock }) {
    const dead = await signIn(storage, "old", { maxAge: 60 });
    clock.pass(60);
    return dead;
  },
  async "expired by absoluteTimeout"({ storage, clock, engine }) {
    const { storage: before } = setUp({ engine, now: clock.now } as object);
    const dead = await signIn(before, "old");
    clock.pass(3600);
    assertEquals(await userOf(storage, dead), undefined);
    return dead;
  },
  async evicted({ storage, engine }) {
    const dead = await signIn(storage, "old");
    engine.records.clear();
    return dead;
  },
  async "replaced by a new id"({ storage }) {
    const dead = await signIn(storage, "old");
    const session = await storage.getSession(dead);
    session.regenerateId();
    await storage.commitSession(session);
    return dead;
  },
  async corrupt({ storage, engine }) {
    const before = new Set(engine.records.keys());
    const dead = await signIn(storage, "old");
    for (const [key, record] of engine.records) {
      if (!before.has(key)) {
        engine.records.set(key, { ...record, value: "[1]" });
      }
    }
    return dead;
  },
};

for (const [how, end] of Object.entries(ends)) {
  Deno.test(`getSession() reads the live session, when a cookie in front of it leads to one that is ${how}`, async () => {
    const at = setUp({ absoluteTimeout: 3600 });
    const dead = await end(at);
    const { engine, storage } = at;
    const live = await signIn(storage, "ann");
    engine.calls = [];
    assertEquals(await userOf(storage, dead, live), "ann");
    assertEquals(engine.calls, ["read", "read"]);
    engine.calls = [];
    assertEquals(await userOf(storage, live, dead), "ann");
    assertEquals(engine.calls, ["read"], "the live one in front");
    assertEquals(await userOf(storage, dead, dead, live), "ann");
    const session = await storage.getSession(`${dead}; ${live}`);
    session.set("seen", true);
    assertEquals(cookieHeader(await storage.commitSession(session)), live);
  });
}

Deno.test("getSession() tries at most three cookies, and each session once", async () => {
  const { engine, storage } = setUp();
  const dead: string[] = [];
  for (let i = 0; i < 3; i++) dead.push(await signIn(storage));
  engine.records.clear();
  const live = await signIn(storage);
  engine.calls = [];
  assertEquals(await userOf(storage, ...dead, live), undefined);
  assertEquals(engine.calls, ["read", "read", "read"]);
  engine.calls = [];
  assertEquals(
    await userOf(storage, dead[0]!, "__session=forged", dead[0]!),
    undefined,
  );
  assertEquals(engine.calls, ["read"]);
});

Deno.test("getSession() makes a new session, when no cookie leads to a live one", async () => {
  const { engine, storage } = setUp();
  const cookies = [await signIn(storage), await signIn(storage)];
  engine.records.clear();
  const session = await storage.getSession(cookies.join("; "));
  assertEquals([session.size, session.dirty], [0, false]);
  engine.calls = [];
  session.set("user", "new");
  assertNotEquals(await storage.commitSession(session), "");
  assertEquals(engine.calls, ["write"]);
});

Deno.test("getSession() reports one rejected cookie, when none is a session's", async () => {
  const { storage, events } = setUp();
  await storage.getSession("__session=forged; __session=forged too");
  assertEquals(events, ["rejected-cookie"]);
});

Deno.test("destroySession() ends the sessions of the request's other cookies, unread", async () => {
  const { engine, storage } = setUp();
  const one = await signIn(storage);
  const two = await signIn(storage);
  const three = await signIn(storage);
  const stranger = await signIn(storage, "bob");
  const session = await storage.getSession(`${one}; ${two}; ${three}`);
  engine.calls = [];
  const cleared = await storage.destroySession(session);
  assertEquals(engine.calls, ["delete", "delete", "delete"]);
  assertEquals(cookieHeader(cleared), "__session=");
  for (const header of [one, two, three]) {
    assertEquals(await userOf(storage, header), undefined, rowName(header));
  }
  assertEquals(await userOf(storage, stranger), "bob");
});

Deno.test("destroySession() rejects, when the session of another cookie cannot be ended", async () => {
  const { engine, storage } = setUp();
  const one = await signIn(storage);
  const two = await signIn(storage);
  const session = await storage.getSession(`${one}; ${two}`);
  engine.play("delete", "pass", "fail");
  let failed = false;
  await storage.destroySession(session).catch(() => failed = true);
  assertEquals(failed, true);
  await storage.destroySession(session);
  assertEquals(await userOf(storage, one, two), undefined);
});

Deno.test("regenerateId() ends the sessions of the request's other cookies, once the new one is stored", async () => {
  const { engine, storage, events } = setUp();
  const one = await signIn(storage);
  const two = await signIn(storage, "bob");
  const session = await storage.getSession(`${one}; ${two}`);
  session.regenerateId();
  session.set("user", "cleo");
  engine.calls = [];
  const sent = cookieHeader(await storage.commitSession(session));
  assertEquals(engine.calls, ["write", "write", "delete"]);
  assertEquals(await userOf(storage, one, two), undefined);
  assertEquals(await userOf(storage, one, two, sent), "cleo");
  assertEquals(events.includes("engine-error"), false);
});

Deno.test("regenerateId() saves the session and reports the failure, when another cookie's session cannot be ended", async () => {
  const { engine, storage, events } = setUp();
  const one = await signIn(storage);
  const two = await signIn(storage, "bob");
  const session = await storage.getSession(`${one}; ${two}`);
  session.regenerateId();
  engine.play("delete", "fail");
  const sent = cookieHeader(await storage.commitSession(session));
  assertEquals(await userOf(storage, one, sent), "ann");
  assertEquals(events.filter((type) => type === "engine-error").length, 1);
});

Deno.test("regenerateId() does not end the sessions of other cookies, with keepOld", async () => {
  const { storage } = setUp();
  const one = await signIn(storage);
  const two = await signIn(storage, "bob");
  const session = await storage.getSession(`${one}; ${two}`);
  session.regenerateId({ keepOld: true });
  await storage.commitSession(session);
  assertEquals(await userOf(storage, two), "bob");
});

Deno.test("regenerateId() keeps the session, when its own id came twice", async () => {
  const { engine, storage, clock } = setUp();
  const rotated = createSessionStorage({
    engine,
    now: clock.now,
    cookie: { secrets: ["new", "s3cr3t"] },
  });
  const older = await signIn(storage);
  const newer = cookieHeader(
    await rotated.commitSession(await rotated.getSession(older)),
  );
  const session = await rotated.getSession(`${older}; ${newer}`);
  session.regenerateId();
  engine.calls = [];
  const sent = cookieHeader(await rotated.commitSession(session));
  assertEquals(engine.calls, ["write", "write"]);
  assertEquals(await userOf(rotated, older, newer, sent), "ann");
});

Deno.test("listSessions() does not take another cookie's session for the current one", async () => {
  const { storage } = setUp({ owner: ({ user }) => user as string });
  const one = await signIn(storage);
  const two = await signIn(storage);
  const current = await storage.getSession(`${one}; ${two}`);
  const listed = await storage.listSessions("ann", { current });
  assertEquals(listed.filter(({ current }) => current).length, 1);
  assertEquals(await storage.destroySessions("ann", { except: current }), 1);
  assertEquals(await userOf(storage, one), "ann");
  assertEquals(await userOf(storage, two), undefined);
});

Deno.test("createCookieSessionStorage() reads the first session that is authentic and has not expired", async () => {
  for (const format of ["satchel", "react-router", "remix"] as const) {
    const clock = new Clock();
    const events: SessionEvent["type"][] = [];
    const storage = createCookieSessionStorage({
      cookie: { ...cookie, format },
      now: clock.now,
      onEvent: ({ type }) => events.push(type),
    });
    const dead = await signIn(storage, "old", { maxAge: 60 });
    clock.pass(60);
    const live = await signIn(storage, "ann");
    const later = await signIn(storage, "bob");
    events.length = 0;
    const cases: [string[], unknown][] = [
      [[dead, live], "ann"],
      [[dead, live, later], "ann"],
      [[later, dead, live], "bob"],
      [[dead, "__session=forged", live], "ann"],
      [["__session=", dead, live], "ann"],
      [[dead, dead, live], "ann"],
    ];
    for (const [cookies, expected] of cases) {
      assertEquals(
        await userOf(storage, ...cookies),
        expected,
        rowName(format, cookies),
      );
    }
    assertEquals(events, [], rowName(format));
    assertEquals(await userOf(storage, dead), undefined, rowName(format));
    assertEquals(events, ["expired"], rowName(format));
  }
});

Deno.test("createReadThroughSessionStorage() tries its own cookies first, and then the previous storage's", async () => {
  for (const name of ["__session", "sid"]) {
    const [old, now] = [new FakeEngine(), new FakeEngine()];
    const from = createSessionStorage({
      engine: old,
      cookie: { ...cookie, name },
    });
    const to = createSessionStorage({ engine: now, cookie });
    const moving = createReadThroughSessionStorage({ to, from });
    const dead = await signIn(from);
    await from.destroySession(await from.getSession(dead));
    const gone = await signIn(to);
    await to.destroySession(await to.getSession(gone));
    const older = await signIn(from, "bob");
    const newer = await signIn(to, "ann");
    const cases: [string[], unknown][] = [
      [[dead, newer], "ann"],
      [[older, newer], "ann"],
      [[gone, newer], "ann"],
      [[gone, dead, older], "bob"],
      [[dead, older], "bob"],
    ];
    for (const [cookies, expected] of cases) {
      assertEquals(
        await userOf(moving, ...cookies),
        expected,
        rowName(name, cookies),
      );
    }
  }
});

Deno.test("createReadThroughSessionStorage() ends other cookies' sessions in both storages", async () => {
  for (const byValue of [false, true]) {
    const [old, now] = [new FakeEngine(), new FakeEngine()];
    const from = createSessionStorage({
      engine: old,
      ...byValue ? {} : { cookie },
    });
    const reads = createSessionStorage({ engine: old, cookie });
    const to = createSessionStorage({ engine: now, cookie });
    const moving = createReadThroughSessionStorage({ to, from });
    const older = await signIn(reads, "bob");
    const newer = await signIn(to, "ann");
    const session = await moving.getSession(`${newer}; ${older}`);
    assertEquals(session.get("user"), "ann", rowName(byValue));
    await moving.destroySession(session);
    assertEquals(
      await userOf(moving, newer, older),
      undefined,
      rowName(byValue),
    );
    assertEquals([old.sessions, now.sessions], [0, 0], rowName(byValue));
  }
});

Deno.test("createReadThroughSessionStorage() ends the sessions of cookies under the previous storage's name", async () => {
  for (const from of previousStorages()) {
    const to = createSessionStorage({ engine: new FakeEngine(), cookie });
    const moving = createReadThroughSessionStorage({ to, from });
    const cases = ["logout", "logout after a move", "login", "a dead one"];
    for (const how of cases) {
      const older = [await signIn(from, "bob"), await signIn(from, "bob")];
      let header = older.join("; ");
      if (how === "logout after a move") {
        const moved = await moving.getSession(header);
        const sent = cookieHeader(await moving.commitSession(moved));
        header = `${sent}; ${header}`;
      }
      if (how === "a dead one") {
        const newer = await signIn(to, "ann");
        await moving.destroySession(await moving.getSession(newer));
        header = `${newer}; ${header}`;
      }
      const session = await moving.getSession(header);
      let kept = "";
      if (how === "login") {
        session.regenerateId();
        session.set("user", "ann");
        kept = cookieHeader(await moving.commitSession(session));
      } else await moving.destroySession(session);
      for (const one of older) {
        assertEquals(await userOf(moving, one), undefined, rowName(how));
      }
      for (const sent of [[kept], [...older, kept]]) {
        if (!kept) continue;
        assertEquals(await userOf(moving, ...sent), "ann", rowName(how));
      }
    }
  }
});

/** Storages that set a cookie of another name, with records and without. */
function previousStorages(): SessionStorage[] {
  const older = { ...cookie, name: "sid" };
  return [
    createSessionStorage({ engine: new FakeEngine(), cookie: older }),
    createCookieSessionStorage({ cookie: older }),
  ];
}

/** A browser's cookies: each has a name, a domain and a path, and the longest path is sent first (RFC 6265). */
class Jar {
  readonly #cookies: Map<string, string> = new Map();

  header(): string {
    return [...this.#cookies].sort(([a], [b]) => b.length - a.length)
      .map(([, pair]) => pair).join("; ");
  }

  take(setCookie: string | null): void {
    if (!setCookie) return;
    const path = /; Path=([^;]*)/.exec(setCookie)?.[1] ?? "/";
    const pair = cookieHeader(setCookie);
    if (pair.endsWith("=")) this.#cookies.delete(path);
    else this.#cookies.set(path, pair);
  }
}

Deno.test("a visitor signs in, out and in again, when an older application's cookie is sent in front", async () => {
  for (const kept of [true, false]) {
    const clock = new Clock();
    const open = (path: string) =>
      createMemorySessionStorage({
        cookie: { ...cookie, path },
        now: clock.now,
      });
    const [before, after] = [open("/shop"), open("/")];
    const jar = new Jar();
    const session = await before.getSession();
    session.set("user", "old");
    jar.take(await before.commitSession(session));
    const handler = withSession(
      // Where it is kept, the older application's sessions are still live.
      kept
        ? createReadThroughSessionStorage({ to: after, from: before })
        : after,
      (request, session) => {
        const { pathname } = new URL(request.url);
        if (pathname === "/shop/login") {
          session.regenerateId();
          session.set("user", "ann");
        }
        if (pathname === "/shop/logout") session.destroy();
        return new Response(
          session.destroyed ? "" : String(session.get("user")),
        );
      },
    );
    const go = async (path: string): Promise<string> => {
      const response = await handler(
        new Request(`http://localhost/shop/${path}`, {
          headers: { cookie: jar.header() },
        }),
      );
      jar.take(response.headers.get("set-cookie"));
      return await response.text();
    };
    for (let login = 1; login <= 3; login++) {
      await go("login");
      assertEquals(await go(""), "ann", rowName(kept, login));
      await go("logout");
      assertEquals(await go(""), "undefined", rowName(kept, login));
    }
    for (let login = 1; login <= 3; login++) await go("login");
    assertEquals(await go(""), "ann", rowName(kept));
  }
});
