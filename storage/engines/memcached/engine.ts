/**
 * An engine on Memcached.
 *
 * @module
 */
import { utf8Length } from "../../../core/bytes.ts";
import { checkPrefix } from "../prefix.ts";
import { newVersion } from "../record.ts";
import type { MemcacheLike } from "./client.ts";
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "../../contract.ts";

/** The server's default limit for an item, key and header included (`-I`). */
const ITEM_BYTES = 1_048_576;
/** The item's header (48), its version (8), and the ends of its key (1) and value (2): measured on 1.6. */
const ITEM_OVERHEAD = 59;
/** A deadline of at most 16 digits, a nonce, and a space after each. */
const HEADER_BYTES = 34;
const KEY_BYTES = 43;
/** A key of Memcached takes at most 250 bytes, and the hash of an id is a part of it. */
const MAX_PREFIX = 207;

/** The server counts a lifetime up to this one from now. It takes a longer one for seconds since 1970. */
const RELATIVE_SECONDS = 2_592_000;
/** How far the clocks of client and server may differ, in seconds. Beyond, a session of 30 days or more expires early. */
const CLOCK_MARGIN = 86_400;
/** The server reads lifetimes into 32 bits with a sign. */
const LAST_SECOND = 2_147_483_647;
/** Lifetimes with a meaning of their own. */
const NEVER_EXPIRES = 0;
const EXPIRED = -1;

/**
 * A version. The server knows an item by its `cas`, but does not return it for an item that was just written: until the
 * next read, only the nonce in the value identifies it.
 */
interface Version {
  readonly nonce: string;
  readonly cas?: string | number;
}

/** Keeps records in Memcached: the deadline in milliseconds, a nonce and the text, with spaces between them. */
export class MemcachedEngine implements Engine {
  readonly guarantees: StorageGuarantees;
  /** Exists only if the engine owns the connection. */
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
    checkPrefix(prefix, {
      maxBytes: MAX_PREFIX,
      without: "spaces or control characters",
    });
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
      // Text that another program wrote does not decode to a session: the storage reports it as corrupt.
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
      ? await succeedsUnless(
        "NOT_STORED",
        this.#client.add(at, text, { lifetime }),
      )
      : await this.#cas(key, text, lifetime, ifVersion as Version);
    return written ? version : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    if (ifVersion === undefined) {
      await succeedsUnless(
        "NOT_FOUND",
        this.#client.delete(this.#prefix + key),
      );
      return true;
    }
    if (ifVersion === null) return await this.read(key) === null;
    // The protocol does not have a conditional delete, but it can store an item that has already expired.
    return await this.#cas(key, "", EXPIRED, ifVersion as Version);
  }

  async #cas(
    key: string,
    text: string,
    lifetime: number,
    { nonce, cas }: Version,
  ): Promise<boolean> {
    let casUniq = cas;
    if (casUniq === undefined) {
      // Storing an item does not return its `cas`. It is needed only if a request saves one session twice.
      const { nonce: found, cas } = await this.#versionOf(key);
      if (found !== nonce || cas === undefined) return false;
      casUniq = cas;
    }
    const options = { casUniq, lifetime };
    return await succeedsUnless(
      /^(EXISTS|NOT_FOUND)/,
      this.#client.cas(this.#prefix + key, text, options),
    );
  }

  async #versionOf(key: string): Promise<Partial<Version>> {
    return (await this.read(key))?.version ?? {};
  }

  /** How long the server keeps an item: longer than the session, whose exact deadline is in the value. */
  #lifetime(expires: number): number {
    const left = Math.max(0, Math.ceil((expires - this.#now()) / 1000));
    // The server's clock changes once a second, so that the first second may be short.
    const seconds = left + 1;
    if (seconds <= RELATIVE_SECONDS) return seconds;
    // The server compares it with the real time, not with `now`.
    const instant = Math.ceil(Date.now() / 1000) + seconds + CLOCK_MARGIN;
    return instant > LAST_SECOND ? NEVER_EXPIRES : instant;
  }
}

/** Whether a command succeeds. Returns `false` if the error begins with `answer`, and throws any other error. */
async function succeedsUnless(
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
