/**
 * The option `ttl`: a storage's own default lifetime.
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import { checkSeconds, lifetimeOf } from "../core/lifetime.ts";
import { bind, recordStorage, type SessionCookieOptions } from "./_http.ts";
import type { Policy } from "./_policy.ts";
import type { RecordStore } from "./_records.ts";
import type { SessionStorage } from "./contract.ts";

/**
 * A storage as by {@linkcode recordStorage} in which a session lasts for `ttl` seconds from its last save where neither
 * a commit nor the cookie says how long.
 *
 * @throws {RangeError} If `ttl` is not positive and finite.
 */
export function recordStorageWithTtl<Data, FlashData>(
  store: RecordStore,
  cookie: Cookie | SessionCookieOptions | undefined,
  policy: Policy,
  ttl: number | undefined,
): SessionStorage<Data, FlashData> {
  if (ttl === undefined) return recordStorage(store, cookie, policy);
  if (checkSeconds("ttl", ttl) === 0) {
    throw new RangeError("Cannot use ttl: it must be more than 0 seconds");
  }
  const storage = recordStorage<Data, FlashData>(store, undefined, policy);
  const save = storage.save.bind(storage);
  storage.save = (session, options) =>
    lifetimeOf(options?.fallback) === null
      ? save(session, { ...options, fallback: { maxAge: ttl } })
      : save(session, options);
  return cookie ? bind(storage, cookie, policy) : storage;
}
