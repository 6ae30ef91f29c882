/**
 * Sessions in Redis or Valkey: one server, a cluster, or any service that speaks their protocol.
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
import { RedisEngine } from "./engines/redis/engine.ts";
import { type RedisLike, sendBy } from "./engines/redis/client.ts";
import { RedisConnection } from "./engines/redis/connection.ts";

/** Options of {@linkcode createRedisSessionStorage}: a client or an address, and not both. */
export interface RedisSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /**
   * A client of node-redis, ioredis or Bun, connected, of one server or a cluster. Whoever made it closes it, decides
   * how long it waits and retries, and hears of its errors (node-redis wants `client.on("error", …)`).
   */
  client?: RedisLike | undefined;
  /**
   * The address of a server, `redis://` or, with TLS, `rediss://`. The first request loads the package `redis` and
   * connects; lost connections are opened again; `close()` closes. A server that refuses the connection, or answers
   * nothing for 5 to 10 seconds, is an error.
   */
  url?: string | undefined;
  /** What each key begins with. Braces would put all sessions of a cluster on one node. @default {"session:"} */
  prefix?: string | undefined;
  /** Seconds after its last save at which a session ends that neither a commit nor the cookie gave a lifetime. @default {1_209_600} */
  ttl?: number | undefined;
}

/**
 * Keeps sessions in Redis or Valkey, 4.0 or newer. Parallel requests are merged by an atomic script; the server removes
 * expired sessions itself. A read is one round trip, a save another.
 *
 * Each session is a string: 16 characters that change with every save, the deadline in milliseconds, padded with
 * spaces to 24, and the text. What another program has put in its place is no session, and a save that replaces it
 * succeeds.
 *
 * Sessions survive a restart of the server as far as it is told to keep its data (`appendonly yes`). Run it with
 * `maxmemory-policy noeviction`, and look after its memory: any other policy evicts sessions when it is full, and what
 * is evicted is a visitor logged out. A replica that takes over after a failure may lack the last moments' saves.
 *
 * @param options Client or address, key prefix, lifetime, cookie and timeouts.
 * @returns The storage, bound to the cookie if there is one.
 * @throws {TypeError} If there is neither a client nor an address, or both, or if one is not what it should be; if
 * `prefix` is no well-formed string; if the cookie is refused, as by {@linkcode createCookie}; or if `now`, `owner` or
 * `onEvent` is no function.
 * @throws {RangeError} If `ttl` or a timeout is not positive and finite, `touchAfter` is negative or not shorter than
 * `idleTimeout`, or the cookie's `maxAge` is negative or not finite.
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
 * @example By its address
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
 * assertEquals(storage.guarantees?.compareAndSet, true);
 * await storage.close?.(); // connects with the first request; here, there was none
 * ```
 */
export function createRedisSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: RedisSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData> {
  return engineStorage(options, OPTIONS, ({ now }) => {
    const { client, url, prefix = "session:" } = options;
    checkClientOrUrl(client, url);
    const { send, close } = client === undefined
      ? new RedisConnection(url as string)
      : { send: sendBy(client), close: undefined };
    return new RedisEngine(send, prefix, now, close);
  }, options?.ttl);
}

const OPTIONS: OptionNames<RedisSessionStorageOptions> = {
  ...STORAGE_OPTIONS,
  client: true,
  prefix: true,
  ttl: true,
  url: true,
};
