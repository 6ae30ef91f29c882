/**
 * The engine over PGlite by itself, for the conformance suite.
 *
 * @module
 */
import { PGlite } from "@electric-sql/pglite";
import type { EngineTarget } from "@satchel/session/conformance";
import { PostgresEngine, schema } from "./engine.ts";

const db = await PGlite.create();
await db.exec(schema);

const target: EngineTarget = {
  name: "pglite engine",
  clock: { kind: "virtual", advance() {} },
  open: ({ namespace }) => new PostgresEngine(db, namespace),
};

export default target;
