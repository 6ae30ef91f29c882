/**
 * What the compiler must accept and must refuse. The types are the test: `deno check` fails where an expected error does
 * not come.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  type Cookie,
  type CookieOptions,
  createCookie,
  createCookieSessionStorage,
  createMemorySessionStorage,
  createSession,
  createSessionStorage,
  type Engine,
  type FlashSessionData,
  isSession,
  type Session,
  SessionError,
  type SessionErrorCode,
  type SessionStorage,
  type SessionValues,
  withSession,
} from "../mod.ts";
import { rowName } from "./_row.ts";

interface Data {
  userId: string;
  cart: { sku: string }[];
  theme?: "light" | "dark";
}
interface Flash {
  notice: string;
  count: number;
}

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends
  (<T>() => T extends B ? 1 : 2) ? true : false;

/** Compiles only where both types are the same. */
function expectType<A>(): <B>(_value: B, same: Same<A, B>) => void {
  return () => {};
}

const cookie = { secrets: ["s3cr3t"] };

Deno.test("session.get() gives the type of its key, and undefined", () => {
  const session = createSession<Data, Flash>({ userId: "7" });
  expectType<string | undefined>()(session.get("userId"), true);
  expectType<{ sku: string }[] | undefined>()(session.get("cart"), true);
  expectType<"light" | "dark" | undefined>()(session.get("theme"), true);
  expectType<string | undefined>()(session.get("notice"), true);
  expectType<number | undefined>()(session.get("count"), true);
  expectType<Readonly<FlashSessionData<Data, Flash>>>()(session.data, true);
  // @ts-expect-error misspelt
  session.get("userID");
  // @ts-expect-error misspelt
  session.has("userID");
  // @ts-expect-error misspelt
  session.unset("userID");
  assertEquals(session.get("userId"), "7");
});

Deno.test("session.get() gives no undefined, with a fallback", () => {
  const session = createSession<Data, Flash & { hint?: string }>();
  expectType<"light" | "dark">()(session.get("theme", "dark" as const), true);
  expectType<string | null>()(session.get("userId", null), true);
  expectType<string>()(session.get("hint", ""), true);
  // deno-lint-ignore no-explicit-any -- an untyped session gives it
  expectType<any>()(createSession().get("theme", "dark"), true);
  assertEquals(session.get("theme", "dark"), "dark");
});

Deno.test("session.set() takes the value's type and undefined, under the keys of values", () => {
  const session = createSession<Data, Flash>();
  session.set("userId", "7");
  session.set("theme", "dark");
  session.set("theme", undefined);
  session.unset("cart");
  session.unset("notice");
  // @ts-expect-error misspelt
  session.set("userID", "7");
  // @ts-expect-error a wrong type
  session.set("userId", 7);
  // @ts-expect-error no member of the union
  session.set("theme", "blue");
  // @ts-expect-error a flash's key
  session.set("notice", "hi");
  assertEquals(session.has("cart"), false);
});

Deno.test("session.flash() takes the flash's type, under the keys of flashes", () => {
  const session = createSession<Data, Flash>();
  session.flash("notice", "hi");
  session.flash("count", 1);
  // @ts-expect-error misspelt
  session.flash("notices", "hi");
  // @ts-expect-error a wrong type
  session.flash("count", "1");
  // @ts-expect-error a value's key
  session.flash("userId", "7");
  assertEquals(session.get("notice"), "hi");
});

Deno.test("session.id and its like cannot be assigned", () => {
  const session = createSession<Data>({ userId: "7" });
  const assign = () => {
    // @ts-expect-error read-only
    session.id = "a";
    // @ts-expect-error read-only
    session.data = {};
    // @ts-expect-error read-only
    session.data.userId = "8";
    // @ts-expect-error read-only
    session.dirty = false;
    // @ts-expect-error nothing of Express
    session.save();
    // @ts-expect-error an object, no boolean
    session.regenerateId(true);
  };
  assertEquals(typeof assign, "function");
  session.regenerateId({ keepOld: true });
});

