/**
 * Redis clients of every kind, reduced to one call; and the client behind `url`.
 *
 * @module
 */
import { deadlined } from "./_deadlined.ts";
import { loadClient } from "./_load_client.ts";

/** The part of ioredis' `Redis` and `Cluster` that sessions need. */
export interface IoRedisLike {
  /** Sends a command. */
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** The part of Bun's `RedisClient` that sessions need. */
export interface BunRedisLike {
  /** Sends a command. */
  send(command: string, args: string[]): Promise<unknown>;
}

/** The part of node-redis' client and client pool that sessions need. */
export interface NodeRedisLike {
  /** Sends a command. */
  sendCommand(args: string[]): Promise<unknown>;
}

/** The part of node-redis' cluster that sessions need. */
export interface NodeRedisClusterLike {
  /** Sends a command to the node that has the key. */
  sendCommand(
    firstKey: string,
    isReadonly: boolean,
    args: string[],
  ): Promise<unknown>;
  /** The nodes; by this a cluster is known. */
  readonly masters: unknown;
}

/** The part of node-redis' sentinel that sessions need. */
export interface NodeRedisSentinelLike {
  /** Sends a command to the master. */
  sendCommand(isReadonly: boolean, args: string[]): Promise<unknown>;
  /** By this a sentinel is known. */
  getSentinelNode(): unknown;
}

/** A client of Redis or Valkey: of node-redis, ioredis or Bun, of one server, a cluster or a sentinel. */
export type RedisLike =
  | IoRedisLike
  | BunRedisLike
  | NodeRedisLike
  | NodeRedisClusterLike
  | NodeRedisSentinelLike;

/** Sends one command that is about one key. */
export type RedisSend = (key: string, args: string[]) => Promise<unknown>;

/**
 * How a client sends a command.
 *
 * @throws {TypeError} If it is no client of Redis.
 */
export function sendBy(client: RedisLike): RedisSend {
  const known = Object(client) as Partial<
    & IoRedisLike
    & BunRedisLike
    & { sendCommand(...args: unknown[]): Promise<unknown> }
  >;
  if (typeof known.call === "function") {
    return (_key, [name = "", ...args]) =>
      (known as IoRedisLike).call(name, ...args);
  }
  const { sendCommand } = known;
  if (typeof sendCommand === "function") {
    if ("masters" in known) {
      // Never from a replica, which lags behind.
      return (key, args) => sendCommand.call(known, key, false, args);
    }
    if ("getSentinelNode" in known) {
      return (_key, args) => sendCommand.call(known, false, args);
    }
    return (_key, args) => sendCommand.call(known, args);
  }
  if (typeof known.send === "function") {
    return (_key, [name = "", ...args]) =>
      (known as BunRedisLike).send(name, args);
  }
  throw new TypeError(
    "Cannot create storage: client must be one of node-redis, ioredis or Bun",
  );
}

/** A connection that opens by itself. */
export interface RedisConnection {
  readonly send: RedisSend;
  close(): Promise<void>;
}

/** The part of node-redis that a connection needs. */
interface NodeRedis extends NodeRedisLike {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  close(): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: (error: unknown) => void): unknown;
}

interface NodeRedisPackage {
  createClient(options: object): NodeRedis;
}

const PATIENCE = 5_000;
const MAX_RETRY_DELAY = 500;

/**
 * A connection to a server by its address: opened by the first command, and again whenever it was lost.
 *
 * Commands wait for the next attempt to connect, and fail with it. None waits in a queue, so that a server that is away
 * means errors at once rather than requests that hang; and none is sent twice.
 *
 * @param address `redis://…`, `rediss://…`, or the same with `valkey`.
 * @param patience How long a server may take to accept a connection, and then to answer a command, in milliseconds.
 * @throws {TypeError} If the address is no URL of Redis.
 */
export function redisAt(
  address: string,
  patience: number = PATIENCE,
): RedisConnection {
  const url = checkUrl(address);
  let opening: Promise<NodeRedis> | undefined;
  let waiting: ((failed: boolean, error?: unknown) => void)[] = [];

  function settle(failed: boolean, error?: unknown): void {
    const told = waiting;
    waiting = [];
    for (const tell of told) tell(failed, error);
  }

  async function open(): Promise<NodeRedis> {
    const { createClient } = await loadClient(
      "redis",
      "^6.0.0",
    ) as NodeRedisPackage;
    const client = createClient({
      url,
      disableOfflineQueue: true,
      socket: {
        connectTimeout: patience,
        reconnectStrategy: (retries: number) =>
          Math.min(20 * 2 ** retries, MAX_RETRY_DELAY) * (0.5 + Math.random()),
      },
    });
    client.on("ready", () => settle(false));
    client.on("error", (error) => settle(true, error));
    // Whoever waits hears of failures by the event.
    client.connect().catch(() => {});
    return client;
  }

  function opened(): Promise<NodeRedis> {
    if (!opening) {
      const attempt = open();
      opening = attempt;
      // Where the package could not be loaded, the next request tries again.
      attempt.catch(() => {
        if (opening === attempt) opening = undefined;
      });
    }
    return opening;
  }

  function connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      waiting.push((failed, error) => failed ? reject(error) : resolve());
    });
  }

  function drop(attempt: Promise<NodeRedis>, client: NodeRedis): void {
    if (opening === attempt) opening = undefined;
    client.destroy();
    settle(true, new Error("the connection to Redis was closed"));
  }

  return {
    async send(_key, args) {
      const attempt = opened();
      const client = await attempt;
      const ask = async () => {
        if (!client.isReady) await connected();
        return await client.sendCommand(args);
      };
      return await deadlined(ask(), 2 * patience, "Redis", () => {
        // A connection that no longer answers is of no use to the next command either.
        drop(attempt, client);
      });
    },
    async close() {
      const attempt = opening;
      if (!attempt) return;
      opening = undefined;
      const client = await attempt;
      if (!client.isReady) return drop(attempt, client);
      await deadlined(client.close(), patience, "Redis", () => {
        client.destroy();
      });
    },
  };
}

/** @throws {TypeError} If it is none; without the address, which may hold a password. */
function checkUrl(address: string): string {
  const url = typeof address === "string"
    ? address.replace(/^valkey(s?):/i, "redis$1:")
    : "";
  if (!/^rediss?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new TypeError(
      'Cannot create storage: url must be like "redis://localhost:6379"; for anything else, pass a client',
    );
  }
  return url;
}
