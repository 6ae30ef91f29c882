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
  /** Reads a value and what was stored beside it. */
  getWithMetadata(
    key: string,
  ): Promise<{ value: string | null; metadata: unknown }>;
  /** Writes both, for so many seconds. */
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

/** KV's limit for a key, in bytes, less the 43 of an id's hash. */
const MAX_PREFIX = 512 - 43;
/** Ten years, in seconds: longer than any cookie lives, and no number that KV might stumble over. */
const LONGEST = 10 * 365 * 24 * 60 * 60;
/** How often a write is tried. */
const ATTEMPTS = 3;

/** The engine behind {@linkcode createCloudflareKVSessionStorage}. */
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
          `Cannot create storage: kv must be a KV namespace, and has no ${name}()`,
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
      LONGEST,
      Math.max(this.guarantees.minSeconds, seconds),
    );
    const version = newVersion();
    const options = { expirationTtl, metadata: { expires, version } };
    await this.#patiently(() =>
      this.#kv.put(this.#prefix + key, value, options)
    );
    return version;
  }

  async delete(key: string): Promise<boolean> {
    await this.#patiently(() => this.#kv.delete(this.#prefix + key));
    return true;
  }

  /** A redirect that consumes the flash which the request before it has set comes within KV's second. */
  async #patiently(change: () => Promise<void>): Promise<void> {
    for (let attempt = 1;; attempt++) {
      try {
        return await change();
      } catch (error) {
        if (attempt === ATTEMPTS || !isTooEarly(error)) throw error;
        await this.#wait(1000 + 250 * Math.random());
      }
    }
  }
}

/** Whether KV refuses a second write within a second: it says so in a message only, "KV PUT failed: 429 …". */
function isTooEarly(error: unknown): boolean {
  return error instanceof Error &&
    /\b429\b|too many requests/i.test(error.message);
}
