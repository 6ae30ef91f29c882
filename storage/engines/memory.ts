/**
 * An engine in this process's memory.
 *
 * @module
 */
import type {
  DeleteOptions,
  EngineRecord,
  OwnedRecord,
  StorageGuarantees,
  SynchronousEngine,
  WriteOptions,
} from "../contract.ts";
import { delay } from "../../core/runtime.ts";
import { type Background, background } from "./background.ts";
import { CautiousClock } from "./cautious_clock.ts";
import { Deadlines, type Due } from "./deadlines.ts";
import { Recency, type Used } from "./recency.ts";
import { SplitMap } from "./split_map.ts";

/** How long to wait, in milliseconds, before expired records are looked for again. */
const SWEEP_EVERY = 20_000;
/** How many records are removed in one go: a millisecond or two, if none is in a cache of the processor. */
const BATCH = 100;

interface MemoryRecord extends EngineRecord {
  readonly version: number;
}

/** A record and its positions among the others. */
class Kept implements Due, Used<Kept> {
  readonly key: string;
  /** Replaced and never changed, because callers hold it. */
  record: MemoryRecord;
  owner: string | undefined;
  group: Recency<Kept> | undefined;
  before: Kept | undefined;
  after: Kept | undefined;
  position = -1;

  constructor(key: string, record: MemoryRecord) {
    this.key = key;
    this.record = record;
  }

  get expires(): number {
    return this.record.expires;
  }
}

/**
 * Keeps records in memory. If there are more than `max`, one is evicted.
 *
 * Strangers create sessions too, for example by failed logins. They must not evict the users, so there are two groups,
 * each in the order of last use. A record joins the first group when it is written with an owner, or, while no record
 * has an owner, when it is read or written again. The second group is evicted first. The first group holds at most three
 * quarters of the records, because new sessions need room too. Beyond that, its least recently used record moves to the
 * second group.
 *
 * Expired records are removed in batches: by writes, and every 20 seconds while there are records. No call looks
 * through the others.
 */
