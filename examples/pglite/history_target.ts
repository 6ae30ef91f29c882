/**
 * The engine over a Postgres server, for several processes.
 *
 * @module
 */
import { createSessionStorage } from "@satchel/session";
import type { Target } from "@satchel/session/conformance";
import pg from "pg";
import process from "node:process";
import { PostgresEngine, schema } from "./engine.ts";

const connectionString = process.env["DATABASE_URL"];

const target: Target = {
  name: "postgres",
  capabilities: ["revoke", "shared", "durable", "merge"],
  async open({ namespace, now }) {
    const db = new pg.Pool({ connectionString, max: 1 });
    await db.query(schema);
    const engine = new PostgresEngine(db, namespace);
    const storage = createSessionStorage({ engine, now });
    return { storage, close: () => db.end() };
  },
};

export default target;
