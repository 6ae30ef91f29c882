/**
 * Sessions in Deno KV: an embedded database on one machine, a replicated one on Deno Deploy.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type { OptionNames } from "../core/options.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, STORAGE_OPTIONS } from "./sessions/bind.ts";
import { DenoKvEngine, type KvLike } from "./engines/deno_kv.ts";

/** Options of {@linkcode createDenoKvSessionStorage}. */
export interface DenoKvSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /** The database. @default {Deno.openKv(), opened by the first request and closed by `close()`} */
  kv?: KvLike | Promise<KvLike> | undefined;
  /** The first part of each key. @default {"session"} */
  prefix?: string | undefined;
}

/**
 * Keeps sessions in Deno KV. Parallel requests are merged by its versionstamps, and it removes expired sessions itself.
 *
 * A session takes at most about 64 KiB.
 *
 * @param options Database, key prefix, cookie and timeouts.
 * @returns The storage, bound to the cookie if there is one.
 * @throws {TypeError} If no `kv` is given and there is none here: without `--unstable-kv`, or on another runtime; if
 * `prefix` is no string; if the cookie is refused, as by {@linkcode createCookie}; or if `now`, `owner` or `onEvent` is
 * no function.
 * @throws {RangeError} If a timeout is not positive and finite, `touchAfter` is negative or not shorter than
 * `idleTimeout`, or the cookie's `maxAge` is negative or not finite.
 *
 * @example A database in memory
 * ```ts
 * import { createDenoKvSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createDenoKvSessionStorage({ kv: Deno.openKv(":memory:") });
 * const session = await storage.read(null);
 * session.set("theme", "dark");
 * const value = await storage.save(session);
 *
 * assertEquals((await storage.read(value)).get("theme"), "dark");
 * await storage.close?.();
 * ```
 */
export function createDenoKvSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: DenoKvSessionStorageOptions<Data> = {},
): SessionStorage<Data, FlashData> {
  return engineStorage(options, OPTIONS, ({ now }) => {
    const { kv, prefix = "session" } = options;
    return new DenoKvEngine(kv, prefix, now);
  });
}

const OPTIONS: OptionNames<DenoKvSessionStorageOptions> = {
  ...STORAGE_OPTIONS,
  kv: true,
  prefix: true,
};
