import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { createCookie as createRemixCookie } from "@remix-run/cookie";
import { createCookie as createReactRouterCookie } from "react-router";
import { assertSessionError, Clock, cookieHeader } from "../core/_support.ts";
import { type Cookie, createCookie } from "../../core/cookie.ts";
import type { SessionEvent, StorageOptions } from "../../storage/contract.ts";
import type { SessionCookieOptions } from "../../storage/contract.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { bind } from "../../storage/sessions/bind.ts";
import { rowName } from "../_row.ts";
import { FakeEngine } from "./_fake_engine.ts";

function setUp(
  cookie: Cookie | SessionCookieOptions = {},
  options: StorageOptions = {},
) {
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
  async function start(options = {}): Promise<string> {
    const session = await storage.getSession();
    session.set("a", 1);
    const setCookie = await storage.commitSession(session, options);
    engine.calls = [];
    events.length = 0;
    return setCookie;
  }
  return { engine, clock, events, storage, start };
}

Deno.test("getSession() does not call the engine, when the visitor does not have a session", async () => {
  const { engine, storage, events } = setUp({ secrets: ["s3cr3t"] });
  for (
    const header of [
      undefined,
      null,
      "",
      "other=1",
      "__session=",
      "__session=x",
      "__session=s1aa.x.y",
    ]
  ) {
    const session = await storage.getSession(header);
    assertEquals(session.size, 0, rowName(header));
    assertEquals(await storage.commitSession(session), "", rowName(header));
  }
  assertEquals(engine.calls, []);
  assertEquals(events, ["rejected-cookie", "rejected-cookie"]);
});

Deno.test("getSession() reads one id from the engine, when the cookie's name is repeated", async () => {
  const { engine, storage, start } = setUp({ secrets: ["s3cr3t"] });
  const one = cookieHeader(await start());
  const two = cookieHeader(await start());
  const session = await storage.getSession(`__session=forged; ${two}; ${one}`);
  assertEquals(engine.calls, ["read"]);
  assertEquals(session.get("a"), 1);
});

Deno.test("getSession() reads the session, when an attacker planted an empty cookie", async () => {
  const { storage, start } = setUp({ secrets: ["s3cr3t"] });
  const header = cookieHeader(await start());
  assertEquals((await storage.getSession(`__session=; ${header}`)).get("a"), 1);
});

Deno.test("commitSession() sends a session's cookie with safe defaults", async () => {
  assertMatch(
    await setUp().start(),
    /^__session=u1\.[\w-]+; HttpOnly; SameSite=Lax; Path=\/$/,
  );
  assertMatch(
    await setUp({
      name: "sid",
      secrets: ["s3cr3t"],
      httpOnly: false,
      sameSite: "strict",
      path: "/a",
      secure: true,
    }).start(),
    /^sid=s1..\.[\w-]+\.[\w-]{43}; Secure; SameSite=Strict; Path=\/a$/,
  );
  assertMatch(
    await setUp(createCookie("own", { secrets: ["s3cr3t"] })).start(),
    /^own=s1.*; HttpOnly/,
  );
  assertMatch(
    await setUp({ secrets: ["s3cr3t"], encrypt: true }).start(),
    /^__session=e1/,
  );
});

Deno.test("commitSession() sets one lifetime for cookie and record, the commit's before the cookie's, maxAge before expires", async () => {
  const inAMinute = new Date(1_700_000_060_000);
  const text = "Expires=Tue, 14 Nov 2023 22:14:20 GMT";
  const cases: [SessionCookieOptions, object, string | undefined, number][] = [
    [{}, {}, undefined, 14 * 86_400],
    [{ maxAge: 90 }, {}, "Max-Age=90", 90],
    [{ expires: inAMinute }, {}, text, 60],
    [{ maxAge: 90, expires: inAMinute }, {}, "Max-Age=90", 90],
    [{ maxAge: 90 }, { maxAge: 30 }, "Max-Age=30", 30],
    [{ maxAge: 90 }, { expires: inAMinute }, text, 60],
    [{ expires: inAMinute }, { maxAge: 30 }, "Max-Age=30", 30],
    [{ maxAge: 90 }, { maxAge: 30, expires: inAMinute }, "Max-Age=30", 30],
    [{ maxAge: 90 }, { maxAge: undefined }, "Max-Age=90", 90],
    [{}, { maxAge: 0.5 }, "Max-Age=1", 0.5],
  ];
  for (const [cookie, commit, attribute, seconds] of cases) {
    const { engine, clock, start } = setUp(cookie);
    const setCookie = await start(commit);
    const found = setCookie.split("; ").filter((part) =>
      /^(Max-Age|Expires)/.test(part)
    );
    assertEquals(found, attribute ? [attribute] : [], setCookie);
    assertEquals(
      engine.record.expires,
      clock.time + seconds * 1000,
      rowName(cookie),
    );
  }
});

