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

/** An entry of Deno KV; both are `null` where there is none. */
export interface KvEntryLike {
  /** What was stored. */
  value: unknown;
  /** Its version. */
  versionstamp: string | null;
}

/** A transaction of Deno KV. */
export interface KvAtomicLike {
  /** Demands that an entry is of a version, or absent. */
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
  /** Carries it out, whole or not at all. */
  commit(): Promise<{ ok: boolean; versionstamp?: string }>;
}

/** A key of Deno KV takes 2 KiB, with the hash of an id in it. */
export const MAX_PREFIX = 1900;

/** Longer than any session lives, and what Deno KV takes: it refuses to count so far as a Date does. */
const MAX_EXPIRE_IN = 1000 * 365 * 24 * 60 * 60 * 1000;

/** A value of Deno KV takes 64 KiB as V8 writes it; its own words around the record take less than this. */
const OVERHEAD = 128;

/**
 * A local database is a SQLite file, and Deno does not wait while another process writes to it: the transaction is not
 * carried out and says so. Measured with 12 processes that do nothing but write: up to 4 attempts.
 */
const LOCKED = "database is locked";
const MAX_ATTEMPTS = 50;
const MAX_DELAY = 40;

/** The engine behind {@linkcode createDenoKvSessionStorage}. */
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

  constructor(
    given: KvLike | Promise<KvLike> | undefined,
    prefix: string,
    now: () => number,
  ) {
    checkPrefix(prefix, { maxBytes: MAX_PREFIX });
    this.#kv = new Lazy(given ? async () => await given : openDefault());
    this.#own = !given;
    this.#prefix = prefix;
    this.#now = now;
  }

  async read(key: string): Promise<EngineRecord | null> {
    const entry = await (await this.#kv.get()).get([this.#prefix, key]);
    if (entry.versionstamp === null) return null;
    const { text, expires } = (entry.value ?? {}) as Record<string, unknown>;
    return {
      // What another program has put here decodes to no session, and is told as such.
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
    // Bytes, because V8 writes text with a single letter beyond Latin-1 at two bytes a letter.
    const record = { text: utf8(value), expires };
    const kv = await this.#kv.get();
    const written = await commit(() =>
      begin(kv, at, ifVersion).set(at, record, { expireIn })
    );
    return written.ok ? written.versionstamp : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const at = [this.#prefix, key];
    const kv = await this.#kv.get();
    const deleted = await commit(() => begin(kv, at, ifVersion).delete(at));
    return deleted.ok;
  }

  async close(): Promise<void> {
    const opened = this.#kv.take();
    if (opened && this.#own) (await opened).close();
  }
}

function begin(kv: KvLike, key: string[], ifVersion: unknown): KvAtomicLike {
  const versionstamp = ifVersion as string | null | undefined;
  return versionstamp === undefined
    ? kv.atomic()
    : kv.atomic().check({ key, versionstamp });
}

/** Carries out a transaction, as soon as no other process has the database for itself. */
async function commit(
  transaction: () => KvAtomicLike,
): ReturnType<KvAtomicLike["commit"]> {
  for (let attempt = 1;; attempt++) {
    try {
      return await transaction().commit();
    } catch (error) {
      const locked = error instanceof Error && error.message === LOCKED;
      if (!locked || attempt === MAX_ATTEMPTS) throw error;
      await delay(Math.random() * Math.min(MAX_DELAY, 2 ** attempt));
    }
  }
}

/** @throws {TypeError} If the platform has no Deno KV. */
function openDefault(): () => Promise<KvLike> {
  const { Deno: deno } = globalThis as { Deno?: { openKv?: () => unknown } };
  const { openKv } = deno ?? {};
  if (!openKv) {
    throw new TypeError(
      'Cannot create storage: there is no Deno KV here; add "unstable": ["kv"] to deno.json, or use another storage',
    );
  }
  return async () => await openKv.call(deno) as KvLike;
}
