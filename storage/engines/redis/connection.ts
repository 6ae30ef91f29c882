/**
 * A connection to Redis by an address, through node-redis.
 *
 * @module
 */
import { CallTimeout } from "../../../core/call_timeout.ts";
import { delay } from "../../../core/runtime.ts";
import { Lazy } from "../lazy.ts";
import { loadClient } from "../load_client.ts";
import type { NodeRedisLike, RedisSend } from "./client.ts";
import { isReply, isUnfit, oneNode } from "./replies.ts";

/** The part of node-redis that a connection needs. */
interface NodeRedis extends NodeRedisLike {
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  close(): Promise<unknown>;
  destroy(): void;
  on(event: string, listener: (error: unknown) => void): unknown;
  unref(): void;
}

interface NodeRedisPackage {
  createClient(options: object): NodeRedis;
}

const TIMEOUT = 5_000;
/** The least time from one attempt to connect to the next, in milliseconds. Each attempt takes a port for a minute. */
const PAUSE = 100;

/**
 * A connection that the first command opens. After a loss, the next command opens another.
 *
 * Without a connection, commands wait for the current attempt to connect, and fail with it. They do not wait
 * longer in a queue: while the server is down, requests fail at once instead of hanging. No command is sent twice.
 *
 * The connection does not keep the process alive. The timeout of a command does, until its answer.
 */
export class RedisConnection {
  readonly #url: string;
  readonly #ms: number;
  readonly #timeout: CallTimeout;
  readonly #client: Lazy<NodeRedis> = new Lazy(() => this.#open());
  #openedAt = -Infinity;

  /**
   * @param address `redis://…`, `rediss://…`, or the same with `valkey`.
   * @param timeout How long a server may take to accept a connection, or to answer a command, in milliseconds.
   * @throws {TypeError} If the address is not a URL of Redis.
   */
  constructor(address: string, timeout: number = TIMEOUT) {
    this.#url = checkUrl(address);
    this.#ms = timeout;
    this.#timeout = new CallTimeout(
      timeout,
      `Redis did not answer within ${timeout / 1000} s`,
    );
  }

  readonly send: RedisSend = (_key, args) => {
    const client = this.#client.value;
    if (client?.isReady) return this.#ask(client, args);
    if (client) this.#drop(client);
    return this.#client.get().then((client) => this.#ask(client, args));
  };

  readonly close = async (): Promise<void> => {
    const client = await this.#client.take()?.catch(() => undefined);
    if (!client?.isReady) return client && destroy(client);
    await this.#timeout.run(() => client.close(), () => destroy(client));
  };

  #ask(client: NodeRedis, args: string[]): Promise<unknown> {
    return this.#timeout.run(
      () => client.sendCommand(args),
      () => this.#drop(client),
    ).catch((cause) => {
      if (isUnfit(cause)) this.#drop(client);
      if (isReply(cause)) throw cause;
      throw new Error("the connection to Redis was closed or did not answer", {
        cause,
      });
    });
  }

  async #open(): Promise<NodeRedis> {
    const pause = this.#openedAt + PAUSE - performance.now();
    if (pause > 0) await delay(pause);
    this.#openedAt = performance.now();
    const { createClient } = await loadClient(
      "redis",
      "^6.0.0",
    ) as NodeRedisPackage;
    const client = createClient({
      url: this.#url,
      disableOfflineQueue: true,
      // Otherwise it looks up an IPv6 address as if it were a name, and cannot connect.
      maintNotifications: "disabled",
      // node-redis' own timeout ends when a command is written, and costs a timer for each command.
      commandOptions: { timeout: undefined },
      socket: { connectTimeout: this.#ms, reconnectStrategy: false },
    });
    // The commands reject with it.
    client.on("error", () => {});
    client.unref();
    try {
      await this.#timeout.run(async () => {
        await client.connect();
        await checkServer((args) => client.sendCommand(args));
      });
    } catch (error) {
      destroy(client);
      throw error;
    }
    return client;
  }

  #drop(client: NodeRedis): void {
    this.#client.forget(client);
    destroy(client);
  }
}

function destroy(client: NodeRedis): void {
  try {
    client.destroy();
  } catch {
    // Some versions throw if the connection was lost.
  }
}

/**
 * Checks that a server is one that serves sessions. A server that cannot say so is trusted.
 *
 * @throws {Error} If it is a replica, a sentinel, or one of several nodes of a cluster.
 */
async function checkServer(
  send: (args: string[]) => Promise<unknown>,
): Promise<void> {
  const ask = (...args: string[]) =>
    send(args).catch((error) => {
      if (!isReply(error)) throw error;
    });
  const { mode, role } = Object(await ask("HELLO", "3"));
  if (mode === "sentinel") {
    throw new Error(
      "url leads to a sentinel of Redis, which does not store anything; pass a client: createSentinel({ name, sentinelRootNodes: [{ host, port }] }) of node-redis",
    );
  }
  if (
    mode === "cluster" &&
    /^cluster_size:(?![01]\b)/m.test(String(await ask("CLUSTER", "INFO")))
  ) throw oneNode();
  if (role === "replica" || role === "slave") {
    throw new Error(
      "url leads to a replica of Redis, which refuses saves and whose records may be stale; it must lead to the master",
    );
  }
}

/** @throws {TypeError} If it is not a URL of Redis. The message omits the address, which may contain a password. */
function checkUrl(address: string): string {
  const url = typeof address === "string"
    ? address.replace(/^valkey(s?):/i, "redis$1:")
    : "";
  if (!/^rediss?:\/\//i.test(url) || !URL.canParse(url)) {
    throw new TypeError(
      'Cannot create storage: url must be like "redis://localhost:6379"; to connect in another way, pass a client',
    );
  }
  return url;
}
