/**
 * Sessions in Redis or Valkey: one server, a cluster, or a compatible service.
 *
 * @module
 */
import { SessionError } from "../core/errors.ts";
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
import { RedisEngine } from "./engines/redis/engine.ts";
import { type RedisLike, sendBy } from "./engines/redis/client.ts";
import { RedisConnection } from "./engines/redis/connection.ts";
import { checkingSetup } from "./engines/redis/setup.ts";

/** Options of {@linkcode createRedisSessionStorage}: either `client` or `url`. */
export interface RedisSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /**
   * A connected client of node-redis, ioredis or Bun, for one server or a cluster, or a client of `@upstash/redis` or
   * `@vercel/kv`. The application closes it, sets its timeouts and retries, and handles its errors (node-redis requires
   * `client.on("error", …)`).
   */
  client?: RedisLike | undefined;
  /**
   * The address of one server, 6.0 or newer: `redis://` or, with TLS, `rediss://`. The first request loads the package
   * `redis` and connects. If the connection was lost, or the server is no longer the master, the next request connects
   * again; `close()` disconnects. The connection does not keep the process alive. A request fails if the server refuses
   * the connection, or does not answer within 5 seconds. For a cluster or a sentinel, pass a client.
   */
  url?: string | undefined;
  /** The prefix of each key. Braces would put all sessions of a cluster on one node. @default {"session:"} */
  prefix?: string | undefined;
  /** The lifetime, in seconds from the last save, if neither a commit nor the cookie sets one. @default {1_209_600} */
  ttl?: number | undefined;
}

/** Options of {@linkcode createRedisSessionStorage} after a client, as in Remix 3. */
export interface RedisClientSessionStorageOptions<Data = SessionData>
  extends
    Omit<RedisSessionStorageOptions<Data>, "client" | "url">,
    RemixStorageOptions {
  /** The same as `prefix`. @default {"session:"} */
  keyPrefix?: string | undefined;
}

/**
 * Keeps sessions in Redis 4.0 or newer, or Valkey, which removes expired sessions itself. Changes of parallel requests
 * are merged by an atomic script. A read takes one round trip, and so does a save.
 *
 * Each session is a string: 16 characters that change with every save, the deadline in milliseconds, padded with spaces
 * to 24, and the record. Any other text under a key is ignored, and a save replaces it.
 *
 * Sessions survive a restart if the server persists its data (`appendonly yes`). Set `maxmemory-policy noeviction` and
 * monitor the memory: any other policy evicts sessions when it is full, and logs those visitors out. `onEvent` receives
 * one `engine-error` for such a policy, if the server may be asked (`INFO`). A replica that takes over after a failure
 * can miss the most recent saves.
 *
 * @param options The client or address, the key prefix, the lifetime, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If both or neither of `client` and `url` are given, an option is unknown or malformed, or
 * {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If `ttl`, a timeout or the cookie's `maxAge` is out of range.
 *
 * @example With a client
 * ```ts ignore
 * import { createRedisSessionStorage } from "@satchel/session";
 * import { createClient } from "npm:redis@^6.3.1";
 *
 * const client = createClient({ url: "redis://localhost:6379" });
 * client.on("error", (error) => console.error(error));
 * await client.connect();
 *
 * const { getSession, commitSession, destroySession } = createRedisSessionStorage({
 *   client,
 *   cookie: { secrets: ["s3cr3t"], maxAge: 7 * 24 * 60 * 60 },
 * });
 * ```
 *
 * @example With an address
 * ```ts
 * import { createRedisSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createRedisSessionStorage({
 *   url: "redis://localhost:6379",
 *   prefix: "shop:session:",
 *   ttl: 7 * 24 * 60 * 60,
 * });
 *
 * assertEquals(storage.guarantees.compareAndSet, true);
 * await storage.close?.(); // the first request would have connected
 * ```
 */
export function createRedisSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: RedisSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData>;
/**
 * The same, with the arguments of Remix 3.
 *
 * @param client A connected client. Remix 3 accepts any object with `get`, `set` and `del`; this library needs one of
 * {@linkcode RedisLike}, because it saves by a script.
 * @param options The key prefix, the lifetime, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If it is not such a client, an option is unknown or malformed, `useUnknownIds` is `true`, or
 * {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If `ttl`, a timeout or the cookie's `maxAge` is out of range.
 *
 * @example As in Remix 3
 * ```ts ignore
 * import { createRedisSessionStorage } from "@satchel/session";
 * import { createClient } from "npm:redis@^6.3.1";
 *
 * const client = createClient({ url: "redis://localhost:6379" });
 * client.on("error", (error) => console.error(error));
 * await client.connect();
 *
 * const storage = createRedisSessionStorage(client, { keyPrefix: "shop:session:", ttl: 3600 });
 * ```
 */
export function createRedisSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  client: RedisLike,
  options?: RedisClientSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData>;
export function createRedisSessionStorage<Data, FlashData>(
  first: RedisSessionStorageOptions<Data> | RedisLike,
  second?: RedisClientSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData> {
  if (!isClient(first)) checkAlone(second, "a client");
  const options: RedisSessionStorageOptions<Data> = isClient(first)
    ? { ...fromRemix(second, { keyPrefix: "prefix" }), client: first }
    : first;
  return engineStorage(options, OPTIONS, (policy) => {
    const { client, url, prefix = "session:" } = options;
    checkClientOrUrl(client, url);
    const { send, close } = client === undefined
      ? new RedisConnection(url as string)
      : { send: sendBy(client), close: undefined };
    const onEvicting = (evicting: string) => {
      const cause = new SessionError(
        "store-failed",
        `Redis signs visitors out when its memory is full: its maxmemory-policy is ${evicting}, which evicts sessions; set maxmemory-policy to noeviction`,
      );
      policy.report("engine-error", { cause });
    };
    // Without a listener, the question would be a call for nothing.
    const checked = checkingSetup(send, options.onEvent && onEvicting);
    return new RedisEngine(checked, prefix, policy.now, close);
  }, options?.ttl);
}

const OPTIONS: OwnOptions<RedisSessionStorageOptions> = {
  client: true,
  prefix: true,
  ttl: true,
  url: true,
};

/** Methods by which clients are recognized. The last two are those of Remix 3's clients. */
const METHODS = ["call", "send", "sendCommand", "evalsha", "get", "set"];

/** Whether this is a client, not options. Clients can have a property `client` or `options`, too. */
function isClient<Data>(
  first: RedisSessionStorageOptions<Data> | RedisLike,
): first is RedisLike {
  const given = Object(first) as Record<string, unknown>;
  return METHODS.some((name) => typeof given[name] === "function");
}
