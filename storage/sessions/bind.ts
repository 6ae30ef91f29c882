/**
 * Binds storages to cookies, and says which cookies may carry which sessions.
 *
 * @module
 */
import {
  type Cookie,
  type CookieOptions,
  createCookie,
  isCookie,
  SatchelCookie,
} from "../../core/cookie.ts";
import { BoundStorage, type OlderCookie, type Parts } from "./bound_storage.ts";
import { CookieStorage } from "./cookie_storage.ts";
import { type Policy, policyOf } from "./policy.ts";
import type { RecordStore } from "./records.ts";
import { createRecordStorage } from "./record_storage.ts";
import type { HttpSessionStorage, SessionStorage } from "../contract.ts";

/** Options of a session's own cookie: those of any cookie, and its name. */
export interface SessionCookieOptions extends CookieOptions {
  /** The cookie's name. @default {"__session"} */
  name?: string | undefined;
}

/**
 * Binds a storage to a cookie.
 *
 * @throws {TypeError} If the cookie cannot carry the storage's sessions safely.
 */
export function bind<Data, FlashData>(
  storage: SessionStorage<Data, FlashData>,
  cookie: Cookie | SessionCookieOptions,
  policy?: Policy,
): HttpSessionStorage<Data, FlashData> {
  const selfContained = storage.guarantees?.selfContained ?? false;
  if (partsOf(storage)?.older) {
    throw new TypeError(
      "Cannot bind cookie: the storage reads two cookies already, its own and the older one; leave the cookie out",
    );
  }
  const own = sessionCookie(cookie, selfContained);
  if (selfContained && !own.isSigned) {
    throw new TypeError(
      `Cannot bind cookie "${own.name}": a cookie storage needs secrets, or visitors could write their own sessions`,
    );
  }
  // A storage that a middleware binds has a policy already, and with it somebody to tell of rejected cookies.
  policy ??= policyOf(storage);
  const placed =
    storage instanceof CookieStorage && own instanceof SatchelCookie
      ? storage.in(own) as CookieStorage<Data, FlashData>
      : storage;
  return new BoundStorage(placed, own, policy);
}

/** A storage for records, bound to the cookie if there is one: what every factory but the cookie storage's returns. */
export function recordStorage<Data, FlashData>(
  store: RecordStore,
  cookie: Cookie | SessionCookieOptions | undefined,
  policy: Policy,
): SessionStorage<Data, FlashData> {
  const storage = createRecordStorage<Data, FlashData>(store, policy);
  return cookie ? bind(storage, cookie, policy) : storage;
}

/** What a storage is made of; `undefined` where it is not bound, or another library's. */
export function partsOf<Data, FlashData>(
  storage: SessionStorage<Data, FlashData>,
): Parts<Data, FlashData> | undefined {
  return storage instanceof BoundStorage ? storage.parts() : undefined;
}

/**
 * Binds a storage to the cookie of another that is bound, and to an older cookie.
 *
 * @param older Where to look for sessions that the cookie does not lead to; left out, nowhere.
 */
export function bindLike<Data, FlashData>(
  { cookie }: Pick<Parts, "cookie">,
  storage: SessionStorage<Data, FlashData>,
  older: OlderCookie<Data, FlashData> | undefined,
): HttpSessionStorage<Data, FlashData> {
  return new BoundStorage(storage, cookie, policyOf(storage), older);
}

/** Whether a storage is bound to a cookie already. */
export function isBound<Data, FlashData>(
  storage: SessionStorage<Data, FlashData>,
): storage is HttpSessionStorage<Data, FlashData> {
  return "getSession" in storage && "commitSession" in storage;
}

/** A session's cookie is HttpOnly unless told otherwise, and sealed where it holds the session itself. */
function sessionCookie(
  cookie: Cookie | SessionCookieOptions,
  selfContained: boolean,
): Cookie {
  if (isCookie(cookie) && !(cookie instanceof SatchelCookie)) return cookie;
  if ("serialize" in cookie && !isCookie(cookie)) {
    // Remix 3's own: taken for options it would lose its secrets.
    throw new TypeError(
      "Cannot use cookie: it lacks name, isSigned or parse; create it with this library's createCookie",
    );
  }
  const { name = "__session", options } = cookie instanceof SatchelCookie
    ? cookie
    : { name: cookie.name, options: cookie };
  const { httpOnly = true, format = "satchel", secrets = [] } = options;
  const encrypt = options.encrypt ??
    (selfContained && format === "satchel" && secrets.length > 0);
  return createCookie(name, { ...options, httpOnly, encrypt });
}
