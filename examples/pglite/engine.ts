/**
 * Sessions in Postgres, by an engine with compare-and-set. `docs/write-a-storage.md` explains it.
 *
 * @module
 */
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "@satchel/session";
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";

/** Creates the table. */
export const schema: string = `
  CREATE TABLE IF NOT EXISTS records (
    space TEXT, key TEXT, value BYTEA NOT NULL, version TEXT NOT NULL,
    expires DOUBLE PRECISION NOT NULL, PRIMARY KEY (space, key)
  )`;

/** A client of Postgres: PGlite, or a `Pool` of `pg`. */
export interface Database {
  query(sql: string, values: unknown[]): Promise<{ rows: unknown[] }>;
}

interface Row {
  value: Uint8Array;
  version: string;
  expires: number;
}

/** Keeps records in a table of Postgres. `space` separates applications that share the table. */
export class PostgresEngine implements Engine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: true,
    shared: true,
    selfContained: false,
  };
  readonly #db: Database;
  readonly #space: string;

  constructor(db: Database, space: string) {
    this.#db = db;
    this.#space = space;
  }

  async read(key: string): Promise<EngineRecord | null> {
    const { rows: [row] } = await this.#db.query(
      `SELECT value, version, expires FROM records
       WHERE space = $1 AND key = $2`,
      [this.#space, key],
    ) as { rows: Row[] };
    return row ? { ...row, value: Buffer.from(row.value).toString() } : null;
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    // Random, so that no version comes back after a record was deleted.
    const version = randomUUID();
    const row = [this.#space, key, Buffer.from(value), version, expires];
    const insert = "INSERT INTO records VALUES ($1, $2, $3, $4, $5)";
    const change = "UPDATE SET value = $3, version = $4, expires = $5";
    const written = ifVersion === undefined
      ? this.#run(`${insert} ON CONFLICT (space, key) DO ${change}`, row)
      : ifVersion === null
      ? this.#run(`${insert} ON CONFLICT (space, key) DO NOTHING`, row)
      : this.#run(
        `UPDATE records SET value = $3, version = $4, expires = $5
         WHERE space = $1 AND key = $2 AND version = $6`,
        [...row, ifVersion],
      );
    return await written ? version : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const sql = "DELETE FROM records WHERE space = $1 AND key = $2";
    const at = [this.#space, key];
    if (ifVersion !== undefined) {
      return await this.#run(`${sql} AND version = $3`, [...at, ifVersion]);
    }
    await this.#run(sql, at);
    return true;
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const sql = "UPDATE records SET expires = $3 WHERE space = $1 AND key = $2";
    const at = [this.#space, key, expires];
    return ifVersion === undefined
      ? await this.#run(sql, at)
      : await this.#run(`${sql} AND version = $4`, [...at, ifVersion]);
  }

  async sweep(now: number): Promise<number> {
    const sql = "DELETE FROM records WHERE space = $1 AND expires <= $2";
    return await this.#count(sql, [this.#space, now]);
  }

  /** Runs one statement. Returns whether it changed a row. */
  async #run(sql: string, values: unknown[]): Promise<boolean> {
    return await this.#count(sql, values) > 0;
  }

  /** Runs one statement. Returns how many rows it changed. */
  async #count(sql: string, values: unknown[]): Promise<number> {
    const { rows } = await this.#db.query(`${sql} RETURNING key`, values);
    return rows.length;
  }
}
