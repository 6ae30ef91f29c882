/**
 * Helpers for the tests of SQL: an engine on any client, with a table for each namespace.
 *
 * @module
 */
import type { EngineTarget, Target } from "../../conformance/mod.ts";
import type { SqlClientLike, SqlDialect } from "../../mod.ts";
import {
  Database,
  type SqlSource,
} from "../../storage/engines/sql/database.ts";
import { SqlEngine } from "../../storage/engines/sql/engine.ts";
import { tableOf } from "../../storage/engines/sql/schema.ts";
import { target } from "../conformance/engines/targets.ts";
import { engineTarget, without } from "../conformance/targets.ts";

/** Options of {@linkcode engineOn}. */
export interface EngineOptions {
  readonly table?: string;
  readonly dialect?: SqlDialect | undefined;
  readonly creates?: boolean;
  readonly patience?: number;
  now?(): number;
}

/** An engine that creates its table. Errors of a sweep in passing fail the test. */
export function engineOn(
  db: SqlSource,
  { table = "sessions", dialect, creates = true, patience = 60_000, now }:
    EngineOptions = {},
): SqlEngine {
  const database = new Database({
    ...{ db, dialect, table: tableOf(table), creates, patience },
  });
  return new SqlEngine(database, now ?? Date.now, (error) => {
    throw error;
  });
}

/** What a client is tested with. */
export interface Client {
  readonly name: string;
  readonly db: SqlSource;
  readonly dialect?: SqlDialect;
}

/** The client as a target of `checkEngine`. */
export function sqlEngine({ name, db, dialect }: Client): EngineTarget {
  return target(
    `SQL, ${name}`,
    ({ namespace, now }) => engineOn(db, { table: namespace, dialect, now }),
  );
}

/** The client as a target of `conformance`. */
export function sqlTarget({ name, db, dialect }: Client): Target {
  const { guarantees } = engineOn(db, { dialect });
  const all = engineTarget(
    name,
    ({ namespace, now }) => engineOn(db, { table: namespace, dialect, now }),
    ["durable", "sweep"],
    guarantees.maxBytes === undefined
      ? {}
      : { recordBytes: guarantees.maxBytes - 1000 },
  );
  return without(
    all,
    ...guarantees.durable ? [] : ["durable" as const],
    ...guarantees.shared ? [] : ["shared" as const],
  );
}

/** The client of an example, whose real type is not the subject of a test. */
export function asClient(db: unknown): SqlClientLike {
  return db as SqlClientLike;
}