Deno.test("commitSession() sets a lifetime that later saves keep (remember me)", async () => {
  const { engine, clock, storage, start } = setUp({ maxAge: 60 });
  const header = cookieHeader(await start({ maxAge: 3600 }));
  for (let visit = 0; visit < 3; visit++) {
    clock.pass(3000);
    const session = await storage.getSession(header);
    assertEquals(session.get("a"), 1, "still remembered");
    session.set("visit", visit);
    assertStringIncludes(
      await storage.commitSession(session),
      "Max-Age=3600",
      rowName(visit),
    );
    assertEquals(engine.record.expires, clock.time + 3_600_000, rowName(visit));
  }
  const session = await storage.getSession(header);
  session.regenerateId();
  assertStringIncludes(await storage.commitSession(session), "Max-Age=3600");
  session.set("b", 1);
  assertStringIncludes(
    await storage.commitSession(session, { maxAge: 60 }),
    "Max-Age=60",
  );
  clock.pass(60);
  assertEquals((await storage.getSession(header)).size, 0);
});

Deno.test("commitSession() sets a fixed deadline that later saves keep", async () => {
  const expires = new Date(1_700_000_100_000);
  const { clock, storage, start } = setUp({ maxAge: 60 });
  const header = cookieHeader(await start({ expires }));
  clock.pass(90);
  const session = await storage.getSession(header);
  session.set("b", 1);
  const setCookie = await storage.commitSession(session);
  assertStringIncludes(setCookie, "Expires=Tue, 14 Nov 2023 22:15:00 GMT");
  assertEquals(setCookie.includes("Max-Age"), false);
  clock.pass(10);
  assertEquals((await storage.getSession(header)).size, 0);
});

Deno.test("commitSession() destroys the session, when the given lifetime has already ended", async () => {
  for (const commit of [{ maxAge: 0 }, { expires: new Date(0) }]) {
    const { engine, storage, start, events } = setUp({ maxAge: 60 });
    const session = await storage.getSession(cookieHeader(await start()));
    const setCookie = await storage.commitSession(session, commit);
    assertMatch(
      setCookie,
      /^__session=; .*Expires=Thu, 01 Jan 1970/,
      rowName(commit),
    );
    assertEquals(setCookie.includes("Max-Age"), false, rowName(commit));
    assertEquals(engine.records.size, 0, rowName(commit));
    assertEquals(events, ["destroyed"], rowName(commit));
  }
});

Deno.test("commitSession() renews an existing session, unless renew is false", async () => {
  const { engine, clock, storage, start } = setUp({ maxAge: 60 });
  const header = cookieHeader(await start());
  clock.pass(30);
  const session = await storage.getSession(header);
  assertEquals(await storage.commitSession(session, { renew: false }), "");
  assertEquals(engine.calls, ["read"]);
  assertEquals(cookieHeader(await storage.commitSession(session)), header);
  assertEquals(engine.record.expires, clock.time + 60_000);
});

Deno.test("commitSession() uses the given attributes for one commit", async () => {
  const { storage, start } = setUp({ path: "/a" });
  const setCookie = await start({ path: "/b", secure: true });
  assertMatch(setCookie, /; Secure; .*Path=\/b$/);
  const session = await storage.getSession(cookieHeader(setCookie));
  assertMatch(await storage.commitSession(session), /Path=\/a$/);
});

Deno.test("commitSession() does not change the caller's options", async () => {
  const { storage } = setUp();
  const options = Object.freeze({ maxAge: 60, secure: true });
  const session = await storage.getSession();
  session.set("a", 1);
  await storage.commitSession(session, options);
  await storage.destroySession(session, options);
  assertEquals(options, { maxAge: 60, secure: true });
});

