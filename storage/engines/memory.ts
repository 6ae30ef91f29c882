/**
 * An engine in this process's memory.
 *
 * @module
 */
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "../contract.ts";

const SWEEP_EVERY = 60_000;
/** A full storage must not look through all of its sessions on every write. */
const SWEEP_WHEN_FULL_EVERY = 1_000;

/** Keeps records in a `Map`. */
export class MemoryEngine implements Engine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: false,
    shared: false,
    selfContained: false,
    evicts: "oldest",
  };
  // A Map keeps the order of insertion, and each write inserts its record again: the first one is the least recently
  // written.
  readonly #records = new Map<string, EngineRecord>();
  readonly #max: number;
  readonly #now: () => number;
  readonly #onEvict: () => void;
  #sweptAt = -Infinity;
  #writes = 0;

  constructor(max: number, now: () => number, onEvict: () => void) {
    this.#max = max;
    this.#now = now;
    this.#onEvict = onEvict;
  }

  async read(key: string): Promise<EngineRecord | null> {
    return this.#records.get(key) ?? null;
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    if (!this.#holds(key, ifVersion)) return null;
    const version = ++this.#writes;
    this.#records.delete(key);
    this.#records.set(key, { value, version, expires });
    await this.#makeRoom();
    return version;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    if (!this.#holds(key, ifVersion)) return false;
    this.#records.delete(key);
    return true;
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const record = this.#records.get(key);
    if (!record || !this.#holds(key, ifVersion)) return false;
    this.#records.set(key, { ...record, expires });
    return true;
  }

  async sweep(now: number): Promise<void> {
    this.#sweptAt = now;
    for (const [key, { expires }] of this.#records) {
      if (!(expires > now)) this.#records.delete(key);
    }
  }

  #holds(key: string, ifVersion: unknown): boolean {
    return ifVersion === undefined ||
      ifVersion === (this.#records.get(key)?.version ?? null);
  }

  async #makeRoom(): Promise<void> {
    const now = this.#now();
    const full = this.#records.size > this.#max;
    // A clock that was set back must not delay the next sweep.
    if (
      Math.abs(now - this.#sweptAt) >=
        (full ? SWEEP_WHEN_FULL_EVERY : SWEEP_EVERY)
    ) await this.sweep(now);
    if (this.#records.size <= this.#max) return;
    const oldest = this.#records.keys().next();
    if (!oldest.done) this.#records.delete(oldest.value);
    this.#onEvict();
  }
}
