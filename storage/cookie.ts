/**
 * Sessions in the cookie itself: nothing is stored on the server, and nothing there can revoke a session.
 *
 * @module
 */
import { type Cookie, isCookie } from "../core/cookie.ts";
import type { SessionData } from "../core/session.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import {
  checkStorageOptions,
  createStorage,
  STORAGE_OPTIONS,
} from "./sessions/bind.ts";
import { CookieStorage } from "./sessions/cookie_storage.ts";
import { Policy } from "./sessions/policy.ts";

/** Options of {@linkcode createCookieSessionStorage}. The cookie needs secrets, and is sealed unless `encrypt` is `false`. */
export type CookieSessionStorageOptions<Data = SessionData> = StorageOptions<
  Data
>;

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
  options: CookieSessionStorageOptions<Data> | Cookie = {},
): SessionStorage<Data, FlashData> {
  const given: CookieSessionStorageOptions<Data> = isCookie(options)
    ? { cookie: options }
    : options;
  checkStorageOptions(given, STORAGE_OPTIONS);
  const sessions = new CookieStorage<Data, FlashData>(new Policy(given));
  return createStorage(sessions, given.cookie);
}
