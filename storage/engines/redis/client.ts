/**
 * Redis clients of every kind, reduced to one call.
 *
 * @module
 */
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
  /** Whether commands are sent as they come; a pool does not say. */
  readonly isReady?: boolean;
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
 * node-redis' own deadline is for commands that wait to be sent, and its timer is not taken back: on Deno it makes an
 * error for nobody five seconds after each command, which costs more than the command, and memory until then. Where
 * commands are sent as they come, it has no use.
 */
const SENT_AT_ONCE = { timeout: undefined };

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
      (known as IoRedisLike).call(name, ...args).catch(withoutCommand);
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
    return (_key, args) =>
      (known as NodeRedisLike).isReady === true
        ? sendCommand.call(known, args, SENT_AT_ONCE)
        : sendCommand.call(known, args);
  }
  if (typeof known.send === "function") {
    return (_key, [name = "", ...args]) =>
      (known as BunRedisLike).send(name, args);
  }
  throw new TypeError(
    "Cannot create storage: client must be one of node-redis, ioredis or Bun",
  );
}

/** Throws an error of ioredis on, without the command that it carries: the session's values are among its arguments. */
function withoutCommand(error: unknown): never {
  if (error instanceof Error) delete (error as { command?: unknown }).command;
  throw error;
}

/**
 * Whether an error is a reply of the server, such as `WRONGTYPE Operation against a key …`.
 *
 * @param code What the reply begins with. Optional.
 */
export function isReply(error: unknown, code?: string): boolean {
  if (!(error instanceof Error)) return false;
  return code === undefined
    ? /^[A-Z]+ /.test(error.message)
    : error.message.startsWith(code);
}