Deno.test("createSession() without types is as loose as in every predecessor", () => {
  const session = createSession();
  session.set("anything", { a: 1 });
  session.flash("else", 1);
  // deno-lint-ignore no-explicit-any -- the default is any, and that is the point
  expectType<any>()(session.get("anything"), true);
  const a: number = session.get("anything").a;
  assertEquals(a, 1);
  const unknown: unknown = session;
  if (isSession(unknown)) unknown.get("anything");
});

Deno.test("a factory returns the same shape with a cookie and without", () => {
  const bound = createMemorySessionStorage<Data, Flash>({ cookie });
  expectType<SessionStorage<Data, Flash>>()(bound, true);
  const unbound = createMemorySessionStorage<Data, Flash>({ maxSessions: 5 });
  expectType<SessionStorage<Data, Flash>>()(unbound, true);
  expectType<SessionStorage<Data, Flash>>()(
    createMemorySessionStorage<Data, Flash>(),
    true,
  );
  expectType<SessionStorage<Data, Flash>>()(
    createCookieSessionStorage<Data, Flash>({ cookie }),
    true,
  );
  expectType<SessionStorage<Data, Flash>>()(
    createCookieSessionStorage<Data, Flash>(createCookie("n", cookie)),
    true,
  );
  expectType<SessionStorage<Data, Flash>>()(
    createCookieSessionStorage<Data, Flash>(),
    true,
  );
  assertEquals(typeof unbound.getSession, "function");
  assertEquals(typeof bound.getSession, "function");
});

Deno.test("createSessionStorage() types its four functions by the session", () => {
  const storage = createSessionStorage<Data, Flash>({
    cookie,
    async createData(data, expires) {
      expectType<string | undefined>()(data.userId, true);
      expectType<string | undefined>()(data.__flash_notice__, true);
      expectType<Date>()(expires, true);
      return "1";
    },
    readData: async () => ({ userId: "7", __flash_notice__: "hi" }),
    async updateData() {},
    async deleteData() {},
  });
  expectType<SessionStorage<Data, Flash>>()(storage, true);
  const four = {
    createData: async () => "1",
    readData: async () => null,
    updateData: async () => {},
    deleteData: async () => {},
  };
  const attempts = () => {
    createSessionStorage<Data, Flash>({ ...four });
    // @ts-expect-error readData is missing
    createSessionStorage<Data, Flash>({ cookie, ...four, readData: undefined });
    const readData = async () => ({ userId: 7 });
    // @ts-expect-error a wrong type
    createSessionStorage<Data, Flash>({ cookie, ...four, readData });
  };
  assertEquals(typeof attempts, "function");
});

Deno.test("withSession() hands the storage's types to the handler", async () => {
  const storage = createMemorySessionStorage<Data, Flash>({ cookie });
  const handler = withSession(storage, (request, session) => {
    expectType<Request>()(request, true);
    expectType<Session<Data, Flash>>()(session, true);
    // @ts-expect-error misspelt
    session.get("userID");
    return new Response(session.get("userId"));
  });
  const served: Deno.ServeHandler = handler;
  const exported = { fetch: handler } satisfies Deno.ServeDefaultExport;
  const own = withSession(
    createCookie("n"),
    createMemorySessionStorage<Data>(),
    async (_request, session) => new Response(session.get("userId")),
  );
  const attempts = () => {
    withSession(createMemorySessionStorage(), () => new Response());
    // @ts-expect-error no Response
    withSession(storage, () => "text");
  };
  for (const each of [exported.fetch, own]) {
    assertEquals(
      (await each(new Request("http://a/"))).status,
      200,
      rowName(each),
    );
  }
  assertEquals([typeof served, typeof attempts], ["function", "function"]);
});

