/**
 * Sessions in Cloudflare Workers KV: read everywhere, and eventually the same everywhere.
 *
 * @module
 */
import { toBase64Url, utf8Length } from "../core/bytes.ts";
import { delay, randomBytes } from "../core/runtime.ts";
import type { Cookie } from "../core/cookie.ts";
import { isObject } from "../core/record.ts";
import type { SessionData } from "../core/session.ts";
import { engineRecords } from "./sessions/engine_records.ts";
import { recordStorage, type SessionCookieOptions } from "./sessions/bind.ts";
import { Policy } from "./sessions/policy.ts";
import type {
  Engine,
  EngineRecord,
  HttpSessionStorage,
  SessionStorage,
  StorageGuarantees,
  StorageOptions,
  WriteOptions,
} from "./contract.ts";

/** The part of a `KVNamespace` that sessions need. */
export interface KVNamespaceLike {
  /** Reads a value and what was stored beside it. */
  getWithMetadata(
    key: string,
  ): Promise<{ value: string | null; metadata: unknown }>;
  /** Writes both, for so many seconds. */
  put(
    key: string,
    value: string,
    options: {
      expirationTtl: number;
      metadata: { expires: number; version: string };
    },
  ): Promise<void>;
  /** Deletes a value. */
  delete(key: string): Promise<void>;
}

/** Options of {@linkcode createCloudflareKVSessionStorage}. */
export interface CloudflareKVSessionStorageOptions extends StorageOptions {
  /** The KV namespace: the binding, `env.SESSIONS` or whatever it is called in the Worker's configuration. */
  kv: KVNamespaceLike;
  /** What each key begins with. @default {"session:"} */
  prefix?: string | undefined;
  /** Not to be had here: it would have to write on reads, over records that may have changed elsewhere meanwhile. */
  idleTimeout?: undefined;
}

/**
 * Keeps sessions in Cloudflare Workers KV, which removes expired ones itself.
 *
 * KV is made for what is read far more often than it is written, and that is what sessions kept in it should be:
 *
 * - **Reads lag.** Other locations see a change after a minute or more. So does a logout: until then its cookie works
 *   there (`revoke: false`). Where a logout must hold at once, use another storage.
 * - **Parallel requests** that change one session within a moment of each other may lose each other's changes: there is
 *   no compare-and-set. A record is read again before it is written, which makes the moment short.
 * - **One write a second for each key.** A write that KV refuses as too early (429) is tried again a second later, twice
 *   at the most; then the save fails (`store-failed`), and no cookie is sent. Nothing is dropped in silence.
 * - **60 seconds at least.** KV keeps no record for less. A session that ends earlier does: its deadline stands beside
 *   the record, to the millisecond, and is checked on every read.
 * - No `idleTimeout`, no list of a user's sessions. Give the cookie a `maxAge`, which each save starts anew, or an
 *   `absoluteTimeout`.
 *
 * A session takes at most 25 MiB. A request that reads costs one read, one that changes two reads and a write.
 *
 * @param options Namespace, key prefix, cookie and absolute timeout.
 * @returns The storage, bound to the cookie if there is one.
 * @throws {TypeError} If `kv` is no KV namespace, or `prefix` none that KV takes; if there is an `idleTimeout` or an
 * `owner`; if the cookie is refused, as by {@linkcode createCookie}; or if `now`, `owner` or `onEvent` is no function.
 * @throws {RangeError} If a timeout is not positive and finite, or `touchAfter` or the cookie's `maxAge` is negative or
 * not finite.
 *
 * @example A Worker that counts visits
 * ```ts
 * import {
 *   createCloudflareKVSessionStorage,
 *   type KVNamespaceLike,
 *   withSession,
 * } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * function fetch(
 *   request: Request,
 *   env: { SESSIONS: KVNamespaceLike },
 * ): Promise<Response> {
 *   const storage = createCloudflareKVSessionStorage({
 *     kv: env.SESSIONS,
 *     cookie: { name: "__session", secrets: ["s3cr3t"], maxAge: 3600 },
 *   });
 *   return withSession(storage, (_request, session) => {
 *     session.set("visits", (session.get("visits") ?? 0) + 1);
 *     return new Response(`Visit ${session.get("visits")}`);
 *   })(request);
 * }
 *
 * // In a Worker: export default { fetch }, and SESSIONS is the binding. This one keeps entries in a Map.
 * const entries = new Map<string, { value: string; metadata: unknown }>();
 * const SESSIONS: KVNamespaceLike = {
 *   async getWithMetadata(key) {
 *     return entries.get(key) ?? { value: null, metadata: null };
 *   },
 *   async put(key, value, { metadata }) {
 *     entries.set(key, { value, metadata });
 *   },
 *   async delete(key) {
 *     entries.delete(key);
 *   },
 * };
 *
 * const first = await fetch(new Request("http://localhost/"), { SESSIONS });
 * const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
 * const again = new Request("http://localhost/", { headers: { cookie } });
 * const second = await fetch(again, { SESSIONS });
 * assertEquals(await second.text(), "Visit 2");
 * ```
 */
