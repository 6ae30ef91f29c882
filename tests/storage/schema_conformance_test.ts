/** A storage with a schema that accepts everything keeps every rule: a session with a schema is a session. */
import { conformance, instrument } from "../../conformance/mod.ts";
import type { StandardSchemaLike } from "../../core/standard_schema.ts";
import { createSession, type SessionData } from "../../core/session.ts";
import { createSessionStorage } from "../../storage/create_session_storage.ts";
import { ENGINE, memoryTarget, PATIENT } from "../conformance/targets.ts";
import {
  type AsynchronousMemoryEngine,
  memoryEngine,
} from "../engines/_memory.ts";

/** Returns each value anew, with the keys of its objects in another order. */
const schema: StandardSchemaLike<SessionData> = {
  "~standard": {
    version: 1,
    validate: async (value) => ({
      value: await Promise.resolve(rebuilt(value)) as SessionData,
    }),
  },
};

function rebuilt(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(rebuilt);
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, own]) => [key, rebuilt(own)]));
}

const engines = new Map<string, AsynchronousMemoryEngine>();
conformance(Deno.test, {
  ...memoryTarget(),
  name: "a schema",
  capabilities: [...ENGINE, "sweep"],
  open({ namespace, maxAge, ...options }) {
    const known = engines.get(namespace) ??
      memoryEngine(1000, options.now, () => {});
    engines.set(namespace, known);
    const engine = instrument(known, new Set());
    const storage = createSessionStorage({
      ...options,
      schema,
      engine: engine.engine,
      cookie: { name: "session", secrets: ["s3cr3t"], maxAge },
    });
    return { ...engine, storage, createSession };
  },
}, PATIENT);
