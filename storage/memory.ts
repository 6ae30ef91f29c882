/**
 * Sessions in the process's memory.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type { OptionNames } from "../core/options.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, STORAGE_OPTIONS } from "./sessions/bind.ts";
import { MemoryEngine } from "./engines/memory.ts";

/** Options of {@linkcode createMemorySessionStorage}. */
export interface MemorySessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /** The most sessions to keep. Beyond it, the least recently saved session is evicted. @default {100_000} */
  maxSessions?: number | undefined;
}

/**
 * Keeps sessions in memory, for tests, development and single processes. A restart loses them.
 *
 * Expired sessions are removed once a minute while requests arrive. When the storage is full, the least recently saved
 * session is evicted, and `onEvent` receives `evicted`.
 *
 * @param options The limit, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If an option is unknown or malformed, or {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If `maxSessions` is not a positive integer, or a timeout or the cookie's `maxAge` is out of
 * range.
 *
 * @example Save and read a session
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage({ idleTimeout: 1800 });
 * const session = await storage.read(null);
 * session.set("theme", "dark");
 * const value = await storage.save(session);
 *
 * assertEquals((await storage.read(value)).get("theme"), "dark");
 * ```
 */
export function createMemorySessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: MemorySessionStorageOptions<Data> = {},
): SessionStorage<Data, FlashData> {
  return engineStorage(options, OPTIONS, (policy) => {
    const { maxSessions = 100_000 } = options;
    if (!Number.isInteger(maxSessions) || maxSessions < 1) {
      throw new RangeError(
        `Cannot create storage: maxSessions must be a positive integer, received ${maxSessions}`,
      );
    }
    return new MemoryEngine(maxSessions, policy.now, () => {
      policy.report("evicted");
    });
  });
}

const OPTIONS: OptionNames<MemorySessionStorageOptions> = {
  ...STORAGE_OPTIONS,
  maxSessions: true,
};
