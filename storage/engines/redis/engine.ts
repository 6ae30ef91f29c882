/**
 * An engine on Redis and Valkey.
 *
 * @module
 */
import { sha1 } from "@noble/hashes/legacy.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { fromUtf8, utf8 } from "../../../core/bytes.ts";
import { checkPrefix } from "../prefix.ts";
import { foreignRecord, newVersion } from "../record.ts";
import type { RedisSend } from "./client.ts";
import { isReply } from "./replies.ts";
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "../../contract.ts";

interface Script {
  readonly text: string;
  readonly digest: string;
}

// A record is a string: its version (which the writer makes), its deadline, padded with spaces, and its text. It is not
// a hash, because the commands for strings are the cheapest, and a string takes a third less memory.
const VERSION = 16;
/** The greatest length of a number as text. */
const DEADLINE = 24;
const HEAD = VERSION + DEADLINE;

const ANY = "*";
const ABSENT = "";
const FOREIGN = "!";

// Each script has one key, so that any node of a cluster can run it. A script reads only the version, which is empty if
// the record does not exist. For a value that another program wrote, the script uses `!` as the version.
const CHECKED = `
local v = redis.pcall('GETRANGE', KEYS[1], 0, ${VERSION - 1})
if v ~= ARGV[1] then
  if type(v) == 'table' then
    if not string.find(v.err, 'WRONGTYPE', 1, true) then return v end
    v = '${FOREIGN}'
  elseif v ~= '' and (#v < ${VERSION} or string.find(v, '[^%w_-]')) then
    v = '${FOREIGN}'
  end
`;

// A client that lost an answer with its connection may send the command again: the script then finds the new version.
const WRITE = script(`${CHECKED}
  if v == string.sub(ARGV[2], 1, ${VERSION}) then return 1 end
  if v ~= ARGV[1] then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
`);

const DELETE = script(`${CHECKED}
  if v ~= ARGV[1] then return 0 end
end
redis.call('DEL', KEYS[1])
return 1
`);

const TOUCH = script(`${CHECKED}
  if ARGV[1] ~= '${ANY}' then return 0 end
end
if #v < ${VERSION} then return 0 end
local e = redis.call('GETRANGE', KEYS[1], ${VERSION}, ${HEAD - 1})
if not tonumber(e) then return 0 end
redis.call('SETRANGE', KEYS[1], ${VERSION}, ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`);

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
    if (ifVersion === undefined) {
      const at = this.#prefix + key;
      await this.#send(at, ["SET", at, record, "PX", left]);
      return version;
    }
    const expected = ifVersion ?? ABSENT;
    const written = await this.#run(WRITE, key, [`${expected}`, record, left]);
    return written ? version : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    if (ifVersion !== undefined) {
      return await this.#run(DELETE, key, [`${ifVersion ?? ABSENT}`]);
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
    return await this.#run(TOUCH, key, [
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
      // A server that was restarted, or another node of a cluster. From now on it knows the script.
      reply = await this.#send(at, ["EVAL", text, ...rest]);
    }
    if (!/^[01]$/.test(String(reply))) {
      throw new TypeError(
        "the client of Redis returned a value that is not a script's",
      );
    }
    return Number(reply) === 1;
  }
}

function script(text: string): Script {
  return { text, digest: bytesToHex(sha1(utf8(text))) };
}
