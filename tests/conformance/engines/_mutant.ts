/**
 * How a broken engine is made: the engine in memory, as a database that instances share, with one thing done wrong.
 */
import {
  type EngineTarget,
  instrument,
  type TestClock,
} from "../../../conformance/mod.ts";
import type {
  DeleteOwnedOptions,
  Engine,
  EngineRecord,
  MoveOptions,
  StorageGuarantees,
  WriteOptions,
} from "../../../mod.ts";
import {
  type MovingMemoryEngine,
  movingMemoryEngine,
} from "../../engines/_memory.ts";

/** A broken engine, and what the suite must say of it. */
export interface Mutant {
  /** What is wrong with it. */
  readonly name: string;
  /** The rule that it breaks. */
  readonly breaks: string;
  /** What the reason of that rule's failure must say. */
  readonly reason: string;
  /** The other rules that it breaks, each with why the same defect shows there. */
  readonly also: Readonly<Record<string, string>>;
  readonly target: EngineTarget;
}

/** What is written down of a mutant. */
export interface Draft extends Pick<Mutant, "name" | "reason"> {
  readonly also?: Mutant["also"];
  /** What is done wrong; called for each instance. */
  readonly defect: Defect;
}

/** All methods, which the right engine has. */
export type Whole = Required<Engine>;

/** One instance of the right engine, for a defect to work with. */
export interface Bench {
  readonly engine: Whole;
  readonly namespace: string;
  now(): number;
  /** What all instances of the namespace share besides the records. */
  readonly shared: Map<string, unknown>;
  /** The engine of another namespace; `undefined` if nobody opened it. */
  namespaces(): [string, Whole][];
  /** Forgets what is stored in the namespace. */
  lose(): void;
}

export type Defect = (at: Bench) => Partial<Engine>;

/** What the right engine guarantees. */
export const GUARANTEES: StorageGuarantees = {
  compareAndSet: true,
  reads: "strong",
  revoke: true,
  durable: true,
  shared: true,
  selfContained: false,
  evicts: "nothing",
  maxBytes: 2 ** 21,
};

/** A mutant. */
export function mutant(breaks: string, draft: Draft): Mutant {
  const { name, reason, also = {}, defect } = draft;
  return { name, breaks, reason, also, target: broken(name, defect) };
}

const virtual: TestClock = { kind: "virtual", advance() {} };

/** The engine in memory with a defect; without one, it is right. */
export function broken(
  name: string,
  defect: Defect,
  clock: TestClock = virtual,
): EngineTarget {
  const databases = new Map<string, Database>();
  return {
    name,
    clock,
    open({ namespace, now }) {
      const database = databases.get(namespace) ?? fresh(now);
      databases.set(namespace, database);
      const right = () => wholeEngine(database);
      // Defects and the failing database are below the engine, whose errors must come through.
      const { engine, faults } = instrument(right());
      const whole = { ...engine, close: async () => {} } as Whole;
      const parts = defect({
        engine: { ...whole, guarantees: GUARANTEES },
        namespace,
        now,
        shared: database.shared,
        namespaces: () =>
          [...databases].map(([name, other]) => [name, wholeEngine(other)]),
        lose() {
          database.engine = fresh(now).engine;
        },
      });
      return {
        engine: { ...whole, guarantees: GUARANTEES, ...parts },
        faults,
      };
    },
  };
}

interface Database {
  engine: MovingMemoryEngine;
  readonly shared: Map<string, unknown>;
}

function fresh(now: () => number): Database {
  return {
    engine: movingMemoryEngine(100_000, now, () => {}),
    shared: new Map(),
  };
}

