// Targets that differ from the finished one in one detail.
import {
  createSessionStorage,
  type Engine,
  type StorageOptions,
} from "@satchel/session";
import {
  CAPABILITIES,
  type Capability,
  instrument,
  type Target,
} from "@satchel/session/conformance";
import { SqliteEngine } from "../../../examples/sqlite_storage.ts";

/** The differences of a variant. */
export interface Variant {
  /** Changes the engine. */
  engine?: (engine: SqliteEngine) => Partial<Engine>;
  /** Options of the storage that differ. */
  options?: StorageOptions;
  /** Capabilities that it does not claim. */
  without?: readonly Capability[];
}

const ALL = (Object.keys(CAPABILITIES) as Capability[])
  .filter((claim) => claim !== "selfContained");

/** A target for the finished engine, with a change. */
export function variant(change: Variant): Target {
  const dir = Deno.makeTempDirSync();
  addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
  const keys = new Map<string, Set<string>>();
  return {
    name: "sqlite",
    capabilities: ALL.filter((claim) => !change.without?.includes(claim)),
    clock: { kind: "virtual", advance() {} },
    open({ namespace, ...options }) {
      const known = keys.get(namespace) ?? new Set<string>();
      keys.set(namespace, known);
      const sqlite = new SqliteEngine(`${dir}/sessions.db`, namespace);
      const { engine, inspect, faults } = instrument({
        guarantees: sqlite.guarantees,
        read: (key) => sqlite.read(key),
        write: (key, value, how) => sqlite.write(key, value, how),
        delete: (key, how) => sqlite.delete(key, how),
        touch: (key, expires, how) => sqlite.touch(key, expires, how),
        sweep: (now) => sqlite.sweep(now),
        close: () => sqlite.close(),
        ...change.engine?.(sqlite),
      }, known);
      const storage = createSessionStorage({
        ...options,
        ...change.options,
        engine,
        cookie: { name: "session", secrets: ["s3cr3t"] },
      });
      return { storage, inspect, faults, close: () => storage.close?.() };
    },
  };
}