Deno.test("commitSession() rejects and stores nothing, when the lifetime is invalid", async () => {
  for (const maxAge of [-1, NaN, Infinity, "60"]) {
    const { engine, storage } = setUp();
    const session = await storage.getSession();
    session.set("a", 1);
    await assertRejects(
      () => storage.commitSession(session, { maxAge } as never),
      RangeError,
      "Cannot use maxAge: it must be a finite, non-negative number of seconds",
      rowName(maxAge),
    );
    assertEquals(engine.records.size, 0, rowName(maxAge));
    assertNotEquals(
      await storage.commitSession(session),
      "",
      "and can be saved",
    );
  }
});

Deno.test("commitSession() does not replace a good cookie, when the engine fails", async () => {
  const { engine, storage, start } = setUp();
  const header = cookieHeader(await start());
  const session = await storage.getSession(header);
  session.set("a", 2);
  engine.play("write", "fail");
  await assertSessionError(
    () => storage.commitSession(session),
    "store-failed",
  );
  engine.play("read", "fail");
  await assertSessionError(() => storage.getSession(header), "store-failed");
  assertEquals((await storage.getSession(header)).get("a"), 1);
});

Deno.test("commitSession() returns an empty header, when the session was destroyed in the meantime", async () => {
  const { storage, start } = setUp();
  const header = cookieHeader(await start());
  const late = await storage.getSession(header);
  late.set("a", 2);
  await storage.destroySession(await storage.getSession(header));
  assertEquals(await storage.commitSession(late), "");
  assertEquals((await storage.getSession(header)).size, 0);
});

Deno.test("destroySession() clears the cookie with the attributes it was set with", async () => {
  const cases: [SessionCookieOptions, object, RegExp][] = [
    [
      {},
      {},
      /^__session=; HttpOnly; SameSite=Lax; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT$/,
    ],
    [
      {
        maxAge: 60,
        secure: true,
        domain: "example.com",
        path: "/a",
        sameSite: "none",
        partitioned: true,
      },
      {},
      /^__session=; Secure; HttpOnly; Partitioned; Domain=example.com; SameSite=None; Path=\/a; Expires=Thu, 01 Jan 1970/,
    ],
    [{ expires: new Date(2e12) }, {}, /Expires=Thu, 01 Jan 1970 00:00:00 GMT$/],
    [
      { path: "/a" },
      { path: "/b", maxAge: 60 },
      /Path=\/b; Expires=Thu, 01 Jan 1970/,
    ],
  ];
  for (const [cookie, options, expected] of cases) {
    const { engine, storage, start } = setUp(cookie);
    const session = await storage.getSession(cookieHeader(await start()));
    const setCookie = await storage.destroySession(session, options);
    assertMatch(setCookie, expected, rowName(cookie));
    assertEquals(setCookie.includes("Max-Age"), false, rowName(cookie));
    assertEquals(engine.records.size, 0, rowName(cookie));
    assert(session.destroyed, rowName(cookie));
  }
});

Deno.test("commitSession() clears the cookie, when destroy() was called", async () => {
  const { engine, storage, start } = setUp();
  const session = await storage.getSession(cookieHeader(await start()));
  session.destroy();
  assertMatch(await storage.commitSession(session), /^__session=; .*1970/);
  assertEquals(engine.records.size, 0);
});

Deno.test("getSession(), commitSession() and destroySession() work without their object", async () => {
  const { getSession, commitSession, destroySession } = setUp().storage;
  const session = await getSession();
  session.set("a", 1);
  const header = cookieHeader(await commitSession(session));
  assertEquals((await getSession(header)).get("a"), 1);
  await destroySession(await getSession(header));
  assertEquals((await getSession(header)).size, 0);
});

Deno.test("storage.read() and save() work without the cookie and use its lifetime", async () => {
  const { engine, clock, storage } = setUp({ maxAge: 60 });
  const session = await storage.read(null);
  session.set("a", 1);
  const id = await storage.save(session);
  assertEquals(id, session.id);
  assertEquals(engine.record.expires, clock.time + 60_000);
  assertEquals((await storage.read(id)).get("a"), 1);
});

Deno.test("createSessionStorage() writes its id in the older formats too", async () => {
  for (const format of ["react-router", "remix"] as const) {
    const { storage, start } = setUp({ secrets: ["s3cr3t"], format });
    const header = cookieHeader(await start());
    assertEquals(
      (await storage.getSession(header)).get("a"),
      1,
      rowName(format),
    );
  }
});

