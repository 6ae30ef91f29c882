/**
 * An engine in this process's memory.
 *
 * @module
 */
import type {
  DeleteOptions,
  EngineRecord,
  StorageGuarantees,
  SynchronousEngine,
  WriteOptions,
} from "../contract.ts";
import { Deadlines, type Due } from "./deadlines.ts";
import { Recency, type Used } from "./recency.ts";

/** While there is room, an expired record is kept for an hour: the clock may be ahead, and be set back. */
const SPARED = 3_600_000;

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
 * Keeps records in a `Map`. If there are more than `max`, one is evicted.
 *
 * Strangers create sessions too, for example by failed logins. They must not evict the users, so there are two groups,
 * each in the order of last use. A record joins the first group when it is written with an owner, or, while no record
 * has an owner, when it is read or written again. The second group is evicted first. The first group holds at most three
 * quarters of the records, because new sessions need room too. Beyond that, its least recently used record moves to the
 * second group.
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
  readonly #records = new Map<string, Kept>();
  readonly #owners = new Map<string, Set<Kept>>();
  readonly #deadlines = new Deadlines<Kept>();
  readonly #first = new Recency<Kept>();
  readonly #second = new Recency<Kept>();
  readonly #max: number;
  readonly #now: () => number;
  readonly #onEvict: (key: string) => void;
  #writes = 0;

  constructor(max: number, now: () => number, onEvict: (key: string) => void) {
    this.#max = max;
    this.#now = now;
    this.#onEvict = onEvict;
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

  /** Returns an owner's keys, the least recently written first. */
  async owned(owner: string): Promise<string[]> {
    return [...this.#owners.get(owner) ?? []]
      .sort((a, b) => a.record.version - b.record.version)
      .map(({ key }) => key);
  }

  async sweep(now: number): Promise<void> {
    while (this.#removeExpired(now));
  }

  #setOwner(kept: Kept, owner: string | undefined): void {
    if (kept.owner === owner) return;
    if (kept.owner !== undefined) {
      const owned = this.#owners.get(kept.owner);
      owned?.delete(kept);
      if (owned?.size === 0) this.#owners.delete(kept.owner);
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
    while (this.#removeExpired(now - SPARED));
    if (this.#records.size <= this.#max || this.#removeExpired(now)) return;
    const oldest = this.#second.first;
    // A write must not evict its own record.
    const evicted = !oldest || oldest === written ? this.#first.first : oldest;
    if (!evicted) return;
    this.#remove(evicted);
    this.#onEvict(evicted.key);
  }

  /** Removes the record that expired first. Returns `false` if none has. */
  #removeExpired(now: number): boolean {
    const { first } = this.#deadlines;
    if (!first || !(first.expires <= now)) return false;
    this.#remove(first);
    return true;
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
