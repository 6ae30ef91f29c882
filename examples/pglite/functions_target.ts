/**
 * What the conformance suite needs to know of the four functions over PGlite.
 *
 * @module
 */
import { PGlite } from "@electric-sql/pglite";
import type { Target } from "@satchel/session/conformance";
import { createPgliteSessionStorage, schema } from "./storage.ts";

const db = await PGlite.create();
await db.exec(schema);

const target: Target = {
  name: "pglite",
  capabilities: [
    "revoke",
    "shared",
    "durable",
    "idle",
    "maxAge",
    "touch",
    "absolute",
    "lifetime",
  ],
  clock: { kind: "virtual", advance() {} },
  open({ namespace: _, maxAge, ...options }) {
    const cookie = { name: "session", secrets: ["s3cr3t"], maxAge };
    return { storage: createPgliteSessionStorage(db, { ...options, cookie }) };
  },
};

export default target;