Deno.test("createCookie() takes what is an option, and nothing else", () => {
  const options: CookieOptions = {
    domain: "example.com",
    expires: new Date(1e12),
    httpOnly: true,
    maxAge: 60,
    path: "/",
    sameSite: "Lax",
    secure: true,
    partitioned: false,
    priority: "high",
    secrets: ["s3cr3t"],
  };
  expectType<Cookie>()(createCookie("n", options), true);
  const attempts = () => {
    // @ts-expect-error misspelt
    createCookie("n", { maxage: 60 });
    // @ts-expect-error no such value
    createCookie("n", { sameSite: "loose" });
    // @ts-expect-error a list
    createCookie("n", { secrets: "s3cr3t" });
    // @ts-expect-error the name comes first
    createCookie({ name: "n" });
  };
  assertEquals(typeof attempts, "function");
});

Deno.test("SessionError tells its cases apart by type", () => {
  const codes: Record<SessionErrorCode, true> = {
    destroyed: true,
    "late-change": true,
    unserializable: true,
    "too-large": true,
    conflict: true,
    "store-failed": true,
    "cross-origin": true,
  };
  const error = new SessionError("conflict", "message");
  expectType<SessionErrorCode>()(error.code, true);
  // @ts-expect-error no such code
  assertEquals(error.code === "timeout", false);
  assertEquals(codes[error.code], true);
});

Deno.test("the documented calls of React Router and Remix 1 and 2 compile and work", async () => {
  type SessionData = { userId: string };
  type SessionFlashData = { error: string };
  const { getSession, commitSession, destroySession } =
    createCookieSessionStorage<SessionData, SessionFlashData>({
      cookie: {
        name: "__session",
        httpOnly: true,
        maxAge: 60,
        path: "/",
        sameSite: "lax",
        secrets: ["quill and ink"],
        secure: true,
      },
    });
  const request = new Request("http://localhost/");
  const session = await getSession(request.headers.get("Cookie"));
  if (session.has("userId")) throw new Error("unexpected");
  session.flash("error", "No such reader");
  session.set("userId", "7");
  const response = new Response(null, {
    headers: { "Set-Cookie": await commitSession(session) },
  });
  const header = response.headers.getSetCookie()[0]?.split(";")[0];
  const next = await getSession(header);
  assertEquals(next.get("userId"), "7");
  assertEquals({ error: next.get("error") }, {
    error: "No such reader",
  });
  assertEquals(next.get("error"), undefined);
  await commitSession(next, { maxAge: 60 });
  await commitSession(next, { expires: new Date(Date.now() + 60_000) });
  assertEquals((await destroySession(next)).includes("1970"), true);

  const prefs = createCookie("user-prefs", { maxAge: 604_800 });
  const value = (await prefs.parse(null)) || {};
  await prefs.serialize({ ...value, showBanner: false });
});

Deno.test("sweep() of a third party may return nothing, and storage.sweep() returns a count or undefined", async () => {
  const sweep = async () => {};
  const engine: Pick<Engine, "sweep"> = { sweep };
  const values: Pick<SessionValues, "sweep"> = { sweep };
  assertEquals(await engine.sweep?.(0), await values.sweep?.());
  const removed = await createMemorySessionStorage().sweep?.();
  expectType<number | undefined>()(removed, true);
  assertEquals(removed, 0);
});

Deno.test("the documented calls of Remix 3 compile and work", async () => {
  const sessionCookie = createCookie("__session", {
    secrets: ["s3cr3t"],
    httpOnly: true,
    secure: true,
    sameSite: "Lax",
  });
  const storage = createCookieSessionStorage();
  const session = await storage.read(await sessionCookie.parse(null) as string);
  session.set("count", Number(session.get("count") ?? 0) + 1);
  session.flash("message", "hi");
  session.regenerateId();
  const value = await storage.save(session);
  if (value !== null) await sessionCookie.serialize(value);
  assertEquals((await storage.read(value)).get("count"), 1);
  session.destroy();
  assertEquals(await storage.save(session), "");
});
