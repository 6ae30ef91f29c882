/**
 * What the conformance suite needs to know of the engine, over PGlite.
 *
 * @module
 */
import { PGlite } from "@electric-sql/pglite";
import { createSessionStorage } from "@satchel/session";
import { instrument, type Target } from "@satchel/session/conformance";
import { PostgresEngine, schema } from "./engine.ts";

const db = await PGlite.create();
await db.exec(schema);
/** The keys written so far, by namespace: all that `inspect` needs. */
const keys = new Map<string, Set<string>>();

const target: Target = {
  name: "pglite",
  capabilities: [
    "revoke",
    "shared",
    "durable",
    "namespaces",
    "idle",
    "maxAge",
    "touch",
    "absolute",
    "lifetime",
    "sweep",
    "merge",
    "owners",
    "inspect",
    "faults",
  ],
  clock: { kind: "virtual", advance() {} },
  open({ namespace, maxAge, ...options }) {
    const known = keys.get(namespace) ?? new Set<string>();
    keys.set(namespace, known);
    const { engine, inspect, faults } = instrument(
      new PostgresEngine(db, namespace),
      known,
    );
    const cookie = { name: "session", secrets: ["s3cr3t"], maxAge };
    const storage = createSessionStorage({ ...options, engine, cookie });
    return { storage, inspect, faults };
  },
};

export default target;
