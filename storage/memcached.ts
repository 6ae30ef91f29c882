/**
 * Sessions in Memcached.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import {
  checkClientOrUrl,
  engineStorage,
  type OwnOptions,
} from "./sessions/bind.ts";
import {
  checkAlone,
  fromRemix,
  type RemixStorageOptions,
} from "./sessions/remix_options.ts";
import { MemcachedEngine } from "./engines/memcached/engine.ts";
import {
  MemcachedClient,
  type MemcacheLike,
} from "./engines/memcached/client.ts";

/** Options of {@linkcode createMemcacheSessionStorage}: either `client` or `url`. */
export interface MemcacheSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /** A client, such as `MemcacheClient` of `npm:memcache-client`. The application closes it. */
  client?: MemcacheLike | undefined;
  /**
   * The address of a server, such as `localhost:11211`. The first request connects, and reconnects if the connection
   * was lost; `close()` disconnects. The connection does not keep the process alive. A package is not needed. A request
   * fails if the server does not answer within 5 seconds.
   */
  url?: string | undefined;
  /** The prefix of each key: at most 207 bytes, without spaces and control characters. @default {"session:"} */
  prefix?: string | undefined;
  /** The lifetime, in seconds from the last save, if neither a commit nor the cookie sets one. @default {1_209_600} */
  ttl?: number | undefined;
}

/** Options of {@linkcode createMemcacheSessionStorage} after an address, as in Remix 3. */
export interface MemcacheServerSessionStorageOptions<Data = SessionData>
  extends
    Omit<MemcacheSessionStorageOptions<Data>, "client" | "url">,
    RemixStorageOptions {
  /** The same as `prefix`. @default {"session:"} */
  keyPrefix?: string | undefined;
  /** The same as `ttl`. Remix 3's `0`, which means for ever, is refused. @default {1_209_600} */
  ttlSeconds?: number | undefined;
}

/**
 * Keeps sessions in Memcached, 1.4.8 or newer, which removes expired sessions itself. Changes of parallel requests are
 * merged. A read takes one round trip, and so does a save.
 *
 * A session takes at most about 1 MiB. The server loses all sessions when it restarts, and evicts the least recently
 * used ones when its memory is full: those visitors are logged out. Restrict access to the server, because every client
 * can read and write all sessions.
 *
 * @param options The client or address, the key prefix, the lifetime, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If both or neither of `client` and `url` are given, `url` is given on a platform without sockets,
 * `owner` is given, an option is unknown or malformed, or {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If `ttl`, a timeout or the cookie's `maxAge` is out of range.
 *
 * @example With an address
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
 * assertEquals(storage.guarantees.durable, false);
 * await storage.close?.(); // the first request would have connected
 * ```
 *
 * @example With a client
 * ```ts
 * import { createMemcacheSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * // In an application: new MemcacheClient(…) of memcache-client. This client keeps items in a Map and ignores versions.
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
): SessionStorage<Data, FlashData>;
/**
 * The same, with the arguments of Remix 3.
 *
 * @param server The address of a server.
 * @param options The key prefix, the lifetime, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If the address is malformed, the platform does not have sockets, an option is unknown or malformed,
 * `useUnknownIds` is `true`, or {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If the lifetime, a timeout or the cookie's `maxAge` is out of range.
 *
 * @example As in Remix 3
 * ```ts
 * import { createMemcacheSessionStorage } from "@satchel/session";
 *
 * const storage = createMemcacheSessionStorage("localhost:11211", {
 *   keyPrefix: "shop:session:",
 *   ttlSeconds: 7 * 24 * 60 * 60,
 * });
 *
 * await storage.close?.(); // the first request would have connected
 * ```
 */
export function createMemcacheSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  server: string,
  options?: MemcacheServerSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData>;
export function createMemcacheSessionStorage<Data, FlashData>(
  first: MemcacheSessionStorageOptions<Data> | string,
  second?: MemcacheServerSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData> {
  if (second?.ttlSeconds === 0) {
    throw new RangeError(
      "Cannot create storage: ttlSeconds must be more than 0, because no session is kept for ever; leave it out for 14 days",
    );
  }
  if (typeof first !== "string") checkAlone(second, "the server's address");
  const options: MemcacheSessionStorageOptions<Data> = typeof first === "string"
    ? { ...fromRemix(second, REMIX_NAMES), url: first }
    : first;
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

const REMIX_NAMES = { keyPrefix: "prefix", ttlSeconds: "ttl" };

const COMMANDS = ["gets", "cas", "add", "set", "delete"] as const;

const OPTIONS: OwnOptions<MemcacheSessionStorageOptions> = {
  client: true,
  prefix: true,
  ttl: true,
  url: true,
};
