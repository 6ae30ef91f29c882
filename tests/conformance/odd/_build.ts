/**
 * How an odd storage is built: a right engine in memory, something around it, a cookie, and what the storage claims.
 */
import {
  createSession,
  createSessionStorage,
  type DeleteOptions,
  type Engine,
  type EngineRecord,
  type SessionCookieOptions,
  type SessionStorage,
  type WriteOptions,
} from "../../../mod.ts";
import {
  type Capability,
  instrument,
  type Opened,
  type OpenOptions,
  type StorageLike,
  type Target,
} from "../../../conformance/mod.ts";
import {
  type AsynchronousMemoryEngine,
  memoryEngine,
} from "../../engines/_memory.ts";
import { CLAIMS } from "../mutants/_mutant.ts";
import { PATIENT } from "../targets.ts";
import { Recent } from "../_recent.ts";

/** An engine with all methods that matter here, which are plain functions. */
export interface Plain extends Pick<Engine, "guarantees"> {
  read(key: string): Promise<EngineRecord | null>;
  write(key: string, value: string, options: WriteOptions): Promise<unknown>;
  delete(key: string, options?: DeleteOptions): Promise<boolean>;
  touch(
    key: string,
    expires: number,
    options?: DeleteOptions,
  ): Promise<boolean>;
  sweep(now: number): Promise<number | void>;
}

/** An odd storage. */
export interface OddTarget extends Target {
  /** Rules that only recommend, and that it does not follow. */
  readonly declines?: readonly string[];
  /** Ends a server of its own. */
  end?(): Promise<void>;
}

/** What is odd about a storage. */
export interface Odd extends Pick<OddTarget, "end"> {
  /** The engine of one instance; called again for each. @default {the one in memory} */
  readonly engine?: (
    memory: Plain,
    options: OpenOptions,
  ) => Engine | Promise<Engine>;
  readonly cookie?: SessionCookieOptions;
  /** @default {what the storage in memory claims} */
  readonly claims?: readonly Capability[];
  readonly limits?: NonNullable<Target["limits"]>;
  /** How far the database's clock is ahead of the servers', in milliseconds. @default {0} */
  readonly aheadMs?: number;
  /** @default {virtual} */
  readonly clock?: NonNullable<Target["clock"]>;
  /** What else `open` returns. */
  readonly hooks?: Partial<Opened>;
  /** How the application sees the storage. */
  readonly shape?: (storage: SessionStorage) => StorageLike;
}

/** A virtual clock, for storages that go by `now`. */
export const virtual: NonNullable<Target["clock"]> = {
  kind: "virtual",
  advance() {},
};

/** An odd storage on an engine. */
export function odd(name: string, what: Odd): OddTarget {
  const { cookie, shape, clock = virtual, claims = CLAIMS, limits } = what;
  const namespaces = new Recent<Shared>();
  return {
    name,
    clock,
    capabilities: claims,
    ...limits ? { limits } : {},
    ...what.end ? { end: what.end } : {},
    async open(options) {
      const { namespace, maxAge, now, ...others } = options;
      const theirs = () => now() + (what.aheadMs ?? 0);
      const shared = namespaces.get(namespace) ?? {
        memory: plain(memoryEngine(100_000, theirs, () => {})),
        keys: new Set(),
      };
      namespaces.set(namespace, shared);
      const connect = what.engine ?? ((memory) => memory);
      const { engine, ...hooks } = instrument(
        await connect(shared.memory, options),
        shared.keys,
      );
      const lifetime = maxAge === undefined ? {} : { maxAge };
      const storage = createSessionStorage({
        ...others,
        ...clock.kind === "virtual" ? { now } : {},
        engine,
        engineTimeout: PATIENT.deadline,
        ...cookie || maxAge !== undefined
          ? { cookie: { ...cookie, ...lifetime } }
          : {},
      });
      return {
        ...hooks,
        ...what.hooks,
        createSession,
        storage: shape ? shape(storage) : storage,
        close: () => storage.close?.(),
      };
    },
  };
}

/** What the instances over one namespace share. */
interface Shared {
  readonly memory: Plain;
  readonly keys: Set<string>;
}

/** An engine without `owned()`, so that an owner's sessions are kept in lists, and therefore without evictions. */
export function plain(engine: AsynchronousMemoryEngine): Plain {
  return {
    guarantees: { ...engine.guarantees, evicts: "nothing" },
    read: (key) => engine.read(key),
    write: (key, value, options) => engine.write(key, value, options),
    delete: (key, options) => engine.delete(key, options),
    touch: (key, expires, options) => engine.touch(key, expires, options),
    sweep: (now) => engine.sweep(now),
  };
}

/** Engines in memory, one for each namespace. */
export function memories(): (options: OpenOptions) => Plain {
  const engines = new Recent<Plain>();
  return ({ namespace, now }) => {
    const engine = engines.get(namespace) ??
      plain(memoryEngine(100_000, now, () => {}));
    engines.set(namespace, engine);
    return engine;
  };
}

/** Puts something around each call to an engine. */
export function everyCall(
  engine: Plain,
  around: <T>(call: () => Promise<T>) => Promise<T>,
): Plain {
  return {
    ...engine,
    read: (...args) => around(() => engine.read(...args)),
    write: (...args) => around(() => engine.write(...args)),
    delete: (...args) => around(() => engine.delete(...args)),
    touch: (...args) => around(() => engine.touch(...args)),
  };
}

/** Stores each value as another text. */
export function asText(
  engine: Plain,
  encode: (value: string, key: string) => string | Promise<string>,
  decode: (text: string, key: string) => string | Promise<string>,
): Plain {
  return {
    ...engine,
    async read(key) {
      const record = await engine.read(key);
      return record && { ...record, value: await decode(record.value, key) };
    },
    write: async (key, value, options) =>
      await engine.write(key, await encode(value, key), options),
  };
}

/** Stores each record under another key. */
export function underKey(
  engine: Plain,
  name: (key: string) => string | Promise<string>,
): Plain {
  return {
    ...engine,
    read: async (key) => await engine.read(await name(key)),
    write: async (key, ...args) => await engine.write(await name(key), ...args),
    delete: async (key, ...args) =>
      await engine.delete(await name(key), ...args),
    touch: async (key, ...args) => await engine.touch(await name(key), ...args),
  };
}

/** Replaces the versions by values that `toOurs` turns back. */
export function versioned<V>(
  engine: Plain,
  toTheirs: (version: unknown) => V,
  toOurs: (version: V) => unknown,
): Plain {
  const back = <T extends DeleteOptions>(options: T): T => {
    const { ifVersion } = options;
    if (ifVersion === undefined || ifVersion === null) return options;
    return { ...options, ifVersion: toOurs(ifVersion as V) };
  };
  return {
    ...engine,
    async read(key) {
      const record = await engine.read(key);
      return record && { ...record, version: toTheirs(record.version) };
    },
    async write(key, value, options) {
      const version = await engine.write(key, value, back(options));
      return version === null ? null : toTheirs(version);
    },
    delete: (key, options) => engine.delete(key, back(options ?? {})),
    touch: (key, expires, options) =>
      engine.touch(key, expires, back(options ?? {})),
  };
}

/** A turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
