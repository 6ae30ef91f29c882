/**
 * How a broken storage is made: the storage in memory, which is right, with one thing done wrong.
 */
import {
  createSession,
  createSessionStorage,
  type Engine,
  type EngineRecord,
  type SaveOptions,
  type SessionStorage,
} from "../../../mod.ts";
import {
  type Capability,
  instrument,
  type OpenOptions,
  type SessionLike,
  type StorageLike,
  type Target,
} from "../../../conformance/mod.ts";
import { Session } from "../../../core/session.ts";
import {
  type AsynchronousMemoryEngine,
  memoryEngine,
} from "../../engines/_memory.ts";
import { Recent } from "../_recent.ts";

/** A broken storage, and what the suite must say of it. */
export interface Mutant {
  /** What is wrong with it. */
  readonly name: string;
  /** The rule that it breaks. */
  readonly breaks: string;
  /** What the reason of that rule's failure must say. */
  readonly reason: string;
  /** The other rules that it breaks, each with why the same defect shows there. */
  readonly also: Readonly<Record<string, string>>;
  /** The storage. */
  readonly target: Target;
}

/** What is written down of a mutant. */
export interface Draft extends Pick<Mutant, "name" | "reason"> {
  readonly also?: Mutant["also"];
  /** What is done wrong; called for each instance. */
  readonly defect?: Defect;
  /** Claims that it does not make. */
  readonly without?: readonly Capability[];
  readonly limits?: NonNullable<Target["limits"]>;
  /** The storage, where it is not the one in memory. */
  readonly target?: Target;
}

/** One instance of the right storage, for a defect to work with. */
export interface Bench extends OpenOptions {
  /** The engine under it. */
  readonly engine: Required<Omit<Engine, "close" | "owned">>;
  /** The storage. */
  readonly storage: Right;
  /** The record that the storage read last. */
  readonly seen: EngineRecord & { key: string } | null;
  /** Forgets everything that is stored in the namespace. */
  lose(): void;
}

/** A storage that is right. */
export type Right = SessionStorage;

/** What an instance does wrong. */
export interface Parts {
  /** Calls to the engine. */
  readonly engine?: Partial<Engine>;
  /** Calls to the storage. */
  readonly storage?: StorageLike;
  /** The owner of a session, by its values. */
  readonly owner?: NonNullable<OpenOptions["owner"]>;
  /** Calls to a session that was just read, and how it is saved. */
  readonly session?: (real: Real, value: string | null) => Wrong;
}

export type Defect = (at: Bench) => Parts;

/** The original session. */
export type Real = Session;

/** Methods that replace those of the original session. */
export type Wrong = Partial<SessionLike> & {
  save?(save: Save, options?: SaveOptions): Promise<string | null>;
};

/** Saves the session as it should be; the options are put on top of those given. */
export type Save = (options?: SaveOptions) => Promise<string | null>;

/** What the storage in memory can do. */
export const CLAIMS: readonly Capability[] = [
  "revoke",
  "shared",
  "durable",
  "namespaces",
  "expiry",
  "touch",
  "absolute",
  "sweep",
  "merge",
  "owners",
  "inspect",
  "faults",
];

/** A mutant. */
export function mutant(breaks: string, draft: Draft): Mutant {
  const { name, reason, also = {}, defect, without = [], limits } = draft;
  const target = draft.target ?? memory(name, defect ?? (() => ({})));
  return {
    name,
    breaks,
    reason,
    also,
    target: {
      ...target,
      ...limits ? { limits } : {},
      capabilities: target.capabilities.filter((c) => !without.includes(c)),
    },
  };
}

/** The storage in memory with a defect; without one, it is right. */
export function memory(name: string, defect: Defect): Target {
  const namespaces = new Recent<Shared>();
  return {
    name,
    clock: { kind: "virtual", advance() {} },
    capabilities: CLAIMS,
    open(options) {
      const { namespace, now } = options;
      const shared = namespaces.get(namespace) ?? {
        engine: memoryEngine(100_000, now, () => {}),
        keys: new Set<string>(),
      };
      namespaces.set(namespace, shared);
      return openBroken(shared, options, {
        defect,
        lose: () => namespaces.delete(namespace),
      });
    },
  };
}

