/**
 * What a rule about engines uses: open engines, keys, and comparisons of records.
 *
 * @module
 */
import type { EngineRecord } from "../../storage/contract.ts";
import { Violation } from "../trial/port.ts";
import type { Random } from "../trial/random.ts";
import type { Trial } from "../trial/trial.ts";
import { brief } from "./answers.ts";
import type { Readiness } from "./readiness.ts";
import { engineOf } from "./target.ts";
import { OpenEngine } from "./open_engine.ts";
import type { Need } from "./types.ts";

/** How often a read is repeated if reads may lag. */
const MAX_LATE_READS = 20;

/** The letters of a key. */
const LETTERS =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The record that a read must return. */
export interface Wanted {
  readonly value: string;
  /** Not compared if it is left out. */
  readonly expires?: number;
}

/** What is known of a target, for all rules. */
export interface EngineFacts {
  readonly readiness: Readiness;
  readonly namespaces: boolean;
}

/** One run of a rule about engines. */
export class EngineTrial {
  readonly trial: Trial;
  readonly #facts: EngineFacts;
  readonly #names = new Map<string, string>();
  #instances = 0;
  readonly #namespaces = new Map<string, string>();
  #keys = 0;
  #deadlines = 0;

  constructor(trial: Trial, facts: EngineFacts) {
    this.trial = trial;
    this.#facts = facts;
  }

  /** Choices that the seed repeats. */
  get random(): Random {
    return this.trial.random;
  }

  /**
   * A deadline an hour ahead, in milliseconds. Each call returns another. They are whole seconds, so that only the rules
   * about deadlines fail on an engine that rounds them.
   */
  get soon(): number {
    const second = Math.ceil(this.trial.now() / 1000);
    return (second + 3600 + ++this.#deadlines) * 1000;
  }

  /** Opens the engine, in a namespace of its own if none is given. */
  async open(namespace?: string): Promise<OpenEngine> {
    const { trial } = this;
    const opened = await trial.open(namespace ? { namespace } : {});
    const engine = engineOf(opened.raw);
    // The rules' own calls begin the trace.
    trial.trace.lines.pop();
    const { now, pulse } = trial;
    const quiet = { now, pulse, note() {}, nameOf: () => "a key" };
    await this.#facts.readiness.ensure(
      new OpenEngine("engine", engine, opened, quiet),
      randomKey(),
      pulse,
    );
    const name = String.fromCharCode(65 + this.#instances++ % 26);
    trial.note(
      `open ${name}${namespace ? `, in ${this.#place(namespace)}` : ""}`,
    );
    return new OpenEngine(name, engine, opened, {
      now,
      pulse,
      note: (line) => trial.note(line),
      nameOf: (key) => this.nameOf(key),
    });
  }

  /** A key: a new one, or the given one under a name for the trace. */
  key(key: string = randomKey(), label?: string): string {
    const number = `key ${++this.#keys}`;
    this.#names.set(key, label ? `${number} (${label})` : number);
    return key;
  }

  /** A key's name in the trace. */
  nameOf(key: string): string {
    return this.#names.get(key) ?? "another key";
  }

  /** Whether an engine has what a rule can need. */
  has(need: Need, { engine, hasFaults }: OpenEngine): boolean {
    switch (need) {
      case "compareAndSet":
      case "shared":
      case "durable":
        return engine.guarantees?.[need] === true;
      case "faults":
        return hasFaults;
      case "namespaces":
        return this.#facts.namespaces;
      default:
        return typeof engine[need] === "function";
    }
  }

  /** Ends the trial if the engine does not have what the rule needs. */
  require(needs: readonly Need[], engine: OpenEngine): void {
    const missing = needs.find((need) => !this.has(need, engine));
    if (missing) this.trial.notApplicable(LACKS[missing]);
  }

  /** Fails unless a read returns a record, or `null`. Returns the record. */
  async holds(
    engine: OpenEngine,
    key: string,
    want: Wanted | null,
    what: string,
  ): Promise<EngineRecord> {
    const record = await this.#readUntil(engine, key, want);
    if (want === null || record === null) {
      const found = record === null ? "null" : "a record";
      this.trial.equal(found, want === null ? "null" : "a record", what);
      return NO_RECORD;
    }
    if (record.value !== want.value) {
      throw new Violation(`${what}: ${difference(record.value, want.value)}`, {
        got: brief(record.value),
        want: brief(want.value),
      });
    }
    const { expires = record.expires } = want;
    this.trial.equal(
      record.expires,
      expires,
      `${what}: the deadline differs by ${record.expires - expires} ms`,
    );
    return record;
  }

  async #readUntil(
    engine: OpenEngine,
    key: string,
    want: Wanted | null,
  ): Promise<EngineRecord | null> {
    const late = engine.engine.guarantees?.reads === "eventual";
    if (late) await this.trial.settle();
    for (let attempt = 1;; attempt++) {
      const record = await engine.read(key);
      const found = want === null ? record === null : record !== null &&
        record.value === want.value &&
        (want.expires ?? record.expires) === record.expires;
      if (found || !late || attempt === MAX_LATE_READS) return record;
      await new Promise((resolve) => setTimeout(resolve, attempt * 5));
    }
  }

  #place(namespace: string): string {
    const name = this.#namespaces.get(namespace) ??
      `namespace ${this.#namespaces.size + 1}`;
    this.#namespaces.set(namespace, name);
    return name;
  }
}

const NO_RECORD: EngineRecord = { value: "", version: null, expires: 0 };

/** Why a rule does not apply. */
const LACKS: Readonly<Record<Need, string>> = {
  compareAndSet: "its guarantees do not have compareAndSet: true",
  shared: "its guarantees do not have shared: true",
  durable: "its guarantees do not have durable: true",
  touch: "it does not have touch()",
  move: "it does not have move()",
  owned: "it does not have owned()",
  deleteOwned: "it does not have deleteOwned()",
  sweep: "it does not have sweep()",
  close: "it does not have close()",
  faults: "open() does not return faults",
  namespaces: "the target sets namespaces: false",
};

/** A key as the library makes it: the hash of an id. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(43));
  return Array.from(bytes, (byte) => LETTERS[byte % 64]).join("");
}

/** Where two texts differ. */
function difference(got: string, want: string): string {
  if (got.length !== want.length) {
    return `it has ${got.length} characters instead of ${want.length}`;
  }
  let at = 0;
  while (got[at] === want[at]) at++;
  return `it differs from character ${at + 1} on`;
}
