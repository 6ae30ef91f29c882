/**
 * Sessions in SQLite: an engine of one's own, on `node:sqlite` (Deno, and Node from 22.5).
 *
 * `docs/write-a-storage.md` builds it step by step.
 *
 * @module
 */
import type {
  Backend,
  BackendRecord,
  DeleteOptions,
  StorageGuarantees,
  WriteOptions,
} from "@satchel/session";
import { DatabaseSync } from "node:sqlite";

/** Keeps records in a table of an SQLite database. */
export class SqliteBackend implements Backend {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: true,
    shared: true,
    selfContained: false,
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
    // Readers and writers of several processes wait for each other instead of failing.
    this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 5000");
    this.#db.exec(`
      CREATE TABLE IF NOT EXISTS sessions (
        space TEXT, key TEXT, value TEXT NOT NULL, version TEXT NOT NULL,
        expires REAL NOT NULL, PRIMARY KEY (space, key)
      ) WITHOUT ROWID`);
  }

  async read(key: string): Promise<BackendRecord | null> {
    const row = this.#db.prepare(
      "SELECT value, version, expires FROM sessions WHERE space = ? AND key = ?",
    ).get(this.#space, key);
    return row ? row as unknown as BackendRecord : null;
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    // At random, so that a version never comes back, not even after the record was deleted and made again.
    const version = crypto.randomUUID();
    const row = [value, version, expires, this.#space, key] as const;
    if (typeof ifVersion === "string") {
      const { changes } = this.#db.prepare(
        `UPDATE sessions SET value = ?, version = ?, expires = ?
         WHERE space = ? AND key = ? AND version = ?`,
      ).run(...row, ifVersion);
      return changes === 0 ? null : version;
    }
    const { changes } = this.#db.prepare(
      `INSERT ${ifVersion === null ? "OR IGNORE" : "OR REPLACE"}
       INTO sessions (value, version, expires, space, key)
       VALUES (?, ?, ?, ?, ?)`,
    ).run(...row);
    return changes === 0 ? null : version;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const at = [this.#space, key] as const;
    if (typeof ifVersion !== "string") {
      this.#db.prepare("DELETE FROM sessions WHERE space = ? AND key = ?")
        .run(...at);
      return true;
    }
    const { changes } = this.#db.prepare(
      "DELETE FROM sessions WHERE space = ? AND key = ? AND version = ?",
    ).run(...at, ifVersion);
    return changes !== 0;
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const { changes } = this.#db.prepare(
      `UPDATE sessions SET expires = ?
       WHERE space = ? AND key = ? AND version = coalesce(?, version)`,
    ).run(expires, this.#space, key, ifVersion as string | null ?? null);
    return changes !== 0;
  }

  async sweep(now: number): Promise<void> {
    this.#db.prepare("DELETE FROM sessions WHERE space = ? AND expires <= ?")
      .run(this.#space, now);
  }

  async close(): Promise<void> {
    if (this.#db.isOpen) this.#db.close();
  }
}
