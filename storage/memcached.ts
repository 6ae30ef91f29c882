/**
 * Sessions in Memcached: shared by many machines, and forgotten when it is restarted or full.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type { OptionNames } from "../core/options.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import {
  checkClientOrUrl,
  engineStorage,
  STORAGE_OPTIONS,
} from "./sessions/bind.ts";
import { MemcachedEngine } from "./engines/memcached/engine.ts";
import {
  MemcachedClient,
  type MemcacheLike,
} from "./engines/memcached/client.ts";

/** Options of {@linkcode createMemcacheSessionStorage}: a client or an address, and not both. */
export interface MemcacheSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /** A client, such as that of npm's `memcache-client`. Whoever made it closes it. */
  client?: MemcacheLike | undefined;
  /**
   * The address of a server: `localhost:11211`. The first request connects; lost connections are opened again by the
   * next one; `close()` closes. Needs no package. A server that does not answer within 5 seconds is an error.
   */
  url?: string | undefined;
  /** What each key begins with: up to 207 bytes without spaces and control characters. @default {"session:"} */
  prefix?: string | undefined;
  /** Seconds after its last save at which a session ends that neither a commit nor the cookie gave a lifetime. @default {1_209_600} */
  ttl?: number | undefined;
}

/**
 * Keeps sessions in Memcached, 1.4.8 or newer. Parallel requests are merged by its `cas`; the server removes expired
 * sessions itself. A read is one round trip, a save another.
 *
 * A session takes at most about 1 MiB. The server keeps nothing through a restart, and drops what was not used for
 * longest when its memory is full: a visitor is then logged out. Let it listen only where the application is, because
 * whoever reaches it reads and writes every session.
 *
 * @param options Client or address, key prefix, lifetime, cookie and timeouts.
 * @returns The storage, bound to the cookie if there is one.
 * @throws {TypeError} If there is neither a client nor an address, or both, or if one is not what it should be; if there
 * is an address and the platform has no sockets; if `prefix` cannot begin a key; if there is an `owner`, whose list a
 * full server could drop; if the cookie is refused, as by {@linkcode createCookie}; or if `now`, `owner` or `onEvent` is
 * no function.
 * @throws {RangeError} If `ttl` or a timeout is not positive and finite, `touchAfter` is negative or not shorter than
 * `idleTimeout`, or the cookie's `maxAge` is negative or not finite.
 *
 * @example By its address
 * ```ts
 * import { createMemcacheSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemcacheSessionStorage({
 *   url: "localhost:11211",
 *   prefix: "shop:session:",
 *   ttl: 7 * 24 * 60 * 60,
 * });
 *
 * assertEquals(storage.guarantees?.durable, false);
 * await storage.close?.(); // connects with the first request; here, there was none
 * ```
 *
 * @example With a client
 * ```ts
 * import { createMemcacheSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * // In an application: new MemcacheClient(…) of memcache-client. This one keeps items in a Map, and compares nothing.
 * const items = new Map<string, { value: string; casUniq: number }>();
 * let version = 0;
 * async function store(key: string, value: string) {
 *   items.set(key, { value, casUniq: ++version });
 * }
 * const client = {
 *   gets: async (key: string) => items.get(key),
 *   add: store,
 *   cas: store,
 *   set: store,
 *   delete: async (key: string) => items.delete(key),
 * };
 *
 * const storage = createMemcacheSessionStorage({ client });
 * const session = await storage.read(null);
 * session.set("theme", "dark");
 * const value = await storage.save(session);
 *
 * assertEquals((await storage.read(value)).get("theme"), "dark");
 * ```
 */
export function createMemcacheSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: MemcacheSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData> {
  return engineStorage(options, OPTIONS, ({ now }) => {
    const { client, url, prefix = "session:" } = options;
    checkClientOrUrl(client, url);
    if (client === undefined) {
      const own = new MemcachedClient(url as string);
      return new MemcachedEngine(own, prefix, now, () => own.close());
    }
    if (!COMMANDS.every((name) => typeof client?.[name] === "function")) {
      throw new TypeError(
        `Cannot create storage: client must have the methods ${
          COMMANDS.join(", ")
        }`,
      );
    }
    return new MemcachedEngine(client, prefix, now);
  }, options?.ttl);
}

const COMMANDS = ["gets", "cas", "add", "set", "delete"] as const;

const OPTIONS: OptionNames<MemcacheSessionStorageOptions> = {
  ...STORAGE_OPTIONS,
  client: true,
  prefix: true,
  ttl: true,
  url: true,
};
