/**
 * Sessions in the cookie itself: no server-side storage, and no way to end one early.
 *
 * @module
 */
import { type Cookie, isCookie } from "../core/cookie.ts";
import type { SessionData } from "../core/session.ts";
import { CookieStorage } from "./sessions/cookie_storage.ts";
import { bind, type SessionCookieOptions } from "./sessions/bind.ts";
import { Policy } from "./sessions/policy.ts";
import type {
  HttpSessionStorage,
  SessionStorage,
  StorageOptions,
} from "./contract.ts";

/** Options of {@linkcode createCookieSessionStorage}. */
export interface CookieSessionStorageOptions extends StorageOptions {
  /** The cookie, or options for one. It needs secrets, and is sealed unless `encrypt` is `false`. */
  cookie: Cookie | SessionCookieOptions;
}

/**
 * Keeps each session in its cookie, sealed, with its own deadline.
 *
 * Nothing is stored on the server, and so nothing there can end a session: a cookie that was copied before a logout
 * works until its deadline. Keep that near, with `maxAge`, `idleTimeout` and `absoluteTimeout`, or use another storage
 * where a logout has to hold at once (OWASP ASVS 5.0, 7.4.1). A session takes at most about 3,000 bytes.
 *
 * @param options The cookie and the timeouts; or the cookie itself; or nothing, for a storage that a middleware binds.
 * @returns The storage.
 * @throws {TypeError} If the cookie has no secrets, or its options stand outside of `cookie`; if there is an `owner`,
 * whose sessions nobody could list; if the cookie is refused, as by {@linkcode createCookie}; or if `now`, `owner` or
 * `onEvent` is no function.
 * @throws {RangeError} If a timeout is not positive and finite, `touchAfter` is negative or not shorter than
 * `idleTimeout`, or the cookie's `maxAge` is negative or not finite.
 *
 * @example A session that travels in its cookie
 * ```ts
 * import { createCookieSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const { getSession, commitSession } = createCookieSessionStorage({
 *   cookie: { name: "__session", secrets: ["s3cr3t"], maxAge: 3600 },
 * });
 * const session = await getSession(null);
 * session.set("theme", "dark");
 * const setCookie = await commitSession(session);
 *
 * const next = await getSession(setCookie.split(";")[0]);
 * assertEquals(next.get("theme"), "dark");
 * ```
 */
export function createCookieSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: CookieSessionStorageOptions | Cookie,
): HttpSessionStorage<Data, FlashData>;
/** The same without a cookie: `withSession(cookie, storage, …)` or another middleware brings it. */
export function createCookieSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options?: StorageOptions & { cookie?: undefined },
): SessionStorage<Data, FlashData>;
export function createCookieSessionStorage<Data, FlashData>(
  options:
    | StorageOptions & { cookie?: Cookie | SessionCookieOptions | undefined }
    | Cookie = {},
): SessionStorage<Data, FlashData> {
  const { cookie, ...rest } = isCookie(options)
    ? { cookie: options }
    : checkOptions(options);
  const policy = new Policy(rest);
  const storage = new CookieStorage<Data, FlashData>(policy);
  return cookie ? bind(storage, cookie, policy) : storage;
}

const OF_COOKIE: Record<keyof SessionCookieOptions, true> = {
  accept: true,
  domain: true,
  encrypt: true,
  expires: true,
  format: true,
  httpOnly: true,
  maxAge: true,
  name: true,
  partitioned: true,
  path: true,
  priority: true,
  sameSite: true,
  secrets: true,
  secure: true,
};

/**
 * Refuses what would be taken for options without a cookie, and so would make a storage that lacks one in silence.
 *
 * @throws {TypeError} If it is no options object, or looks like a cookie, or has options that are a cookie's.
 */
function checkOptions<Options extends object>(options: Options): Options {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      "Cannot create storage: its argument must be options or a cookie",
    );
  }
  if ("parse" in options || "serialize" in options) {
    throw new TypeError(
      "Cannot use cookie: it lacks name, isSigned, parse or serialize; create it with this library's createCookie",
    );
  }
  const given = options as Record<string, unknown>;
  const stray = Object.keys(OF_COOKIE).find((name) =>
    given[name] !== undefined
  );
  if (stray !== undefined) {
    throw new TypeError(
      `Cannot create storage: ${stray} is the cookie's; write { cookie: { ${stray}: … } }`,
    );
  }
  return options;
}
