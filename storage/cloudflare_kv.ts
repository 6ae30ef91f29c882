/**
 * Sessions in Cloudflare Workers KV: read everywhere, and eventually the same everywhere.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type { OptionNames } from "../core/options.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, STORAGE_OPTIONS } from "./sessions/bind.ts";
import {
  CloudflareKVEngine,
  type KVNamespaceLike,
} from "./engines/cloudflare_kv.ts";

/** Options of {@linkcode createCloudflareKVSessionStorage}. */
export interface CloudflareKVSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
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
  options: CloudflareKVSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData> {
  if (options?.idleTimeout !== undefined) {
    throw new TypeError(
      "Cannot create storage: Workers KV does not support idleTimeout, because its reads can be stale; use absoluteTimeout, or a cookie with maxAge",
    );
  }
  return engineStorage(options, OPTIONS, ({ now }) => {
    const { kv, prefix = "session:" } = options;
    return new CloudflareKVEngine(kv, prefix, now);
  });
}

const OPTIONS: OptionNames<CloudflareKVSessionStorageOptions> = {
  ...STORAGE_OPTIONS,
  kv: true,
  prefix: true,
};

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
