/**
 * Sessions in this process's memory: for tests, development and single processes that may forget.
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { SessionData } from "../core/session.ts";
import { engineRecords } from "./sessions/engine_records.ts";
import { recordStorage, type SessionCookieOptions } from "./sessions/bind.ts";
import { Policy } from "./sessions/policy.ts";
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  HttpSessionStorage,
  OwnerIndex,
  SessionStorage,
  StorageGuarantees,
  StorageOptions,
  WriteOptions,
} from "./contract.ts";

/** Options of {@linkcode createMemorySessionStorage}. */
export interface MemorySessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /** How many sessions are kept; beyond, the one saved longest ago goes. @default {100_000} */
  maxSessions?: number | undefined;
}

const SWEEP_EVERY = 60_000;
/** A storage full of live sessions must not look through all of them on every write. */
const SWEEP_WHEN_FULL_EVERY = 1_000;

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
  options: MemorySessionStorageOptions<Data> & {
    cookie: Cookie | SessionCookieOptions;
  },
): HttpSessionStorage<Data, FlashData> & OwnerIndex<Data>;
/** The same without a cookie: a middleware brings it. */
export function createMemorySessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options?: MemorySessionStorageOptions<Data> & { cookie?: undefined },
): SessionStorage<Data, FlashData> & OwnerIndex<Data>;
export function createMemorySessionStorage<Data, FlashData>(
  options: MemorySessionStorageOptions<Data> & {
    cookie?: Cookie | SessionCookieOptions | undefined;
  } = {},
): SessionStorage<Data, FlashData> {
  const { maxSessions = 100_000, cookie } = options;
  if (!Number.isInteger(maxSessions) || maxSessions < 1) {
    throw new RangeError(
      `Cannot create storage: maxSessions must be a positive integer, received ${maxSessions}`,
    );
  }
  const policy = new Policy(options);
  const engine = new MemoryEngine(maxSessions, policy.now, () => {
    policy.tell("evicted");
  });
  return recordStorage(engineRecords(engine), cookie, policy);
}

/** The engine behind {@linkcode createMemorySessionStorage}. */
export class MemoryEngine implements Engine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: false,
    shared: false,
    selfContained: false,
    evicts: "oldest",
  };
  // A Map keeps the order of insertion, and a write inserts anew: the first entry is the one saved longest ago.
  readonly #records = new Map<string, EngineRecord>();
  readonly #max: number;
  readonly #now: () => number;
  readonly #onEvict: () => void;
  #sweptAt = -Infinity;
  #writes = 0;

  constructor(max: number, now: () => number, onEvict: () => void) {
    this.#max = max;
    this.#now = now;
    this.#onEvict = onEvict;
  }

  async read(key: string): Promise<EngineRecord | null> {
    return this.#records.get(key) ?? null;
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    if (!this.#holds(key, ifVersion)) return null;
    const version = ++this.#writes;
    this.#records.delete(key);
    this.#records.set(key, { value, version, expires });
    await this.#makeRoom();
    return version;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    if (!this.#holds(key, ifVersion)) return false;
    this.#records.delete(key);
    return true;
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const record = this.#records.get(key);
    if (!record || !this.#holds(key, ifVersion)) return false;
    this.#records.set(key, { ...record, expires });
    return true;
  }

  async sweep(now: number): Promise<void> {
    this.#sweptAt = now;
    for (const [key, { expires }] of this.#records) {
      if (!(expires > now)) this.#records.delete(key);
    }
  }

  #holds(key: string, ifVersion: unknown): boolean {
    return ifVersion === undefined ||
      ifVersion === (this.#records.get(key)?.version ?? null);
  }

  async #makeRoom(): Promise<void> {
    const now = this.#now();
    const full = this.#records.size > this.#max;
    // A clock that was set back must not put the next sweep off.
    if (
      Math.abs(now - this.#sweptAt) >=
        (full ? SWEEP_WHEN_FULL_EVERY : SWEEP_EVERY)
    ) await this.sweep(now);
    if (this.#records.size <= this.#max) return;
    const oldest = this.#records.keys().next();
    if (!oldest.done) this.#records.delete(oldest.value);
    this.#onEvict();
  }
}
