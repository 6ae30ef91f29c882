/**
 * Sessions in Deno KV.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, type OwnOptions } from "./sessions/bind.ts";
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
 * Keeps sessions in Deno KV, which removes expired sessions itself. Changes of parallel requests are merged. A session
 * takes at most about 64 KiB.
 *
 * @param options The database, the key prefix, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If `kv` is left out where `Deno.openKv` does not exist (without `--unstable-kv`, or on another
 * runtime), an option is unknown or malformed, or {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If a timeout or the cookie's `maxAge` is out of range.
 *
 * @example With a database in memory
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
  return engineStorage(options, OPTIONS, ({ now, patience }) => {
    const { kv, prefix = "session" } = options;
    return new DenoKvEngine(kv, prefix, now, patience);
  });
}

const OPTIONS: OwnOptions<DenoKvSessionStorageOptions> = {
  kv: true,
  prefix: true,
};