Deno.test("createSessionStorage() works with a cookie of another library and uses its lifetime", async () => {
  const expires = new Date(1_700_000_060_000);
  const theirs = createReactRouterCookie("theirs", { secrets: ["s3cr3t"] });
  // Given to React Router itself, it prints a warning.
  const cookie = Object.create(theirs, { expires: { value: expires } });
  const { engine, storage, start } = setUp(cookie);
  const setCookie = await start();
  assertMatch(setCookie, /^theirs=/);
  assertEquals(engine.record.expires, expires.getTime());
  assertEquals((await storage.getSession(cookieHeader(setCookie))).get("a"), 1);
  const header = cookieHeader(await cookie.serialize({ not: "an id" }));
  assertEquals((await storage.getSession(header)).size, 0);
});

Deno.test("createSessionStorage() renews the lifetime of another library's cookie at each save", async () => {
  const clock = new Clock();
  const theirs = createReactRouterCookie("theirs", { secrets: ["s3cr3t"] });
  const cookie = Object.create(theirs, {
    expires: { get: () => new Date(clock.time + 60_000) },
  });
  const { engine, start } = setUp(cookie, { now: clock.now });
  for (const passed of [0, 60, 600]) {
    clock.pass(passed);
    assertMatch(await start(), /^theirs=\w/, rowName(passed));
    const newest = [...engine.records.values()].at(-1);
    assertEquals(newest?.expires, clock.time + 60_000, rowName(passed));
  }
});

Deno.test("createSessionStorage() throws for a cookie of another shape, whose secrets would be ignored", () => {
  for (
    const cookie of [
      createRemixCookie("theirs", { secrets: ["s3cr3t"] }),
      { name: "n", isSigned: true, serialize() {} },
    ]
  ) {
    assertThrows(
      () => setUp(cookie as SessionCookieOptions),
      TypeError,
      "create it with createCookie",
      rowName(cookie),
    );
  }
});

Deno.test("createSessionStorage() throws and says what to change, when its cookie's lifetime is one that no session can have", () => {
  const clock = new Clock();
  const cases: [SessionCookieOptions, string | undefined][] = [
    [
      { maxAge: 30 * 864e5 },
      'Cannot use cookie "__session": maxAge must be at most 34560000 seconds (400 days), received 2592000000; write it in seconds, not in milliseconds',
    ],
    [{ maxAge: 400 * 86_400 + 1 }, "received 34560001"],
    [{ maxAge: 400 * 86_400 }, undefined],
    [
      { expires: new Date(clock.time) },
      'Cannot use cookie "__session": expires must be in the future, or each commit would clear the cookie; use maxAge for a lifetime that begins at each commit',
    ],
    [{ expires: new Date(clock.time + 1) }, undefined],
    // maxAge takes precedence.
    [{ expires: new Date(0), maxAge: 60 }, undefined],
  ];
  for (const [cookie, message] of cases) {
    for (const own of [cookie, createCookie("__session", cookie)]) {
      const { storage } = setUp({}, { now: clock.now });
      const create: (() => unknown)[] = [
        () => setUp(own),
        () => bind(storage, createCookie("__session", cookie)),
      ];
      for (const run of create) {
        if (message === undefined) run();
        else assertThrows(run, RangeError, message, rowName(cookie));
      }
    }
  }
});

Deno.test("commitSession() signs an id again, only when the first secret has changed", async () => {
  const engine = new FakeEngine();
  const open = (secrets: string[]) =>
    createSessionStorage({ engine, cookie: { name: "s", secrets } });
  const old = open(["old"]);
  const first = await old.getSession();
  first.set("a", 1);
  const cookie = cookieHeader(await old.commitSession(first));

  const same = await old.getSession(cookie);
  same.set("a", 2);
  assertEquals(cookieHeader(await old.commitSession(same)), cookie);

  const rotating = open(["new", "old"]);
  const rotated = await rotating.getSession(cookie);
  rotated.set("a", 3);
  const rewritten = cookieHeader(await rotating.commitSession(rotated));
  assertNotEquals(rewritten, cookie);
  assertEquals((await open(["new"]).getSession(rewritten)).get("a"), 3);
});