/** What the instances over one namespace share. */
interface Shared {
  readonly engine: AsynchronousMemoryEngine;
  readonly keys: Set<string>;
}

function openBroken(
  { engine, keys }: Shared,
  options: OpenOptions,
  { defect, lose }: { defect: Defect; lose(): void },
) {
  const hooks = instrument(engine, keys);
  // An owner's sessions are kept in lists, as on most engines.
  const { owned: _owned, ...listing } = hooks.engine as Required<Engine>;
  const right: Bench["engine"] = {
    ...listing,
    guarantees: { ...listing.guarantees, evicts: "nothing" },
  };
  let seen: Bench["seen"] = null;
  const parts = defect({
    ...options,
    engine: right,
    lose,
    get seen() {
      return seen;
    },
    get storage() {
      return storage;
    },
  });
  const wrong: Engine = { ...right, ...parts.engine };
  const { namespace: _, ...timeouts } = options;
  const storage: Right = createSessionStorage({
    ...timeouts,
    ...parts.owner ? { owner: parts.owner } : {},
    engine: {
      ...wrong,
      async read(key) {
        const record = await wrong.read(key);
        seen = record && { ...record, key };
        return record;
      },
    },
  });
  return { ...hooks, storage: around(storage, parts), createSession };
}

function around(right: Right, parts: Parts): StorageLike {
  const saves = new WeakMap<Session, Wrong["save"]>();
  const { read, save, ...others } = parts.storage ?? {};
  return {
    async read(value) {
      const session = await (read ? read(value) : right.read(value));
      const wrong = parts.session?.(realOf(session), value);
      if (!wrong) return session;
      const { save, ...methods } = Object.getOwnPropertyDescriptors(wrong);
      saves.set(session, save?.value);
      return Object.defineProperties(session, methods);
    },
    save(session, given) {
      const really: Save = (more) => {
        const options = more ? { ...given, ...more } : given;
        return save ? save(session, options) : right.save(session, options);
      };
      const wrong = saves.get(session);
      return wrong ? wrong(really, given) : really();
    },
    sweep: async () => await right.sweep?.(),
    listSessions: (owner, options) => right.listSessions(owner, options),
    destroySessions: (owner, options) => right.destroySessions(owner, options),
    ...others,
  };
}

function realOf(session: Session): Real {
  return new Proxy(session, {
    get(_, name) {
      const value = Reflect.get(Session.prototype, name, session);
      return typeof value === "function" ? value.bind(session) : value;
    },
  });
}

/** Whether a key holds a flash and no value. */
export function isFlash(real: Real, key: string): boolean {
  return real.has(key) && !Object.hasOwn(real.data, key);
}

/** The keys of the values, without the flashes that `data` shows too. */
export function keysOf({ data }: Pick<Real, "data">): string[] {
  return Object.keys(data).filter((key) => !/^__flash_.*__$/s.test(key));
}

/** The flashes in the record that was read last. */
export function flashesOf(at: Bench, real: Real): Record<string, unknown> {
  return partsOf(at, real)[8] ?? {};
}

/** The parts of the record that was read last, as in {@linkcode edit}; none if it is not a session with entries. */
// deno-lint-ignore no-explicit-any -- the record's own parts
export function partsOf(at: Bench, real: Real): any[] {
  // Asking for the size finds out whether the record is the session's, and whole.
  return at.seen && real.size > 0 ? JSON.parse(at.seen.value) : [];
}

/** Whether a text is an owner's list. */
export function isList(text: string): boolean {
  return text.startsWith('["owner/');
}

/** Whether a text is a session's record, and not an owner's list. */
export function isSession(text: string): boolean {
  return text.startsWith("[2,");
}

/** Whether a text is the note that a new id leaves under the old one. */
export function isNote(text: string): boolean {
  return text.startsWith(">");
}

/**
 * Changes the parts of a session's text: version, check, created, saved, lifetime, span, authenticated, values, flashes,
 * tags, owner.
 */
// deno-lint-ignore no-explicit-any -- the text's own parts
export function edit(text: string, change: (parts: any[]) => void): string {
  if (!isSession(text)) return text;
  const parts = JSON.parse(text);
  change(parts);
  return JSON.stringify(parts);
}
