/**
 * How the unusual engines are made.
 */
import type { EngineTarget } from "../../../conformance/mod.ts";
import type { Engine, EngineRecord, StorageGuarantees } from "../../../mod.ts";
import {
  type AsynchronousMemoryEngine,
  memoryEngine,
} from "../../engines/_memory.ts";
import { type Defect, GUARANTEES, reading, sharing } from "./_mutant.ts";

export function nonceOf(version: unknown): unknown {
  return version === undefined || version === null
    ? version
    : (version as { nonce: unknown }).nonce;
}

/** Versions of another type, made from numbers. */
export function versioned<T>(
  make: (n: number) => T,
  numberOf: (version: T) => number,
): Defect {
  const real = (version: unknown) =>
    version === undefined || version === null
      ? version
      : numberOf(version as T);
  return (at) => ({
    ...reading(at, (record) => ({
      ...record,
      version: make(record.version as number),
    })),
    async write(key, value, options) {
      const ifVersion = real(options.ifVersion);
      const n = await at.engine.write(key, value, { ...options, ifVersion });
      return n === null ? null : make(n as number);
    },
    delete: (key, options) =>
      at.engine.delete(key, { ifVersion: real(options?.ifVersion) }),
    touch: (key, expires, options) =>
      at.engine.touch(key, expires, { ifVersion: real(options?.ifVersion) }),
    async move(key, value, { from, ...options }) {
      const own = { ...from, ifVersion: real(from.ifVersion) };
      const n = await at.engine.move(key, value, { ...options, from: own });
      return n === null ? null : make(n as number);
    },
    deleteOwned: (owner, key, options) =>
      at.engine.deleteOwned(owner, key, {
        ...{ ...options, ifVersion: real(options.ifVersion) },
      }),
  });
}

export function lacking(...names: (keyof Engine)[]): Defect {
  return () =>
    Object.fromEntries(names.map((name) => [name, undefined])) as Partial<
      Engine
    >;
}

/** Waits before each call. */
export function around(
  engine: Engine,
  wait: () => Promise<void>,
): Partial<Engine> {
  return {
    async read(key) {
      await wait();
      return await engine.read(key);
    },
    async write(key, value, options) {
      await wait();
      return await engine.write(key, value, options);
    },
    async delete(key, options) {
      await wait();
      return await engine.delete(key, options);
    },
    async touch(key, expires, options) {
      await wait();
      return await engine.touch?.(key, expires, options) ?? false;
    },
    async move(key, value, options) {
      await wait();
      return await engine.move?.(key, value, options);
    },
  };
}

/** Its reads return what was stored a few turns of the event loop before. */
export function lagging(
  at: Parameters<Defect>[0],
): Partial<Engine> {
  const replica = sharing(
    at,
    "replica",
    () => new Map<string, EngineRecord | null>(),
  );
  const copy = async (key: string) => {
    const record = await at.engine.read(key);
    setTimeout(() => replica.set(key, record), 3);
  };
  return {
    guarantees: {
      ...GUARANTEES,
      compareAndSet: false,
      reads: "eventual",
      revoke: false,
    },
    async read(key) {
      // If the database is down, so is the replica.
      await at.engine.read(key);
      return replica.get(key) ?? null;
    },
    async sweep(now) {
      await at.engine.sweep(now);
      for (const key of replica.keys()) await copy(key);
    },
    async write(key, value, { ifVersion: _, ...options }) {
      const version = await at.engine.write(key, value, options);
      await copy(key);
      return version;
    },
    async delete(key) {
      const deleted = await at.engine.delete(key);
      await copy(key);
      return deleted;
    },
    async touch(key, expires) {
      const touched = await at.engine.touch(key, expires);
      await copy(key);
      return touched;
    },
  };
}

/** It refuses texts that are longer than it declares. */
export function limited(maxBytes: number): Defect {
  return ({ engine }) => ({
    guarantees: { ...GUARANTEES, maxBytes },
    async write(key, value, options) {
      if (new TextEncoder().encode(value).length > maxBytes) {
        throw new RangeError("value too large");
      }
      return await engine.write(key, value, options);
    },
  });
}

/** Its methods return their results at once, as a database in the same process can. */
export function inNoTime(): EngineTarget {
  const tables = new Map<string, Map<string, EngineRecord>>();
  const guarantees: StorageGuarantees = { ...GUARANTEES, compareAndSet: false };
  return {
    name: "at once",
    clock: { kind: "virtual", advance() {} },
    open({ namespace }) {
      const table = tables.get(namespace) ?? new Map<string, EngineRecord>();
      tables.set(namespace, table);
      const engine = {
        guarantees,
        read: (key: string) => table.get(key) ?? null,
        write(key: string, value: string, { expires }: { expires: number }) {
          table.set(key, { value, expires, version: 1 });
          return 1;
        },
        delete: (key: string) => table.delete(key),
      };
      return engine as unknown as Engine;
    },
  };
}

export function oneTable(): EngineTarget {
  let engine: AsynchronousMemoryEngine | undefined;
  return {
    name: "one table",
    clock: { kind: "virtual", advance() {} },
    namespaces: false,
    open: ({ now }) => engine ??= memoryEngine(100_000, now, () => {}),
  };
}

/** A second instance cannot be opened before the first is closed. */
export function exclusive(): EngineTarget {
  const databases = new Map<string, AsynchronousMemoryEngine>();
  const open = new Set<string>();
  return {
    name: "exclusive",
    clock: { kind: "virtual", advance() {} },
    open({ namespace, now }) {
      if (open.has(namespace)) throw new Error("LOCK: already held by process");
      open.add(namespace);
      const engine = databases.get(namespace) ??
        memoryEngine(1000, now, () => {});
      databases.set(namespace, engine);
      return {
        guarantees: { ...GUARANTEES, shared: false },
        read: (key) => engine.read(key),
        write: (key, value, options) => engine.write(key, value, options),
        delete: (key, options) => engine.delete(key, options),
        touch: (key, expires, options) => engine.touch(key, expires, options),
        owned: (owner) => engine.owned(owner),
        sweep: (now) => engine.sweep(now),
        async close() {
          open.delete(namespace);
        },
      };
    },
  };
}
