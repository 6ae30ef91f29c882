/**
 * Sessions in the process's memory.
 *
 * @module
 */
import { numberOrType } from "../core/options.ts";
import type { SessionData } from "../core/session.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, type OwnOptions } from "./sessions/bind.ts";
import type { RemixStorageOptions } from "./sessions/remix_options.ts";
import { MemoryEngine } from "./engines/memory.ts";

/** Options of {@linkcode createMemorySessionStorage}. */
export interface MemorySessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data>, RemixStorageOptions {
  /**
   * The most sessions to keep. Beyond it, an expired session is removed. If none has expired, a session is evicted: the
   * least recently used one, but sessions of strangers first. @default {100_000}
   */
  maxSessions?: number | undefined;
}

/**
 * Keeps sessions in memory, for tests, development and single processes. A restart loses them.
 *
 * Expired sessions are removed within a minute, even if no request arrives; in Workers, only while requests save
 * sessions. If the clock has jumped ahead, they are kept for up to an hour, because it may be set back. The timer does
 * not keep a process alive.
 *
 * When the storage is full, a session is removed that has expired. If none has, one is evicted, and `onEvent` receives
 * `evicted`: the least recently used one, where reading is use. Sessions of strangers are evicted before those in use,
 * so failed logins do not sign users out. With `owner`, strangers are those without an owner; otherwise, those who have
 * not come back with their cookie. At least a quarter of the storage is left to strangers.
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
        `Cannot create storage: maxSessions must be a positive integer, received ${
          numberOrType(maxSessions)
        }`,
      );
    }
    return new MemoryEngine(maxSessions, policy.now, (key) => {
      policy.report("evicted", { key });
    });
  });
}

const OPTIONS: OwnOptions<MemorySessionStorageOptions> = {
  maxSessions: true,
  useUnknownIds: true,
};
