/**
 * Sessions in this process's memory: for tests, development and single processes that may forget.
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
  /** How many sessions are kept; beyond, the one saved longest ago goes. @default {100_000} */
  maxSessions?: number | undefined;
}

/**
 * Keeps sessions in memory, up to a number; a restart forgets them.
 *
 * Expired records are freed once a minute by whatever request comes along. When the storage is full, the session saved
 * longest ago is dropped, and `onEvent` is told (`evicted`).
 *
 * @param options Cookie, bound and timeouts.
 * @returns The storage, bound to the cookie if there is one.
 * @throws {TypeError} If the cookie is refused, as by {@linkcode createCookie}; or if `now`, `owner` or `onEvent` is no
 * function.
 * @throws {RangeError} If `maxSessions` is not a positive integer, a timeout is not positive and finite, `touchAfter`
 * is negative or not shorter than `idleTimeout`, or the cookie's `maxAge` is negative or not finite.
 *
 * @example A session, until the process ends
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
