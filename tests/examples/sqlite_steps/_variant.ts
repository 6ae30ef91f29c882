// Targets that differ from the finished one in a single thing.
import {
  type Backend,
  createSessionStorage,
  type StorageOptions,
} from "@satchel/session";
import {
  type Capability,
  instrument,
  type Target,
} from "@satchel/session/conformance";
import { SqliteBackend } from "../../../examples/sqlite_storage.ts";

/** What a variant does otherwise. */
export interface Variant {
  /** Changes the engine. */
  engine?: (engine: SqliteBackend) => Partial<Backend>;
  /** Changes what the storage is opened with. */
  options?: StorageOptions;
  /** Claims that it leaves out. */
  without?: readonly Capability[];
}

const ALL: readonly Capability[] = [
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

/** A target for the finished engine, with a change. */
export function variant(change: Variant): Target {
  const dir = Deno.makeTempDirSync();
  addEventListener("unload", () => Deno.removeSync(dir, { recursive: true }));
  const keys = new Map<string, Set<string>>();
  return {
    name: "sqlite",
    capabilities: ALL.filter((claim) => !change.without?.includes(claim)),
    clock: { kind: "virtual", advance() {} },
    open(options) {
      const { namespace } = options;
      const known = keys.get(namespace) ?? new Set<string>();
      keys.set(namespace, known);
      const engine = new SqliteBackend(`${dir}/sessions.db`, namespace);
      const { backend, inspect, faults } = instrument({
        guarantees: engine.guarantees,
        read: (key) => engine.read(key),
        write: (key, value, how) => engine.write(key, value, how),
        delete: (key, how) => engine.delete(key, how),
        touch: (key, expires, how) => engine.touch(key, expires, how),
        sweep: (now) => engine.sweep(now),
        close: () => engine.close(),
        ...change.engine?.(engine),
      }, known);
      const storage = createSessionStorage({
        ...options,
        ...change.options,
        backend,
        cookie: { name: "session", secrets: ["s3cr3t"] },
      });
      return { storage, inspect, faults, close: () => storage.close?.() };
    },
  };
}
