/**
 * The engine behind `createRedisSessionStorage`.
 *
 * @module
 */
import { sha1 } from "@noble/hashes/legacy.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { fromUtf8, toBase64Url, utf8 } from "../core/_bytes.ts";
import { randomBytes } from "../core/_runtime.ts";
import type { RedisSend } from "./_redis_client.ts";
import type {
  Backend,
  BackendRecord,
  DeleteOptions,
  StorageGuarantees,
  WriteOptions,
} from "./contract.ts";

interface Script {
  readonly text: string;
  readonly digest: string;
}

// A record is a hash: its text (v), its version (n, chosen by whoever writes, at random) and its deadline (e).
// Each script has one key, so that any node of a cluster can run it.

/** The version: empty where there is no record, `!` where another program has put something else. */
const VERSION = `
local n = redis.pcall('HGET', KEYS[1], 'n')
if type(n) == 'table' then
  if not string.find(n.err, 'WRONGTYPE', 1, true) then return n end
  n = '!'
end
n = n or ''
`;

// A client that lost its connection may send a command again whose answer was lost: it finds its own version.
const WRITE = script(`${VERSION}
if n == ARGV[2] then return 1 end
if ARGV[1] ~= '*' and ARGV[1] ~= n then return 0 end
if n == '!' then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'v', ARGV[3], 'n', ARGV[2], 'e', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
`);

const DELETE = script(`${VERSION}
if ARGV[1] ~= n then return 0 end
redis.call('DEL', KEYS[1])
return 1
`);

const TOUCH = script(`
if redis.pcall('HEXISTS', KEYS[1], 'n') ~= 1 then return 0 end
if ARGV[3] ~= '*' and redis.call('HGET', KEYS[1], 'n') ~= ARGV[3] then
  return 0
end
redis.call('HSET', KEYS[1], 'e', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);

const ANY = "*";
const ABSENT = "";
const FOREIGN = "!";

/** Records in Redis or Valkey. */
export class RedisBackend implements Backend {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: true,
    shared: true,
    selfContained: false,
    // What Redis takes as one argument unless told otherwise (proto-max-bulk-len).
    maxBytes: 512 * 1024 * 1024,
  };
  /** There only where the connection is this engine's own. */
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
    this.#send = send;
    this.#prefix = prefix;
    this.#now = now;
    if (close) this.close = close;
  }

  async read(key: string): Promise<BackendRecord | null> {
    const at = this.#prefix + key;
    let fields: unknown;
    try {
      fields = await this.#send(at, ["HMGET", at, "v", "n", "e"]);
    } catch (error) {
      if (!isReply(error, "WRONGTYPE")) throw error;
      // Decodes to no session, and is told as such.
      return { value: "", version: FOREIGN, expires: Infinity };
    }
    if (!Array.isArray(fields)) {
      throw new TypeError("Redis gave something that is no list of fields");
    }
    const [value, version, expires] = fields.map(textOf);
    if (typeof version === "string") {
      return { value: value ?? "", version, expires: Number(expires ?? NaN) };
    }
    return typeof value === "string"
      ? { value: "", version: ABSENT, expires: Infinity }
      : null;
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    const version = toBase64Url(randomBytes(12));
    const written = await this.#run(WRITE, key, [
      expected(ifVersion),
      version,
      value,
      String(expires),
      this.#left(expires),
    ]);
    return written ? version : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    if (ifVersion !== undefined) {
      return await this.#run(DELETE, key, [expected(ifVersion)]);
    }
    const at = this.#prefix + key;
    await this.#send(at, ["DEL", at]);
    return true;
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion = ANY }: DeleteOptions = {},
  ): Promise<boolean> {
    const args = [String(expires), this.#left(expires), String(ifVersion)];
    return await this.#run(TOUCH, key, args);
  }

  /** A span rather than an instant, so that it does not matter whose clock is right. */
  #left(expires: number): string {
    const left = Math.ceil(expires - this.#now());
    return String(left > 1 ? left : 1);
  }

  async #run(
    { text, digest }: Script,
    key: string,
    args: string[],
  ): Promise<boolean> {
    const at = this.#prefix + key;
    const rest = ["1", at, ...args];
    let reply: unknown;
    try {
      reply = await this.#send(at, ["EVALSHA", digest, ...rest]);
    } catch (error) {
      if (!isReply(error, "NOSCRIPT")) throw error;
      // A server that was started anew, or another node of a cluster: it remembers the script from here on.
      reply = await this.#send(at, ["EVAL", text, ...rest]);
    }
    return Number(reply) === 1;
  }
}

function script(text: string): Script {
  return { text, digest: bytesToHex(sha1(utf8(text))) };
}

function expected(ifVersion: unknown): string {
  if (ifVersion === undefined) return ANY;
  return ifVersion === null ? ABSENT : String(ifVersion);
}

/** Clients can be told to give bytes. */
function textOf(field: unknown): string | null {
  if (field instanceof Uint8Array) return fromUtf8(field) ?? "";
  return typeof field === "string" ? field : null;
}

/** Whether an error is the server's own word, of this kind. */
function isReply(error: unknown, kind: string): boolean {
  return error instanceof Error && error.message.startsWith(kind);
}
