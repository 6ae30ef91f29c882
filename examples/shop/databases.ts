/**
 * The databases of the shop: Deno KV and SQLite in the data folder, and PostgreSQL.
 *
 * @module
 */
import type { SqlClientLike } from "@satchel/session";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Problem, unusable } from "./settings.ts";

/** A database for SQL, and how to close it. */
export interface SqlDatabase {
  readonly db: SqlClientLike;
  close(): Promise<void> | void;
}

/** Opens Deno KV. */
export async function openKv(dataDir: string): Promise<Deno.Kv> {
  try {
    return await Deno.openKv(await makeFile(dataDir, "sessions.sqlite"));
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

/** Opens SQLite. */
export async function openSqlite(dataDir: string): Promise<SqlDatabase> {
  try {
    const db = new DatabaseSync(await makeFile(dataDir, "sessions.db"));
    // Readers do not wait for a writer.
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    return { db, close: () => db.close() };
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

/** SQLite keeps the mode of an existing file, so the database is readable only by this user. */
async function makeFile(dataDir: string, name: string): Promise<string> {
  const path = join(dataDir, name);
  await Deno.writeTextFile(path, "", { append: true, mode: 0o600 });
  return path;
}

/** The part of the package `pg` that the shop needs. */
interface Pg {
  readonly Pool: new (options: { connectionString: string }) => Pool;
}

interface Pool {
  query(sql: string, values: unknown[]): Promise<{ rows: unknown[] }>;
  connect(): Promise<unknown>;
  on(event: "error", listener: (error: Error) => void): unknown;
  end(): Promise<void>;
}

/** Opens a pool of connections to PostgreSQL. The first request connects. */
export async function openPostgres(url: string): Promise<SqlDatabase> {
  if (!url) {
    throw new Problem(
      "Set DATABASE_URL to the database, such as postgres://user:password@127.0.0.1:5432/shop",
    );
  }
  // Deno installs each package that a literal names, and only PostgreSQL needs this one. Its version is in deno.json.
  const name = "pg";
  const { default: { Pool } } = await import(name) as { default: Pg };
  const db = new Pool({ connectionString: url });
  // A pool without a listener ends the process when an idle connection is lost. The next request gets another one.
  db.on("error", () => {});
  return { db, close: () => db.end() };
}
