/**
 * Sessions in SQLite: an engine of one's own, on `node:sqlite` (Deno, and Node from 22.5).
 *
 * `docs/write-a-storage.md` explains an engine for Postgres, which is built in the same way.
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
import { DatabaseSync } from "node:sqlite";

/** Keeps records in a table of an SQLite database. */
export class SqliteEngine implements Engine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: true,
    shared: true,
    selfContained: false,
    maxBytes: 1_000_000,
  };
  readonly #db: DatabaseSync;
  readonly #space: string;

  /**
   * @param path The database's file.
   * @param space Keeps applications that share the file apart.
   */
  constructor(path: string, space: string) {
    this.#db = new DatabaseSync(path);
    this.#space = space;
    // Several processes wait for each other instead of failing; that comes first, since the next statement may wait.
    this.#db.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL");
    this.#db.exec(`
      CREATE TABLE IF NOT EXISTS sessions (
        space TEXT, key TEXT, value TEXT NOT NULL, version TEXT NOT NULL,
        expires REAL NOT NULL, PRIMARY KEY (space, key)
      ) WITHOUT ROWID`);
  }

  async read(key: string): Promise<EngineRecord | null> {
    const row = this.#db.prepare(
      "SELECT value, version, expires FROM sessions WHERE space = ? AND key = ?",
    ).get(this.#space, key);
    return row ? row as unknown as EngineRecord : null;
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    // At random, so that a version never comes back, not even after the record was deleted and made again.
    const version = crypto.randomUUID();
    const row = [value, version, expires, this.#space, key];
    if (ifVersion !== undefined && ifVersion !== null) {
      return this.#run(
          `UPDATE sessions SET value = ?, version = ?, expires = ?
           WHERE space = ? AND key = ? AND version = ?`,
          [...row, String(ifVersion)],
        )
        ? version
        : null;
    }
    const written = this.#run(
      `INSERT ${ifVersion === null ? "" : "OR REPLACE"}
       INTO sessions (value, version, expires, space, key)
       VALUES (?, ?, ?, ?, ?)
       ${ifVersion === null ? "ON CONFLICT (space, key) DO NOTHING" : ""}`,
      row,
    );
    return written ? version : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const at = "DELETE FROM sessions WHERE space = ? AND key = ?";
    if (ifVersion === undefined) {
      this.#run(at, [this.#space, key]);
      return true;
    }
    return this.#run(`${at} AND version = ?`, [
      this.#space,
      key,
      String(ifVersion),
    ]);
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const at = "UPDATE sessions SET expires = ? WHERE space = ? AND key = ?";
    const row = [expires, this.#space, key];
    return ifVersion === undefined
      ? this.#run(at, row)
      : this.#run(`${at} AND version = ?`, [...row, String(ifVersion)]);
  }

  async sweep(now: number): Promise<number> {
    const sql = "DELETE FROM sessions WHERE space = ? AND expires <= ?";
    return Number(this.#db.prepare(sql).run(this.#space, now).changes);
  }

  async close(): Promise<void> {
    if (this.#db.isOpen) this.#db.close();
  }

  /** Runs one statement; tells whether it changed anything. */
  #run(sql: string, values: (string | number)[]): boolean {
    return this.#db.prepare(sql).run(...values).changes !== 0;
  }
}
