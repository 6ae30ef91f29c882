// A move from another library, and back: its own package, and this library beside it.
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createCookie as remixCookie } from "@remix-run/cookie";
import { createCookieSessionStorage as remixCookies } from "@remix-run/session/cookie-storage";
import { createCookieSessionStorage as reactRouterCookies } from "react-router";
import expressSession from "npm:express-session@^1.19.0";
import { decrypt, encrypt, MemoryStore } from "npm:hono-sessions@0.8.1";
import {
  expressCookie,
  expressSessions,
} from "../../examples/moving/express_session.ts";
import { tokenSessionCookie } from "../../examples/moving/hono_session.ts";
import {
  honoSealedCookie,
  honoSessions,
} from "../../examples/moving/hono_sessions.ts";
import { ironCookie } from "../../examples/moving/iron_session.ts";
import { createCookieSessionStorage, createSessionStorage } from "../../mod.ts";
import { stopTime } from "../guides/_clock.ts";
import {
  assertGoesBack,
  assertMoves,
  assertMovesBack,
  assertReadsNothingForged,
} from "./_moving_back.ts";
import { type OldApplication, oldApplications } from "./_old_applications.ts";

async function each(
  run: (application: OldApplication) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const applications = await oldApplications(dir);
  try {
    for (const application of applications) await run(application);
  } finally {
    for (const { close } of applications) await close?.();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("keepOld lets an old application and this library share sessions, both ways, when a move begins", async () => {
  await each(assertGoesBack);
});

Deno.test("createReadThroughSessionStorage() moves the sessions of every old application", async () => {
  await each(assertMoves);
});

Deno.test("createReadThroughSessionStorage() moves sessions back to an old application's store, when to and from change places", async () => {
  await each(async (old) => {
    // A cookie storage cannot be moved to.
    if (!old.inCookie) await assertMovesBack(old);
  });
});

Deno.test("the cookies of old applications open nothing that is forged", async () => {
  await each(assertReadsNothingForged);
});

Deno.test("expressSessions() keeps what express-session keeps beside a session, and its lifetime", async () => {
  using clock = stopTime();
  const store = new expressSession.MemoryStore();
  const attributes = { secure: true, maxAge: 3600 };
  const { getSession, commitSession } = createSessionStorage({
    cookie: expressCookie("connect.sid", ["secret"], attributes),
    ...expressSessions(store, attributes),
  });
  const session = await getSession();
  session.set("userId", "ann");
  session.flash("notice", "Saved");
  const setCookie = await commitSession(session);
  assertMatch(setCookie, /^connect\.sid=s%3A.*HttpOnly/);
  assertMatch(setCookie, /Max-Age=3600/);
  assertMatch(setCookie, /Secure/);
  const [cookie = ""] = setCookie.split(";");
  const record = () => JSON.parse(String(Object.values(store.sessions)[0]));
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const first = {
    ...{ path: "/", httpOnly: true, secure: true },
    ...{ originalMaxAge: 3_600_000, expires },
  };
  assertEquals(record(), {
    userId: "ann",
    // As the first Remix keeps it.
    "__flash__:notice": "Saved",
    cookie: first,
  });
  clock.pass(60);
  const again = await getSession(cookie);
  again.set("theme", "dark");
  await commitSession(again);
  const later = new Date(Date.now() + 3_600_000).toISOString();
  assertEquals(record().cookie, { ...first, expires: later });
});

Deno.test("honoSessions() and honoSealedCookie() bring a message along that was not shown yet", async () => {
  const record = {
    _data: { notice: { value: "Saved", flash: true } },
    _expire: null,
    _delete: false,
    _accessed: null,
  };
  const store = new MemoryStore();
  const functions = honoSessions(store);
  store.createSession("an-id", { ...record });
  assertEquals(await functions.readData("an-id"), {
    __flash_notice__: "Saved",
  });
  await functions.updateData("an-id", { __flash_notice__: "Lost" }, new Date());
  const { _data } = store.getSessionById("an-id") ?? record;
  assertEquals(_data, { notice: { value: "Lost", flash: true } });
  assertEquals(await functions.readData("an-id"), null, "it has expired");

  const key = "an old secret of thirty-two letters";
  const { getSession, commitSession } = createCookieSessionStorage({
    cookie: honoSealedCookie("session", { key }),
  });
  const seal = await encrypt(key, JSON.stringify(record));
  const session = await getSession(`session=${encodeURIComponent(seal)}`);
  assertEquals(session.get("notice"), "Saved");
  assertEquals(session.has("notice"), false);
  session.set("userId", "ann");
  const text = (await commitSession(session)).split(/[=;]/)[1] ?? "";
  const written = JSON.parse(
    String(await decrypt(key, decodeURIComponent(text))),
  );
  assertEquals(written._data, { userId: { value: "ann", flash: false } });
  assertEquals(written._expire, null, "the application has no lifetime");
});

Deno.test("oldCookie() writes no cookie that browsers drop", async () => {
  const password = "thirty-two characters, at least.";
  const { getSession, commitSession } = createCookieSessionStorage({
    cookie: ironCookie("sid", { password }),
  });
  const session = await getSession();
  session.set("text", "x".repeat(3_000));
  await assertRejects(
    () => commitSession(session),
    RangeError,
    'Cannot write cookie "sid": it is too large',
  );
});

Deno.test("format lets an application of React Router or Remix 3 read what accept has encrypted", async () => {
  const secrets = ["secret"];
  for (const format of ["react-router", "remix"] as const) {
    const cookie = { name: "__session", secrets };
    const after = createCookieSessionStorage({
      cookie: { ...cookie, accept: [format] },
    });
    const session = await after.getSession();
    session.set("userId", "ann");
    const encrypted = (await after.commitSession(session)).split(";")[0];
    assertMatch(encrypted ?? "", /^__session=e1/, format);

    const back = createCookieSessionStorage({ cookie: { ...cookie, format } });
    const read = await back.getSession(encrypted);
    assertEquals(read.get("userId"), "ann", format);
    // The visitor's next response brings the old format, although nothing has changed.
    const sent = (await back.commitSession(read)).split(";")[0] ?? "";
    const userId = format === "react-router"
      ? (await reactRouterCookies({ cookie }).getSession(sent)).get("userId")
      : (await remixCookies().read(
        await remixCookie("__session", { secrets }).parse(sent),
      )).get("userId");
    assertEquals(userId, "ann", format);
  }
});

Deno.test("sealed() carries a message that was not shown yet, in the cookie of a library that does not know it", async () => {
  const key = "an old secret of thirty-two letters";
  const cookies = [
    ironCookie("sid", { password: key }),
    honoSealedCookie("session", { key }),
    tokenSessionCookie({ secret: key }),
  ];
  for (const cookie of cookies) {
    const { name } = cookie;
    const { getSession, commitSession } = createCookieSessionStorage({
      cookie,
    });
    const session = await getSession();
    session.set("userId", "ann");
    session.flash("notice", "Saved");
    const sent = (await commitSession(session)).split(";")[0];
    const next = await getSession(sent);
    assertEquals(next.get("notice"), "Saved", name);
    const last = (await commitSession(next)).split(";")[0];
    assertEquals((await getSession(last)).data, { userId: "ann" }, name);
  }
});
