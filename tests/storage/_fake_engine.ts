/**
 * An engine that a test controls: it can fail, return garbage, or let another request go first.
 *
 * @module
 */
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  MoveOptions,
  StorageGuarantees,
  WriteOptions,
} from "../../storage/contract.ts";

/** The engine's functions. */
export type Verb = "read" | "write" | "delete" | "touch" | "move";

/** What happens in one call, instead of or around its normal behaviour. */
export type Trick =
  | "pass"
  | "fail"
  /** Succeeds, and then fails. */
  | "late failure"
  /** Says that another version is stored. */
  | "conflict"
  | { answer: unknown }
  | { before: () => unknown };

/** What the engine throws. */
export class EngineError extends Error {
  override readonly name = "EngineError";
}

/** The guarantees of an engine that supports everything. */
export const STRONG: StorageGuarantees = {
  compareAndSet: true,
  reads: "strong",
  revoke: true,
  durable: false,
  shared: true,
  selfContained: false,
};

/** Keeps records in a `Map`, and its calls in a list. */
export class FakeEngine implements Engine {
  readonly guarantees: StorageGuarantees;
  /** What is stored. */
  readonly records: Map<string, EngineRecord> = new Map();
  /** The functions that were called, in order. */
  calls: Verb[] = [];
  readonly touch?: NonNullable<Engine["touch"]>;
  readonly move?: NonNullable<Engine["move"]>;
  readonly #tricks: [Verb, Trick][] = [];
  #versions = 0;

  constructor(
    { touches = true, moves = false, ...guarantees }:
      & Partial<StorageGuarantees>
      & { touches?: boolean; moves?: boolean } = {},
  ) {
    this.guarantees = { ...STRONG, ...guarantees };
    if (touches) {
      this.touch = (key, expires, { ifVersion } = {}) =>
        this.#run("touch", false, async () => {
          const record = this.records.get(key);
          if (!record || !this.#holds(key, ifVersion)) return false;
          this.records.set(key, { ...record, expires });
          return true;
        });
    }
    if (moves) {
      this.move = (key, value, options) =>
        this.#run<string | null>(
          "move",
          null,
          async () => this.#move(key, value, options),
        );
    }
  }

  /** Both writes, or neither. */
  #move(
    key: string,
    value: string,
    { expires, from }: MoveOptions,
  ): string | null {
    if (this.records.has(key) || !this.#holds(from.key, from.ifVersion)) {
      return null;
    }
    const version = this.#put(key, value, expires);
    this.#put(from.key, from.value, from.expires);
    return version;
  }

  #put(key: string, value: string, expires: number): string {
    const version = `v${++this.#versions}`;
    this.records.set(key, { value, version, expires });
    return version;
  }

  /** Removes expired records, as engines do in the background. */
  drop(now: number): void {
    for (const [key, { expires }] of this.records) {
      if (expires <= now) this.records.delete(key);
    }
  }

  /** Plays these tricks on the next calls of `verb`, one each. */
  play(verb: Verb, ...tricks: Trick[]): void {
    for (const trick of tricks) this.#tricks.push([verb, trick]);
  }

  /** Plays no more tricks. */
  forget(): void {
    this.#tricks.length = 0;
  }

  /** Whether all tricks were played. */
  get played(): boolean {
    return this.#tricks.length === 0;
  }

  /** The number of records that are sessions and not notes of a replaced id. */
  get sessions(): number {
    const records = [...this.records.values()];
    return records.filter(({ value }) => value.startsWith("[")).length;
  }

  /** The only record. */
  get record(): EngineRecord {
    const [record, ...others] = this.records.values();
    if (!record || others.length > 0) throw new Error("not one record");
    return record;
  }

  read(key: string): Promise<EngineRecord | null> {
    return this.#run("read", null, async () => this.records.get(key) ?? null);
  }

  write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    return this.#run("write", null, async () => {
      if (!this.#holds(key, ifVersion)) return null;
      return this.#put(key, value, expires);
    });
  }

  delete(key: string, { ifVersion }: DeleteOptions = {}): Promise<boolean> {
    return this.#run("delete", false, async () => {
      if (!this.#holds(key, ifVersion)) return false;
      this.records.delete(key);
      return true;
    });
  }

  #holds(key: string, ifVersion: unknown): boolean {
    return ifVersion === undefined || !this.guarantees.compareAndSet ||
      ifVersion === (this.records.get(key)?.version ?? null);
  }

  async #run<T>(
    verb: Verb,
    conflict: T,
    work: () => Promise<T>,
  ): Promise<T> {
    this.calls.push(verb);
    const at = this.#tricks.findIndex(([of]) => of === verb);
    const trick = at < 0 ? "pass" : this.#tricks.splice(at, 1)[0]![1];
    if (trick === "fail") throw new EngineError("out of order");
    if (trick === "conflict") return conflict;
    if (typeof trick === "object" && "answer" in trick) {
      return trick.answer as T;
    }
    if (typeof trick === "object") await trick.before();
    const result = await work();
    if (trick === "late failure") throw new EngineError("out of order");
    return result;
  }
}