export function createCloudflareKVSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: CloudflareKVSessionStorageOptions & {
    cookie: Cookie | SessionCookieOptions;
  },
): HttpSessionStorage<Data, FlashData>;
/** The same without a cookie: a middleware brings it. */
export function createCloudflareKVSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: CloudflareKVSessionStorageOptions & { cookie?: undefined },
): SessionStorage<Data, FlashData>;
export function createCloudflareKVSessionStorage<Data, FlashData>(
  options: CloudflareKVSessionStorageOptions & {
    cookie?: Cookie | SessionCookieOptions | undefined;
  },
): SessionStorage<Data, FlashData> {
  const { kv, prefix = "session:", cookie } = options;
  if (options.idleTimeout !== undefined) {
    throw new TypeError(
      "Cannot create storage: Workers KV cannot keep an idleTimeout, because reads there may be stale and must not write; use absoluteTimeout, or a maxAge, which each save starts anew",
    );
  }
  const policy = new Policy(options);
  const engine = new CloudflareKVEngine(kv, prefix, policy.now);
  return recordStorage(engineRecords(engine), cookie, policy);
}

/**
 * {@linkcode createCloudflareKVSessionStorage} under the name that Remix gave it for Workers.
 *
 * @example With the binding, here of a namespace that is empty
 * ```ts
 * import { createWorkersKVSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * // In a Worker: env.SESSIONS, or whatever the binding is called.
 * const kv = {
 *   getWithMetadata: () => Promise.resolve({ value: null, metadata: null }),
 *   put: () => Promise.resolve(),
 *   delete: () => Promise.resolve(),
 * };
 * const storage = createWorkersKVSessionStorage({ kv });
 *
 * assertEquals((await storage.read(null)).size, 0);
 * assertEquals(storage.guarantees?.reads, "eventual");
 * ```
 */
export const createWorkersKVSessionStorage:
  typeof createCloudflareKVSessionStorage = createCloudflareKVSessionStorage;

/** KV's limit for a key, in bytes, less the 43 of an id's hash. */
const PREFIX_BYTES = 512 - 43;
/** Ten years, in seconds: longer than any cookie lives, and no number that KV might stumble over. */
const LONGEST = 10 * 365 * 24 * 60 * 60;
/** How often a write is tried. */
const ATTEMPTS = 3;

/** The engine behind {@linkcode createCloudflareKVSessionStorage}. */
export class CloudflareKVEngine implements Engine {
  readonly guarantees: StorageGuarantees & { minSeconds: number } = {
    compareAndSet: false,
    reads: "eventual",
    revoke: false,
    durable: true,
    shared: true,
    selfContained: false,
    maxBytes: 25 * 1024 * 1024,
    minSeconds: 60,
  };
  readonly #kv: KVNamespaceLike;
  readonly #prefix: string;
  readonly #now: () => number;
  readonly #wait: (ms: number) => Promise<void>;

  constructor(
    kv: KVNamespaceLike,
    prefix: string,
    now: () => number,
    wait: (ms: number) => Promise<void> = delay,
  ) {
    for (const name of ["getWithMetadata", "put", "delete"] as const) {
      if (typeof kv?.[name] !== "function") {
        throw new TypeError(
          `Cannot create storage: kv must be a KV namespace, and has no ${name}()`,
        );
      }
    }
    if (
      typeof prefix !== "string" || utf8Length(prefix) > PREFIX_BYTES ||
      /\p{Cc}|\p{Cs}/u.test(prefix)
    ) {
      throw new TypeError(
        `Cannot create storage: prefix must be text of at most ${PREFIX_BYTES} bytes, without control characters`,
      );
    }
    this.#kv = kv;
    this.#prefix = prefix;
    this.#now = now;
    this.#wait = wait;
  }

  async read(key: string): Promise<EngineRecord | null> {
    const { value, metadata } = await this.#kv.getWithMetadata(
      this.#prefix + key,
    );
    if (value === null) return null;
    const { expires, version } = isObject(metadata) ? metadata : {};
    // What another program has put here decodes to no session, and is told as such.
    return typeof value === "string" && typeof expires === "number"
      ? { value, version, expires }
      : { value: "", version: null, expires: Infinity };
  }

  async write(
    key: string,
    value: string,
    { expires }: WriteOptions,
  ): Promise<unknown> {
    const seconds = Math.ceil((expires - this.#now()) / 1000);
    const expirationTtl = Math.min(
      LONGEST,
      Math.max(this.guarantees.minSeconds, seconds),
    );
    const version = toBase64Url(randomBytes(12));
    const options = { expirationTtl, metadata: { expires, version } };
    await this.#patiently(() =>
      this.#kv.put(this.#prefix + key, value, options)
    );
    return version;
  }

  async delete(key: string): Promise<boolean> {
    await this.#patiently(() => this.#kv.delete(this.#prefix + key));
    return true;
  }

  /** A redirect that consumes the flash which the request before it has set comes within KV's second. */
  async #patiently(change: () => Promise<void>): Promise<void> {
    for (let attempt = 1;; attempt++) {
      try {
        return await change();
      } catch (error) {
        if (attempt === ATTEMPTS || !isTooEarly(error)) throw error;
        await this.#wait(1000 + 250 * Math.random());
      }
    }
  }
}

/** Whether KV refuses a second write within a second: it says so in a message only, "KV PUT failed: 429 …". */
function isTooEarly(error: unknown): boolean {
  return error instanceof Error &&
    /\b429\b|too many requests/i.test(error.message);
}
