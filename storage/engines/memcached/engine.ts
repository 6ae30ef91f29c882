/**
 * The engine behind `createMemcacheSessionStorage`.
 *
 * @module
 */
import { utf8Length } from "../../../core/bytes.ts";
import { checkPrefix as checkPrefixOf } from "../prefix.ts";
import { newVersion } from "../record.ts";
import type { MemcacheLike } from "./client.ts";
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "../../contract.ts";

/** The largest item, key and header included, unless the server was told otherwise (`-I`). */
const ITEM_BYTES = 1024 * 1024;
/** The item's header (48), its version (8), the key's end (1) and the value's (2): measured on 1.6. */
const ITEM_OVERHEAD = 59;
/** A deadline, a nonce and a space after each: the deadline of at most 16 digits. */
const HEADER_BYTES = 16 + 1 + 16 + 1;
const KEY_BYTES = 43;
/** A key takes 250 bytes, with the hash of an id in it. */
const MAX_PREFIX = 250 - KEY_BYTES;

/** Up to here a lifetime counts in seconds from now; beyond, it is taken for seconds since 1970. */
const RELATIVE_SECONDS = 30 * 24 * 60 * 60;
/** The clocks of client and server may be this far apart, in seconds, before a session of more than 30 days ends early. */
const CLOCK_MARGIN = 24 * 60 * 60;
/** The server reads lifetimes into 32 bits with a sign. */
const LAST_SECOND = 2 ** 31 - 1;
const FOR_GOOD = 0;
const AT_ONCE = -1;

/** A version: known to the server by `cas`, or, of an item just written, so far only by what its value begins with. */
interface Version {
  readonly nonce: string;
  readonly cas?: string | number;
}

/** Records in Memcached: the deadline in milliseconds, a nonce and the text, with a space between. */
export class MemcachedEngine implements Engine {
  readonly guarantees: StorageGuarantees;
  /** There only where the connection is this engine's own. */
  readonly close?: () => Promise<void>;
  readonly #client: MemcacheLike;
  readonly #prefix: string;
  readonly #now: () => number;

  constructor(
    client: MemcacheLike,
    prefix: string,
    now: () => number,
    close?: () => Promise<void>,
  ) {
    checkPrefix(prefix);
    this.#client = client;
    this.#prefix = prefix;
    this.#now = now;
    if (close) this.close = close;
    const overhead = ITEM_OVERHEAD + utf8Length(prefix) + KEY_BYTES +
      HEADER_BYTES;
    this.guarantees = {
      compareAndSet: true,
      reads: "strong",
      revoke: true,
      durable: false,
      shared: true,
      selfContained: false,
      evicts: "any",
      maxBytes: ITEM_BYTES - overhead,
    };
  }

  async read(key: string): Promise<EngineRecord | null> {
    const item = await this.#client.gets(this.#prefix + key);
    if (item === undefined || item === null) return null;
    const [, deadline, nonce = "", value = ""] =
      /^(\d{1,16}) ([\w-]{16}) (.*)$/s.exec(
        typeof item.value === "string" ? item.value : "",
      ) ?? [];
    const { casUniq: cas } = item;
    return {
      // What another program has put here decodes to no session, and is told as such.
      value,
      version: cas === undefined ? { nonce } : { nonce, cas },
      expires: deadline ? Number(deadline) : Infinity,
    };
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    const at = this.#prefix + key;
    const nonce = newVersion();
    const text = `${Math.ceil(expires)} ${nonce} ${value}`;
    const lifetime = this.#lifetime(expires);
    const version: Version = { nonce };
    if (ifVersion === undefined) {
      await this.#client.set(at, text, { lifetime });
      return version;
    }
    const written = ifVersion === null
      ? await unless("NOT_STORED", this.#client.add(at, text, { lifetime }))
      : await this.#cas(key, text, lifetime, ifVersion as Version);
    return written ? version : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    if (ifVersion === undefined) {
      await unless("NOT_FOUND", this.#client.delete(this.#prefix + key));
      return true;
    }
    if (ifVersion === null) return await this.read(key) === null;
    // The protocol has no conditional delete, but an item can be over the moment it is stored.
    return await this.#cas(key, "", AT_ONCE, ifVersion as Version);
  }

  async #cas(
    key: string,
    text: string,
    lifetime: number,
    { nonce, cas }: Version,
  ): Promise<boolean> {
    let casUniq = cas;
    if (casUniq === undefined) {
      // Storing does not tell the new version. Only who saves one session twice asks for it.
      const { nonce: found, cas } = await this.#versionOf(key);
      if (found !== nonce || cas === undefined) return false;
      casUniq = cas;
    }
    const options = { casUniq, lifetime };
    return await unless(
      /^(EXISTS|NOT_FOUND)/,
      this.#client.cas(this.#prefix + key, text, options),
    );
  }

  async #versionOf(key: string): Promise<Partial<Version>> {
    return (await this.read(key))?.version ?? {};
  }

  /** How long the server keeps an item: longer than the session, whose exact deadline stands in the value. */
  #lifetime(expires: number): number {
    const left = Math.max(0, Math.ceil((expires - this.#now()) / 1000));
    // The server's clock moves once a second: the first second may be short.
    const seconds = left + 1;
    if (seconds <= RELATIVE_SECONDS) return seconds;
    // The server's time, whatever `now` has been made to say.
    const instant = Math.ceil(Date.now() / 1000) + seconds + CLOCK_MARGIN;
    return instant > LAST_SECOND ? FOR_GOOD : instant;
  }
}

/** Whether a command was carried out; the answer that it was not is no failure. */
async function unless(
  answer: string | RegExp,
  command: Promise<unknown>,
): Promise<boolean> {
  try {
    await command;
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.match(answer)?.index === 0) {
      return false;
    }
    throw error;
  }
}

/**
 * Checks a prefix of keys.
 *
 * @throws {TypeError} If it contains spaces or control characters, or is too long.
 */
export function checkPrefix(prefix: string): void {
  checkPrefixOf(prefix, {
    maxBytes: MAX_PREFIX,
    without: "spaces or control characters",
  });
}
