/**
 * An engine on Redis and Valkey.
 *
 * @module
 */
import { fromUtf8 } from "../../../core/bytes.ts";
import { checkPrefix } from "../prefix.ts";
import { foreignRecord, newVersion } from "../record.ts";
import type { RedisSend } from "./client.ts";
import { isReply } from "./replies.ts";
import {
  ABSENT,
  ANY,
  DEADLINE,
  DELETE,
  FOREIGN,
  HEAD,
  type Script,
  TOUCH,
  VERSION,
  WRITE,
} from "./scripts.ts";
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "../../contract.ts";

/** Keeps records in Redis or Valkey. */
export class RedisEngine implements Engine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: true,
    shared: true,
    selfContained: false,
    // The default limit of Redis for one argument (proto-max-bulk-len).
    maxBytes: 512 * 1024 * 1024 - HEAD,
  };
  /** Exists only if the engine owns the connection. */
  readonly close?: () => Promise<void>;
  readonly #send: RedisSend;
  readonly #prefix: string;
  readonly #now: () => number;

  constructor(
    send: RedisSend,
    prefix: string,
    now: () => number,
    close?: () => Promise<void>,
  ) {
    checkPrefix(prefix);
    this.#send = send;
    this.#prefix = prefix;
    this.#now = now;
    if (close) this.close = close;
  }

  async read(key: string): Promise<EngineRecord | null> {
    const at = this.#prefix + key;
    let found: unknown;
    try {
      found = await this.#send(at, ["GET", at]);
    } catch (error) {
      if (!isReply(error, "WRONGTYPE")) throw error;
      return foreignRecord(FOREIGN);
    }
    if (found === null) return null;
    // Clients can be configured to return bytes.
    const text = found instanceof Uint8Array ? fromUtf8(found) ?? "!" : found;
    if (typeof text !== "string") {
      throw new TypeError(
        "the client of Redis returned a value that is not text",
      );
    }
    if (!/^[\w-]{16}/.test(text)) return foreignRecord(text && FOREIGN);
    const version = text.slice(0, VERSION);
    const expires = Number(text.slice(VERSION, HEAD));
    if (Number.isNaN(expires)) return foreignRecord(version);
    return { value: text.slice(HEAD), version, expires };
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    const version = newVersion();
    const record = version + String(expires).padEnd(DEADLINE) + value;
    const left = this.#left(expires);
    const at = this.#prefix + key;
    if (ifVersion === undefined) {
      await this.#send(at, ["SET", at, record, "PX", left]);
      return version;
    }
    const expected = ifVersion ?? ABSENT;
    if (expected === ABSENT) {
      // Costs the server a fifth of the script, which is left to decide what is stored under the key.
      const reply = await this.#send(at, ["SET", at, record, "PX", left, "NX"]);
      if (String(reply) === "OK") return version;
    }
    return await this.#run(WRITE, at, [`${expected}`, record, left])
      ? version
      : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const at = this.#prefix + key;
    if (ifVersion !== undefined) {
      return await this.#run(DELETE, at, [`${ifVersion ?? ABSENT}`]);
    }
    await this.#send(at, ["DEL", at]);
    return true;
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion = ANY }: DeleteOptions = {},
  ): Promise<boolean> {
    return await this.#run(TOUCH, this.#prefix + key, [
      `${ifVersion ?? ABSENT}`,
      String(expires).padEnd(DEADLINE),
      this.#left(expires),
    ]);
  }

  /** The time left, in milliseconds. Not an instant, because the server's clock may differ. */
  #left(expires: number): string {
    const left = Math.ceil(expires - this.#now());
    return String(left > 1 ? left : 1);
  }

  async #run(
    { text, digest }: Script,
    at: string,
    args: string[],
  ): Promise<boolean> {
    const rest = ["1", at, ...args];
    let reply: unknown;
    try {
      reply = await this.#send(at, ["EVALSHA", digest, ...rest]);
    } catch (error) {
      if (!isReply(error, "NOSCRIPT")) throw error;
      // A server that was restarted, or another node of a cluster. From now on it knows the script.
      reply = await this.#send(at, ["EVAL", text(), ...rest]);
    }
    if (!/^[01]$/.test(String(reply))) {
      throw new TypeError(
        "the client of Redis returned a value that is not a script's",
      );
    }
    return Number(reply) === 1;
  }
}
