/**
 * Sessions in Cloudflare Workers KV.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, type OwnOptions } from "./sessions/bind.ts";
import {
  CloudflareKVEngine,
  type KVNamespaceLike,
} from "./engines/cloudflare_kv.ts";

/** Options of {@linkcode createCloudflareKVSessionStorage}. */
export interface CloudflareKVSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /** The KV namespace: a binding of the Worker, such as `env.SESSIONS`. */
  kv: KVNamespaceLike;
  /** The prefix of each key. @default {"session:"} */
  prefix?: string | undefined;
  /** Not supported: it writes on reads, and a stale read would overwrite a newer record. */
  idleTimeout?: undefined;
}

/**
 * Keeps sessions in Cloudflare Workers KV, which removes expired sessions itself.
 *
 * KV suits sessions that are read often and rarely written:
 *
 * - **Reads lag.** Other locations see a change after a minute or more. That includes a logout: until then the cookie
 *   works there (`revoke: false`). If a logout must take effect at once, use another storage.
 * - **Parallel requests** that change one session can lose changes, because KV does not have compare-and-set. A record
 *   is read again before it is written, so the window is short.
 * - **One write a second for each key.** If KV rejects a write as too early (429), it is retried after a second, at
 *   most twice. Then the save fails (`store-failed`) and no cookie is sent.
 * - **At least 60 seconds.** KV keeps every record that long. A session can still expire earlier: its deadline is
 *   stored with the record and checked on every read.
 * - `idleTimeout`, `rolling` and `owner` are not supported. Use `absoluteTimeout`, or a cookie with `maxAge`, which each
 *   save renews.
 *
 * A session takes at most 25 MiB. A request that only reads costs one read; a request that changes the session costs
 * two reads and a write.
 *
 * @param options The namespace, the key prefix, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If `idleTimeout`, `rolling` or `owner` is given, an option is unknown or malformed, or
 * {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If a timeout or the cookie's `maxAge` is out of range.
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
 * // In a Worker: export default { fetch }, and SESSIONS is a binding. This one is a Map.
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

const OPTIONS: OwnOptions<CloudflareKVSessionStorageOptions> = {
  kv: true,
  prefix: true,
};

/**
 * Remix's name for {@linkcode createCloudflareKVSessionStorage}.
 *
 * @example With a binding
 * ```ts
 * import { createWorkersKVSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * // In a Worker: a binding, such as env.SESSIONS. This namespace is empty.
 * const kv = {
 *   getWithMetadata: () => Promise.resolve({ value: null, metadata: null }),
 *   put: () => Promise.resolve(),
 *   delete: () => Promise.resolve(),
 * };
 * const storage = createWorkersKVSessionStorage({ kv });
 *
 * assertEquals((await storage.read(null)).size, 0);
 * assertEquals(storage.guarantees.reads, "eventual");
 * ```
 */
export const createWorkersKVSessionStorage:
  typeof createCloudflareKVSessionStorage = createCloudflareKVSessionStorage;
