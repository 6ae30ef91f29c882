/**
 * Sessions in Memcached: shared by many machines, and forgotten when it is restarted or full.
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { SessionData } from "../core/session.ts";
import { engineRecords } from "./sessions/engine_records.ts";
import type { SessionCookieOptions } from "./sessions/bind.ts";
import { checkPrefix, MemcachedEngine } from "./engines/memcached/engine.ts";
import {
  MemcachedClient,
  type MemcacheLike,
} from "./engines/memcached/client.ts";
import { Policy } from "./sessions/policy.ts";
import { recordStorageWithTtl } from "./sessions/ttl.ts";
import type {
  HttpSessionStorage,
  SessionStorage,
  StorageOptions,
} from "./contract.ts";

/** Options of {@linkcode createMemcacheSessionStorage}: a client or an address, and not both. */
export interface MemcacheSessionStorageOptions extends StorageOptions {
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
  options: MemcacheSessionStorageOptions & {
    cookie: Cookie | SessionCookieOptions;
  },
): HttpSessionStorage<Data, FlashData>;
/** The same without a cookie: a middleware brings it. */
export function createMemcacheSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: MemcacheSessionStorageOptions & { cookie?: undefined },
): SessionStorage<Data, FlashData>;
export function createMemcacheSessionStorage<Data, FlashData>(
  options: MemcacheSessionStorageOptions & {
    cookie?: Cookie | SessionCookieOptions | undefined;
  },
): SessionStorage<Data, FlashData> {
  const { client, url, prefix = "session:", ttl, cookie } = options;
  checkPrefix(prefix);
  if ((client === undefined) === (url === undefined)) {
    throw new TypeError("Cannot create storage: give either client or url");
  }
  if (
    client !== undefined &&
    !COMMANDS.every((name) => typeof client?.[name] === "function")
  ) {
    throw new TypeError(
      `Cannot create storage: client must have the methods ${
        COMMANDS.join(", ")
      }`,
    );
  }
  const policy = new Policy(options);
  const own = client === undefined
    ? new MemcachedClient(url as string)
    : undefined;
  const engine = new MemcachedEngine(
    client ?? own as MemcachedClient,
    prefix,
    policy.now,
    own && (() => own.close()),
  );
  return recordStorageWithTtl(engineRecords(engine), cookie, policy, ttl);
}

const COMMANDS = ["gets", "cas", "add", "set", "delete"] as const;
