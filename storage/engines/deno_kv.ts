/**
 * An engine on Deno KV.
 *
 * @module
 */
import { fromUtf8, utf8 } from "../../core/bytes.ts";
import { delay } from "../../core/runtime.ts";
import { Lazy } from "./lazy.ts";
import { checkPrefix } from "./prefix.ts";
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "../contract.ts";

/** The part of `Deno.Kv` that sessions need. */
export interface KvLike {
  /** Reads one entry. */
  get(key: readonly string[]): Promise<KvEntryLike>;
  /** Begins a transaction. */
  atomic(): KvAtomicLike;
  /** Closes the database. */
  close(): void;
}

/** An entry of Deno KV. Both fields are `null` if the key does not exist. */
export interface KvEntryLike {
  /** The stored value. */
  value: unknown;
  /** Its version. */
  versionstamp: string | null;
}

/** A transaction of Deno KV. */
export interface KvAtomicLike {
  /** Requires that an entry has a version, or that it does not exist (`null`). */
  check(entry: {
    key: readonly string[];
    versionstamp: string | null;
  }): KvAtomicLike;
  /** Writes an entry. */
  set(
    key: readonly string[],
    value: unknown,
    options?: { expireIn?: number },
  ): KvAtomicLike;
  /** Deletes an entry. */
  delete(key: readonly string[]): KvAtomicLike;
  /** Commits the transaction: all of it or nothing. */
  commit(): Promise<{ ok: boolean; versionstamp?: string }>;
}

/** A key of Deno KV takes at most 2 KiB, and the hash of an id is a part of it. */
const MAX_PREFIX = 1900;

/** A thousand years: longer than any session lives. Deno KV refuses the largest spans that a `Date` can express. */
const MAX_EXPIRE_IN = 31_536_000_000_000;

/** A value of Deno KV takes at most 64 KiB, serialized by V8. It adds fewer bytes than these to a record. */
const OVERHEAD = 128;

/**
 * A local database is a SQLite file. While another process writes to it, Deno does not wait: the transaction fails with
 * this message. Measured with 12 processes that only write: up to 4 attempts, but many more where the disk is slow.
 */
const LOCKED = "database is locked";

/** The longest wait before a transaction is repeated, in milliseconds. */
const MAX_DELAY = 40;

/** Keeps records in Deno KV. */
export class DenoKvEngine implements Engine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: true,
    shared: true,
    selfContained: false,
    maxBytes: 64 * 1024 - OVERHEAD,
  };
  readonly #kv: Lazy<KvLike>;
  /** Whether this engine opens the database, and closes it. */
  readonly #own: boolean;
  readonly #prefix: string;
  readonly #now: () => number;
  readonly #patience: number;

  /** @param patience How long to repeat a transaction while the database is locked, in milliseconds. */
  constructor(
    given: KvLike | Promise<KvLike> | undefined,
    prefix: string,
    now: () => number,
    patience: number,
  ) {
    checkPrefix(prefix, { maxBytes: MAX_PREFIX });
    this.#kv = new Lazy(given ? async () => await given : openDefault());
    this.#own = !given;
    this.#prefix = prefix;
    this.#now = now;
    this.#patience = patience;
  }

  async read(key: string): Promise<EngineRecord | null> {
    const entry = await (await this.#kv.get()).get([this.#prefix, key]);
    if (entry.versionstamp === null) return null;
    const { text, expires } = (entry.value ?? {}) as Record<string, unknown>;
    return {
      // Text that another program wrote does not decode to a session: the storage reports it as corrupt.
      value: text instanceof Uint8Array ? fromUtf8(text) ?? "" : "",
      version: entry.versionstamp,
      expires: typeof expires === "number" ? expires : Infinity,
    };
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    const at = [this.#prefix, key];
    const left = Math.ceil(expires - this.#now());
    const expireIn = Math.min(Math.max(1, left), MAX_EXPIRE_IN);
    // Bytes, because V8 takes two bytes for each letter of a text that contains one beyond Latin-1.
    const record = { text: utf8(value), expires };
    const written = await this.#commit((kv) =>
      begin(kv, at, ifVersion).set(at, record, { expireIn })
    );
    return written.ok ? written.versionstamp : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const at = [this.#prefix, key];
    const deleted = await this.#commit((kv) =>
      begin(kv, at, ifVersion).delete(at)
    );
    return deleted.ok;
  }

  async close(): Promise<void> {
    const opened = this.#kv.take();
    if (opened && this.#own) (await opened).close();
  }

  /** Commits a transaction, and repeats it while another process has locked the database. */
  async #commit(
    transaction: (kv: KvLike) => KvAtomicLike,
  ): ReturnType<KvAtomicLike["commit"]> {
    const kv = await this.#kv.get();
    const until = performance.now() + this.#patience;
    for (let attempt = 1;; attempt++) {
      try {
        return await transaction(kv).commit();
      } catch (error) {
        const locked = error instanceof Error && error.message === LOCKED;
        if (!locked || performance.now() > until) throw error;
        await delay(Math.random() * Math.min(MAX_DELAY, 2 ** attempt));
      }
    }
  }
}

function begin(kv: KvLike, key: string[], ifVersion: unknown): KvAtomicLike {
  const versionstamp = ifVersion as string | null | undefined;
  return versionstamp === undefined
    ? kv.atomic()
    : kv.atomic().check({ key, versionstamp });
}

/** @throws {TypeError} If the platform does not have Deno KV. */
function openDefault(): () => Promise<KvLike> {
  const { Deno: deno } = globalThis as { Deno?: { openKv?: () => unknown } };
  const { openKv } = deno ?? {};
  if (!openKv) {
    throw new TypeError(
      'Cannot create storage: this runtime does not have Deno KV; on Deno, add "unstable": ["kv"] to deno.json; elsewhere, pass the kv of @deno/kv',
    );
  }
  return async () => await openKv.call(deno) as KvLike;
}
