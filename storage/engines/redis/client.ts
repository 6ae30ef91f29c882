/**
 * One way to send a command through each kind of Redis client.
 *
 * @module
 */
import { sendToUpstash, type UpstashRedisLike } from "./upstash.ts";

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
  sendCommand(args: string[], options?: object): Promise<unknown>;
  /** Whether commands are sent at once. A pool does not have it. */
  readonly isReady?: boolean;
}

/** The part of node-redis' cluster that sessions need. */
export interface NodeRedisClusterLike {
  /** Sends a command to the node of the key. */
  sendCommand(
    firstKey: string,
    isReadonly: boolean,
    args: string[],
  ): Promise<unknown>;
  /** The nodes. Only a cluster has it. */
  readonly masters: unknown;
}

/** The part of node-redis' sentinel that sessions need. */
export interface NodeRedisSentinelLike {
  /** Sends a command to the master. */
  sendCommand(isReadonly: boolean, args: string[]): Promise<unknown>;
  /** Only a sentinel has it. */
  getSentinelNode(): unknown;
}

/** A client of Redis or Valkey: node-redis, ioredis or Bun, for one server, a cluster or a sentinel, or Upstash's. */
export type RedisLike =
  | IoRedisLike
  | BunRedisLike
  | NodeRedisLike
  | NodeRedisClusterLike
  | NodeRedisSentinelLike
  | UpstashRedisLike;

/** Sends a command that concerns one key. */
export type RedisSend = (key: string, args: string[]) => Promise<unknown>;

/**
 * Turns off the timeout of node-redis. It limits how long a command waits to be sent, but its timer also stays after
 * that: on Deno it creates an unused error five seconds after each command, which costs more time than the command and
 * memory until then. A client that sends commands at once does not need it.
 */
const SENT_AT_ONCE = { timeout: undefined };

/**
 * Finds out how a client sends a command.
 *
 * @throws {TypeError} If it is not a known client of Redis.
 */
export function sendBy(client: RedisLike): RedisSend {
  const known = Object(client) as Partial<
    & IoRedisLike
    & BunRedisLike
    & UpstashRedisLike
    & { sendCommand(...args: unknown[]): Promise<unknown> }
  >;
  if (typeof known.call === "function") {
    return (_key, [name = "", ...args]) =>
      (known as IoRedisLike).call(name, ...args).catch(withoutCommand);
  }
  const { sendCommand } = known;
  if (typeof sendCommand === "function") {
    if ("masters" in known) {
      // `false`: never a replica, whose records may be stale.
      return (key, args) => sendCommand.call(known, key, false, args);
    }
    if ("getSentinelNode" in known) {
      return (_key, args) => sendCommand.call(known, false, args);
    }
    return (_key, args) =>
      (known as NodeRedisLike).isReady === true
        ? sendCommand.call(known, args, SENT_AT_ONCE)
        : sendCommand.call(known, args);
  }
  if (typeof known.send === "function") {
    return (_key, [name = "", ...args]) =>
      (known as BunRedisLike).send(name, args);
  }
  if (typeof known.evalsha === "function") {
    return sendToUpstash(known as UpstashRedisLike);
  }
  throw new TypeError(
    "Cannot create storage: client must be a client of node-redis, ioredis, Bun or Upstash",
  );
}

/** Throws an error of ioredis again, without its command, whose arguments contain the session's values. */
function withoutCommand(error: unknown): never {
  if (error instanceof Error) delete (error as { command?: unknown }).command;
  throw error;
}
