import type {
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "@satchel/session";
import { DatabaseSync } from "node:sqlite";

export class SqliteEngine implements Engine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: true,
    shared: true,
    selfContained: false,
  };
  readonly #db: DatabaseSync;

  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec(`
      CREATE TABLE IF NOT EXISTS sessions (
        key TEXT PRIMARY KEY, value TEXT NOT NULL, expires REAL NOT NULL
      )`);
  }

  async read(key: string): Promise<EngineRecord | null> {
    const row = this.#db.prepare(
      "SELECT value, expires, 1 AS version FROM sessions WHERE key = ?",
    ).get(key);
    return row ? row as unknown as EngineRecord : null;
  }

  async write(
    key: string,
    value: string,
    { expires }: WriteOptions,
  ): Promise<unknown> {
    this.#db.prepare(
      "INSERT OR REPLACE INTO sessions (key, value, expires) VALUES (?, ?, ?)",
    ).run(key, value, expires);
    return 1;
  }

  async delete(key: string): Promise<boolean> {
    this.#db.prepare("DELETE FROM sessions WHERE key = ?").run(key);
    return true;
  }

  async close(): Promise<void> {
    if (this.#db.isOpen) this.#db.close();
  }
}
