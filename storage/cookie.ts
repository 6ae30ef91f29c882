/**
 * Sessions in the cookie itself.
 *
 * @module
 */
import { type Cookie, isCookie } from "../core/cookie.ts";
import type { SessionData } from "../core/session.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { checkStorageOptions, createStorage } from "./sessions/bind.ts";
import { CookieStorage } from "./sessions/cookie_storage.ts";
import { Policy } from "./sessions/policy.ts";

/**
 * Options of {@linkcode createCookieSessionStorage}. The cookie requires secrets and is encrypted unless `encrypt` is
 * `false`.
 */
export type CookieSessionStorageOptions<Data = SessionData> = StorageOptions<
  Data
>;

/**
 * Keeps each session in its cookie, encrypted, with its deadline.
 *
 * Nothing is stored on the server, so the server cannot revoke a session: a cookie that was copied before a logout
 * works until its deadline. Set short timeouts, or use another storage if a logout must take effect at once (OWASP ASVS
 * 5.0, 7.4.1). If a browser sends several cookies of the name, the first that is authentic and has not expired is used,
 * and a logout cannot end the others. A session takes at most about 2,900 bytes.
 *
 * @param options The cookie and the timeouts, or the cookie itself. Without a cookie, a middleware must bring it.
 * @returns The session storage.
 * @throws {TypeError} If the cookie does not have secrets, `owner` is given, an option is unknown or malformed, or
 * {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If a timeout or the cookie's `maxAge` is out of range.
 *
 * @example Save and read a session
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
  checkStorageOptions(given);
  const sessions = new CookieStorage<Data, FlashData>(new Policy(given));
  return createStorage(sessions, given.cookie);
}
