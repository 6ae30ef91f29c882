/**
 * Sessions in an SQL database: SQLite, PostgreSQL, MySQL or MariaDB, and services that speak their language.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, type OwnOptions } from "./sessions/bind.ts";
import type { SqlClientLike } from "./engines/sql/clients.ts";
import { Database } from "./engines/sql/database.ts";
import { SqlEngine } from "./engines/sql/engine.ts";
import { type SqlDialect, tableOf } from "./engines/sql/schema.ts";

/** Options of {@linkcode createSqlSessionStorage}. */
export interface SqlSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /**
   * The client, or a function that returns the client of the moment (on Workers, where a connection belongs to one
   * request). The application opens and closes it. It should be a pool, or a connection that only sessions use.
   */
  db: SqlClientLike | (() => SqlClientLike | Promise<SqlClientLike>);
  /** The database, if the client does not say. @default {the client's} */
  dialect?: SqlDialect | undefined;
  /** The table's name, with its schema if it needs one: `app.sessions`. @default {"sessions"} */
  table?: string | undefined;
  /**
   * Whether the first request creates the table if it is missing. That needs the right to create tables. Otherwise
   * create it with {@linkcode sqlSessionSchema}.
   *
   * @default {false}
   */
  createTable?: boolean | undefined;
  /**
   * Whether PostgreSQL parses each statement once for each connection, not in every request. That takes a fifth off the
   * processor time of a request, or more. It needs `pg`, @neondatabase/serverless or postgres.js, and changes nothing
   * for other clients. Leave it out if a pooler (PgBouncer, Supavisor, Amazon RDS Proxy) is in front of the database,
   * unless it supports prepared statements.
   *
   * @default {false}
   */
  prepare?: boolean | undefined;
}

/**
 * Keeps sessions in a table of an SQL database, by the client that the application already has. Changes of parallel
 * requests are merged: each operation is one conditional statement, so no transaction is held open. A read takes one
 * round trip, and so does a save.
 *
 * The client is that of `node:sqlite`, better-sqlite3, `bun:sqlite`, libsql or @libsql/client (Turso), Cloudflare D1,
 * `pg`, postgres.js, PGlite, @neondatabase/serverless, mysql2, Bun.SQL, Drizzle or Prisma. For another one, pass an
 * object with `query(sql, values)` that returns `{ rows, rowCount }`.
 *
 * With `owner`, a user's sessions are found by an index. Expired sessions are removed by `sweep()`, and, one hour later,
 * in the background about every ten minutes while requests arrive. On Workers, call `sweep()` from a cron trigger.
 *
 * @param options The client, the table, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If the client is unknown, `dialect` is missing or not the client's, `table` is not the name of a
 * table, an option is unknown or malformed, or {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If a timeout or the cookie's `maxAge` is out of range.
 *
 * @example With SQLite
 * ```ts
 * import { createSqlSessionStorage } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 *
 * const db = new DatabaseSync(":memory:"); // in an application: a file
 * const storage = createSqlSessionStorage({ db, createTable: true });
 *
 * const session = await storage.read(null);
 * session.set("theme", "dark");
 * const value = await storage.save(session);
 *
 * assertEquals((await storage.read(value)).get("theme"), "dark");
 * db.close();
 * ```
 *
 * @example With PostgreSQL
 * ```ts ignore
 * import { createSqlSessionStorage } from "@satchel/session";
 * import pg from "pg";
 *
 * const db = new pg.Pool({ connectionString: process.env.DATABASE_URL });
 * db.on("error", (error) => console.error(error));
 *
 * const storage = createSqlSessionStorage({
 *   db,
 *   table: "app.sessions",
 *   cookie: { secrets: ["s3cr3t"], maxAge: 7 * 24 * 60 * 60 },
 *   owner: (data) => data.userId,
 * });
 * ```
 */
export function createSqlSessionStorage<Data = SessionData, FlashData = Data>(
  options: SqlSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData> {
  return engineStorage(options, OPTIONS, (policy) => {
    const { db, dialect, table = "sessions" } = options;
    const { createTable = false, prepare = false } = options;
    for (const [name, given] of Object.entries({ createTable, prepare })) {
      if (typeof given === "boolean") continue;
      throw new TypeError(
        `Cannot create storage: ${name} must be true or false`,
      );
    }
    const report = (cause: unknown) => policy.report("engine-error", { cause });
    const database = new Database({
      ...{ db, dialect, table: tableOf(table), creates: createTable },
      prepares: prepare,
      patience: policy.patience,
      onAdvice: report,
    });
    return new SqlEngine(database, policy.now, report);
  });
}

const OPTIONS: OwnOptions<SqlSessionStorageOptions> = {
  createTable: true,
  db: true,
  dialect: true,
  prepare: true,
  table: true,
};