/** The database's engine as it is now: a defect may lose it. */
function wholeEngine(database: Database): Whole {
  const at = () => database.engine;
  return {
    guarantees: GUARANTEES,
    read: (key) => at().read(key),
    write: (key, value, options) => at().write(key, value, options),
    delete: (key, options) => at().delete(key, options),
    touch: (key, expires, options) => at().touch(key, expires, options),
    move: (key, value, options) => at().move(key, value, options),
    owned: (owner) => at().owned(owner),
    deleteOwned(owner, key, options) {
      // One after the other, as the statements of a database.
      const { shared } = database;
      const before = shared.get("deleting") as Promise<unknown> | undefined;
      const deleted = (before ?? Promise.resolve()).then(() =>
        deleteSurplus(at(), owner, key, options)
      );
      shared.set("deleting", deleted.catch(() => {}));
      return deleted;
    },
    sweep: (now) => at().sweep(now),
    async close() {},
  };
}

/** Deletes a record of an owner in several steps. */
export async function deleteSurplus(
  engine: Pick<Required<Engine>, "read" | "owned" | "delete">,
  owner: string,
  key: string,
  { ifVersion, beside, most }: DeleteOwnedOptions,
): Promise<boolean> {
  if (await engine.read(beside) === null) return false;
  if ((await engine.owned(owner)).length <= most) return false;
  return await engine.delete(key, { ifVersion });
}

/** A move by an insertion and an update, after which the insertion is undone. */
export async function inSteps(
  engine: Pick<Engine, "write" | "delete">,
  key: string,
  value: string,
  { from, ...options }: MoveOptions,
  { sure = false, leaves = false, turns = 0 }: {
    sure?: boolean;
    leaves?: boolean;
    turns?: number;
  } = {},
): Promise<unknown> {
  const whole = { ...options, ifVersion: null };
  const version = await engine.write(key, value, whole);
  if (version === null) return null;
  for (let turn = 0; turn < turns; turn++) await null;
  const { expires, ifVersion } = from;
  const condition = sure ? {} : { ifVersion };
  const note = { expires, ...condition };
  if (await engine.write(from.key, from.value, note) !== null) return version;
  if (!leaves) await engine.delete(key);
  return null;
}

/** Runs one after another. */
export function alone<T>(at: Bench, work: () => Promise<T>): Promise<T> {
  const queue = sharing(at, "queue", () => ({ last: Promise.resolve() }));
  const turn = queue.last.then(work);
  queue.last = turn.then(() => {}, () => {});
  return turn;
}

/** Changes what is read. */
export function reading(
  { engine }: Bench,
  change: (record: EngineRecord, key: string) => EngineRecord | null,
): Pick<Engine, "read" | "owned"> {
  return {
    async read(key) {
      const record = await engine.read(key);
      return record && change(record, key);
    },
    async owned(owner) {
      return (await engine.owned(owner)).flatMap(({ key, ...record }) => {
        const changed = change(record, key);
        return changed ? { ...changed, key } : [];
      });
    },
  };
}

/** Changes what is written. */
export function writing(
  { engine }: Bench,
  change: (
    value: string,
    options: WriteOptions,
    key: string,
  ) => { value?: string; options?: WriteOptions; key?: string },
): Pick<Engine, "write"> {
  return {
    write(key, value, options) {
      const changed = { key, value, options, ...change(value, options, key) };
      return engine.write(changed.key, changed.value, changed.options);
    },
  };
}

/** Something that all instances of a namespace share. */
export function sharing<T>({ shared }: Bench, name: string, make: () => T): T {
  if (!shared.has(name)) shared.set(name, make());
  return shared.get(name) as T;
}

/** The keys that were written, in the order of their first write. */
export function writtenKeys(at: Bench): {
  all: Set<string>;
  writing: Pick<Whole, "write" | "move" | "delete">;
} {
  const all = sharing(at, "written", () => new Set<string>());
  const writing: Pick<Whole, "write" | "move" | "delete"> = {
    async write(key, value, options) {
      const version = await at.engine.write(key, value, options);
      if (version !== null) all.add(key);
      return version;
    },
    async move(key, value, options) {
      const version = await at.engine.move(key, value, options);
      if (version !== null) all.add(key);
      return version;
    },
    async delete(key, options) {
      const deleted = await at.engine.delete(key, options);
      if (deleted) all.delete(key);
      return deleted;
    },
  };
  return { all, writing };
}
