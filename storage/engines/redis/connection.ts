/**
 * A connection to Redis by an address, through node-redis.
 *
 * @module
 */
import { CallTimeout } from "../../../core/call_timeout.ts";
import { Lazy } from "../lazy.ts";
import { loadClient } from "../load_client.ts";
import { isReply, type NodeRedisLike, type RedisSend } from "./client.ts";

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

type Waiting = (outcome: { error?: unknown }) => void;

const TIMEOUT = 5_000;
const MAX_RETRY_DELAY = 500;

/**
 * A connection that the first command opens, and that is opened again after a loss.
 *
 * Without a connection, commands wait for the current attempt to connect, and fail with it. They do not wait
 * longer in a queue: while the server is down, requests fail at once instead of hanging. No command is sent twice.
 */
export class RedisConnection {
  readonly #url: string;
  readonly #ms: number;
  readonly #timeout: CallTimeout;
  readonly #client: Lazy<NodeRedis> = new Lazy(() => this.#open());
  #waiting: Waiting[] = [];
  #due = 0;
  #answered = 0;
  #watch: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param address `redis://…`, `rediss://…`, or the same with `valkey`.
   * @param timeout How long a server may take to accept a connection, and how long it may be silent while commands wait
   * for an answer, in milliseconds.
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
    return client?.isReady
      ? this.#ask(client, args)
      : this.#ready().then((client) => this.#ask(client, args));
  };

  readonly close = async (): Promise<void> => {
    clearTimeout(this.#watch);
    this.#watch = undefined;
    const client = await this.#client.take()?.catch(() => undefined);
    if (!client) return;
    if (!client.isReady) return this.#drop(client);
    await this.#timeout.run(() => client.close(), () => client.destroy());
  };

  #ask(client: NodeRedis, args: string[]): Promise<unknown> {
    this.#due++;
    this.#keepWatch();
    const answered = () => {
      this.#due--;
      this.#answered++;
    };
    return client.sendCommand(args).then((reply) => {
      answered();
      return reply;
    }, (cause) => {
      answered();
      if (this.#client.value === client || isReply(cause)) throw cause;
      throw new Error("the connection to Redis was closed or did not answer", {
        cause,
      });
    });
  }

  async #ready(): Promise<NodeRedis> {
    const client = await this.#client.get();
    if (client.isReady) return client;
    const outcome = new Promise<{ error?: unknown }>((resolve) => {
      this.#waiting.push(resolve);
    });
    // A server may accept a connection and then say nothing.
    const { error } = await this.#timeout.run(() => outcome, () => {
      if (this.#client.value === client) this.#drop(client);
    });
    if (error !== undefined) throw error;
    return client;
  }

  async #open(): Promise<NodeRedis> {
    const { createClient } = await loadClient(
      "redis",
      "^6.0.0",
    ) as NodeRedisPackage;
    const client = createClient({
      url: this.#url,
      disableOfflineQueue: true,
      // node-redis' own timeout ends when a command is written, and costs a timer for each command.
      commandOptions: { timeout: undefined },
      socket: {
        connectTimeout: this.#ms,
        reconnectStrategy: (retries: number) =>
          Math.min(20 * 2 ** retries, MAX_RETRY_DELAY) * (0.5 + Math.random()),
      },
    });
    let connected = false;
    client.on("ready", () => {
      connected = true;
      this.#settle({});
    });
    client.on("error", (error) => {
      // The loss of a connection is not a failure of the next attempt to connect.
      if (!connected) this.#settle({ error });
      connected = false;
    });
    // The event "error" reports failures.
    client.connect().catch(() => {});
    return client;
  }

  #settle(outcome: { error?: unknown }): void {
    for (const settle of this.#waiting.splice(0)) settle(outcome);
  }

  #drop(client: NodeRedis): void {
    this.#client.forget(client);
    client.destroy();
    this.#settle({ error: new Error("the connection to Redis was closed") });
  }

  /**
   * Drops a connection that was silent for the whole timeout. One timer serves all commands, and is not set again for
   * each answer: that would cost more than the rest of a command here.
   */
  #keepWatch(): void {
    if (this.#watch !== undefined) return;
    const client = this.#client.value;
    const answered = this.#answered;
    this.#watch = setTimeout(() => {
      this.#watch = undefined;
      if (this.#due === 0) return;
      if (this.#answered !== answered || this.#client.value !== client) {
        return this.#keepWatch();
      }
      if (client) this.#drop(client);
    }, this.#ms);
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
