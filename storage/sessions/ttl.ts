/**
 * The option `ttl`: a storage's own default lifetime.
 *
 * @module
 */
import type { Cookie } from "../../core/cookie.ts";
import { checkSeconds } from "../../core/lifetime.ts";
import { recordStorage, type SessionCookieOptions } from "./bind.ts";
import type { Policy } from "./policy.ts";
import type { RecordStore } from "./records.ts";
import type { SessionStorage } from "../contract.ts";

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
  if (ttl !== undefined) {
    if (checkSeconds("ttl", ttl) === 0) {
      throw new RangeError("Cannot use ttl: it must be more than 0 seconds");
    }
    policy.fallback = { maxAge: ttl };
  }
  return recordStorage(store, cookie, policy);
}
