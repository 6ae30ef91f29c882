// What the engine claims, and how the suite opens it.
import { createSessionStorage } from "@satchel/session";
import { instrument, type Target } from "@satchel/session/conformance";
import { SqliteEngine } from "./sqlite_storage.ts";

const temporary = Deno.makeTempDirSync();
addEventListener(
  "unload",
  () => Deno.removeSync(temporary, { recursive: true }),
);
/** The keys written so far, by namespace: all that `inspect` needs. */
const keys = new Map<string, Set<string>>();

const target: Target = {
  name: "sqlite",
  capabilities: [
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
  ],
  clock: { kind: "virtual", advance() {} },
  limits: { recordBytes: 999_000 },
  // Several processes share a directory that the suite names.
  open({ namespace, directory = temporary, ...options }) {
    const known = keys.get(namespace) ?? new Set<string>();
    keys.set(namespace, known);
    const sqlite = new SqliteEngine(`${directory}/sessions.db`, namespace);
    const { engine, inspect, faults } = instrument(sqlite, known);
    const storage = createSessionStorage({
      ...options,
      engine,
      cookie: { name: "session", secrets: ["s3cr3t"] },
    });
    return { storage, inspect, faults, close: () => storage.close?.() };
  },
};

export default target;
