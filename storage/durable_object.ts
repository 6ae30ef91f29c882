/**
 * Sessions in Cloudflare's Durable Objects.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, type OwnOptions } from "./sessions/bind.ts";
import {
  DurableObjectEngine,
  type DurableObjectNamespaceLike,
} from "./engines/durable_object/engine.ts";

/** Options of {@linkcode createDurableObjectSessionStorage}. */
export interface DurableObjectSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /**
   * The namespace of the class {@linkcode SessionObject}: a binding of the Worker, such as `env.SESSIONS`, or
   * `env.SESSIONS.jurisdiction("eu")`. No other storage may use it.
   */
  namespace: DurableObjectNamespaceLike;
}

/**
 * Keeps sessions in Cloudflare's Durable Objects, one object for each session. Of what a Worker has of its own, this is
 * the storage on which a logout holds at once, everywhere: there is one object of a session in the world, and every
 * request asks it.
 *
 * Export {@linkcode SessionObject} from the entry of your Worker, and bind it in `wrangler.toml`. The class must use
 * SQLite:
 *
 * ```toml
 * [[durable_objects.bindings]]
 * name = "SESSIONS"
 * class_name = "SessionObject"
 *
 * [[migrations]]
 * tag = "v1"
 * new_sqlite_classes = ["SessionObject"]
 * ```
 *
 * An object is created near the visitor's first request, and stays there. It removes itself when its session is
 * destroyed, or by an alarm when it has expired. A session takes at most 999,000 bytes. Changes of parallel requests are
 * merged. Each read and each save is one request to an object.
 *
 * @param options The namespace, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If `namespace` is not one, an option is unknown or malformed, or {@linkcode createCookie} refuses
 * the cookie.
 * @throws {RangeError} If a timeout or the cookie's `maxAge` is out of range.
 *
 * @example A Worker that counts visits
 * ```ts
 * import {
 *   createDurableObjectSessionStorage,
 *   type DurableObjectNamespaceLike,
 *   SessionObject,
 *   withSession,
 * } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * function fetch(
 *   request: Request,
 *   env: { SESSIONS: DurableObjectNamespaceLike },
 * ): Promise<Response> {
 *   const storage = createDurableObjectSessionStorage({
 *     namespace: env.SESSIONS,
 *     cookie: { name: "__session", secrets: ["s3cr3t"], maxAge: 3600 },
 *   });
 *   return withSession(storage, (_request, session) => {
 *     session.set("visits", (session.get("visits") ?? 0) + 1);
 *     return new Response(`Visit ${session.get("visits")}`);
 *   })(request);
 * }
 *
 * // In a Worker: export default { fetch }; export { SessionObject }; and SESSIONS is a binding. These objects are in
 * // memory.
 * const objects = new Map<string, SessionObject>();
 * const SESSIONS: DurableObjectNamespaceLike = {
 *   idFromName: (name) => name,
 *   get: (id) => ({
 *     fetch(url, init) {
 *       const values = new Map<string, unknown>();
 *       const object = objects.get(id) ?? new SessionObject({
 *         storage: {
 *           kv: { get: (key) => values.get(key), put: (key, value) => void values.set(key, value) },
 *           setAlarm: async () => {},
 *           deleteAlarm: async () => {},
 *           deleteAll: async () => values.clear(),
 *         },
 *       });
 *       objects.set(id, object);
 *       return object.fetch(new Request(url, init));
 *     },
 *   }),
 * };
 *
 * const first = await fetch(new Request("http://localhost/"), { SESSIONS });
 * const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
 * const again = new Request("http://localhost/", { headers: { cookie } });
 * const second = await fetch(again, { SESSIONS });
 * assertEquals(await second.text(), "Visit 2");
 * ```
 */
export function createDurableObjectSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: DurableObjectSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData> {
  return engineStorage(
    options,
    OPTIONS,
    ({ now }) => new DurableObjectEngine(options.namespace, now),
  );
}

const OPTIONS: OwnOptions<DurableObjectSessionStorageOptions> = {
  namespace: true,
};