export class MemoryEngine implements SynchronousEngine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: false,
    shared: false,
    selfContained: false,
    evicts: "oldest",
  };
  readonly #records = new SplitMap<Kept>();
  /** Of each owner, the least recently written first. */
  readonly #owners = new SplitMap<Set<Kept>>();
  readonly #deadlines = new Deadlines<Kept>();
  readonly #first = new Recency<Kept>();
  readonly #second = new Recency<Kept>();
  readonly #max: number;
  readonly #now: () => number;
  readonly #onEvict: (key: string) => void;
  readonly #background: Background;
  readonly #clock: CautiousClock;
  #writes = 0;
  /** Whether a sweep will come. */
  #waits = false;

  constructor(
    max: number,
    now: () => number,
    onEvict: (key: string) => void,
    platform: Background = background,
  ) {
    this.#max = max;
    this.#now = now;
    this.#onEvict = onEvict;
    this.#background = platform;
    this.#clock = new CautiousClock(now, platform.elapsed);
  }

  read(key: string): EngineRecord | null {
    const kept = this.#records.get(key);
    if (!kept) return null;
    this.#use(kept);
    return kept.record;
  }

  write(
    key: string,
    value: string,
    { expires, ifVersion, owner }: WriteOptions,
  ): unknown {
    const old = this.#records.get(key);
    if (!holds(old, ifVersion)) return null;
    const version = ++this.#writes;
    const record = { value, version, expires };
    const kept = old ?? new Kept(key, record);
    kept.record = record;
    this.#setOwner(kept, owner);
    if (old) this.#deadlines.update(kept);
    else {
      this.#records.set(key, kept);
      this.#deadlines.add(kept);
      this.#join(kept, this.#second);
    }
    if (old || owner !== undefined) this.#use(kept);
    this.#makeRoom(kept);
    if (!this.#waits) this.#sweepLater(SWEEP_EVERY);
    return version;
  }

  delete(key: string, { ifVersion }: DeleteOptions = {}): boolean {
    const kept = this.#records.get(key);
    if (!holds(kept, ifVersion)) return false;
    if (kept) this.#remove(kept);
    return true;
  }

  touch(
    key: string,
    expires: number,
    { ifVersion }: DeleteOptions = {},
  ): boolean {
    const kept = this.#records.get(key);
    if (!kept || !holds(kept, ifVersion)) return false;
    kept.record = { ...kept.record, expires };
    this.#deadlines.update(kept);
    return true;
  }

  /** Returns an owner's records, the least recently written first. */
  async owned(owner: string): Promise<OwnedRecord[]> {
    const owned = this.#owners.get(owner) ?? [];
    return Array.from(owned, ({ key, record }) => ({ ...record, key }));
  }

  async sweep(now: number): Promise<number> {
    let removed = 0;
    for (;;) {
      const before = this.#records.size;
      const more = this.#removeBatch(now);
      removed += before - this.#records.size;
      if (!more) return removed;
      await delay(0);
    }
  }

  #setOwner(kept: Kept, owner: string | undefined): void {
    const { owner: old } = kept;
    if (old !== undefined) {
      const owned = this.#owners.get(old);
      owned?.delete(kept);
      if (owned?.size === 0 && owner !== old) this.#owners.delete(old);
    }
    kept.owner = owner;
    if (owner === undefined) return;
    const owned = this.#owners.get(owner);
    if (owned) owned.add(kept);
    else this.#owners.set(owner, new Set([kept]));
  }

  #use(kept: Kept): void {
    const first = kept.owner !== undefined || this.#owners.size === 0;
    this.#join(kept, first ? this.#first : this.#second);
    if (this.#first.size <= this.#max - Math.floor(this.#max / 4)) return;
    const oldest = this.#first.first;
    if (oldest) this.#join(oldest, this.#second);
  }

  #join(kept: Kept, group: Recency<Kept>): void {
    kept.group?.remove(kept);
    kept.group = group;
    group.add(kept);
  }

  #makeRoom(written: Kept): void {
    const now = this.#now();
    if (this.#hasExpired(now)) this.#removeBatch(this.#clock.now());
    if (this.#records.size <= this.#max || this.#removeExpired(now)) return;
    const oldest = this.#second.first;
    // A write must not evict its own record.
    const evicted = !oldest || oldest === written ? this.#first.first : oldest;
    if (!evicted) return;
    this.#remove(evicted);
    this.#onEvict(evicted.key);
  }

  #sweepLater(ms: number): void {
    // A sweep must not keep a storage in memory that is not used anymore.
    const weak = new WeakRef(this);
    this.#waits = this.#background.later(ms, () => {
      const engine = weak.deref();
      if (engine) engine.#sweepBatch();
    });
    // So that a jump of the clock is noticed.
    this.#clock.now();
  }

  #sweepBatch(): void {
    const more = this.#removeBatch(this.#clock.now());
    this.#waits = false;
    if (this.#records.size > 0) this.#sweepLater(more ? 0 : SWEEP_EVERY);
  }

  /** Removes the records that expired first, as many as one go allows. Returns `true` if there are more. */
  #removeBatch(now: number): boolean {
    for (let count = 0; count < BATCH; count++) {
      if (!this.#removeExpired(now)) return false;
    }
    return this.#hasExpired(now);
  }

  /** Removes the record that expired first. Returns `false` if none has. */
  #removeExpired(now: number): boolean {
    const { first } = this.#deadlines;
    if (!first || !this.#hasExpired(now)) return false;
    this.#remove(first);
    return true;
  }

  #hasExpired(now: number): boolean {
    const { first } = this.#deadlines;
    return first !== undefined && first.expires <= now;
  }

  #remove(kept: Kept): void {
    this.#records.delete(kept.key);
    this.#deadlines.remove(kept);
    kept.group?.remove(kept);
    this.#setOwner(kept, undefined);
  }
}

function holds(kept: Kept | undefined, ifVersion: unknown): boolean {
  return ifVersion === undefined ||
    ifVersion === (kept?.record.version ?? null);
}
