/**
 * An engine on Cloudflare Workers KV.
 *
 * @module
 */
import { delay } from "../../core/runtime.ts";
import { checkPrefix } from "./prefix.ts";
import { foreignRecord, newVersion } from "./record.ts";
import type {
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "../contract.ts";

/** The part of a `KVNamespace` that sessions need. */
export interface KVNamespaceLike {
  /** Reads a value and its metadata. */
  getWithMetadata(
    key: string,
  ): Promise<{ value: string | null; metadata: unknown }>;
  /** Writes a value and its metadata. KV keeps them for `expirationTtl` seconds. */
  put(
    key: string,
    value: string,
    options: {
      expirationTtl: number;
      metadata: { expires: number; version: string };
    },
  ): Promise<void>;
  /** Deletes a value. */
  delete(key: string): Promise<void>;
}

/** A key of KV takes at most 512 bytes, 43 of which are the hash of an id. */
const MAX_PREFIX = 469;
/** Ten years, in seconds: longer than any cookie lives, and short enough for KV. */
const MAX_SECONDS = 315_360_000;
/** How often a change is tried. */
const MAX_CHANGE_ATTEMPTS = 3;

/** Keeps records in Workers KV. */
export class CloudflareKVEngine implements Engine {
  readonly guarantees: StorageGuarantees & { minSeconds: number } = {
    compareAndSet: false,
    reads: "eventual",
    revoke: false,
    durable: true,
    shared: true,
    selfContained: false,
    maxBytes: 25 * 1024 * 1024,
    minSeconds: 60,
  };
  readonly #kv: KVNamespaceLike;
  readonly #prefix: string;
  readonly #now: () => number;
  readonly #wait: (ms: number) => Promise<void>;

  constructor(
    kv: KVNamespaceLike,
    prefix: string,
    now: () => number,
    wait: (ms: number) => Promise<void> = delay,
  ) {
    for (const name of ["getWithMetadata", "put", "delete"] as const) {
      if (typeof kv?.[name] !== "function") {
        throw new TypeError(
          `Cannot create storage: kv must be a KV namespace, but it does not have ${name}()`,
        );
      }
    }
    checkPrefix(prefix, {
      maxBytes: MAX_PREFIX,
      without: "control characters",
    });
    this.#kv = kv;
    this.#prefix = prefix;
    this.#now = now;
    this.#wait = wait;
  }

  async read(key: string): Promise<EngineRecord | null> {
    const { value, metadata } = await this.#kv.getWithMetadata(
      this.#prefix + key,
    );
    if (value === null) return null;
    const { expires, version } = (metadata ?? {}) as Record<string, unknown>;
    return typeof value === "string" && typeof expires === "number"
      ? { value, version, expires }
      : foreignRecord(null);
  }

  async write(
    key: string,
    value: string,
    { expires }: WriteOptions,
  ): Promise<unknown> {
    const seconds = Math.ceil((expires - this.#now()) / 1000);
    const expirationTtl = Math.min(
      MAX_SECONDS,
      Math.max(this.guarantees.minSeconds, seconds),
    );
    const version = newVersion();
    const options = { expirationTtl, metadata: { expires, version } };
    await this.#retry(() => this.#kv.put(this.#prefix + key, value, options));
    return version;
  }

  async delete(key: string): Promise<boolean> {
    await this.#retry(() => this.#kv.delete(this.#prefix + key));
    return true;
  }

  /**
   * KV refuses a second write to a key within a second, with status 429. A redirect often causes one: its target reads
   * the flash that was just written.
   */
  async #retry(change: () => Promise<void>): Promise<void> {
    for (let attempt = 1;; attempt++) {
      try {
        return await change();
      } catch (error) {
        if (attempt === MAX_CHANGE_ATTEMPTS || !isTooManyRequests(error)) {
          throw error;
        }
        await this.#wait(1000 + 250 * Math.random());
      }
    }
  }
}

/** Whether KV refused a second write within a second. Only the message says so: "KV PUT failed: 429 …". */
function isTooManyRequests(error: unknown): boolean {
  return error instanceof Error &&
    /\b429\b|too many requests/i.test(error.message);
}
