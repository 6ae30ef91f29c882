/**
 * An engine on PostgreSQL, as an author would write it; PGlite is PostgreSQL in WebAssembly.
 */
import type { PGlite } from "npm:@electric-sql/pglite@0.3.14";
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  OwnedRecord,
  StorageGuarantees,
  WriteOptions,
} from "../../../mod.ts";

interface Row {
  readonly key: string;
  readonly value: string;
  /** A BIGINT, which may come as a number or as text. */
  readonly version: number | string | bigint;
  readonly expires: number | string | bigint;
}

function recordOf({ value, version, expires }: Row): EngineRecord {
  return { value, version: String(version), expires: Number(expires) };
}

export class PostgresEngine implements Engine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: true,
    shared: true,
    selfContained: false,
  };
  readonly #db: PGlite;
  readonly #table: string;

  constructor(db: PGlite, table: string) {
    this.#db = db;
    this.#table = table;
  }

  async createTable(): Promise<void> {
    await this.#db.exec(`
      CREATE SEQUENCE IF NOT EXISTS versions;
      CREATE TABLE IF NOT EXISTS ${this.#table} (
        key text PRIMARY KEY, value text NOT NULL, owner text,
        version bigint NOT NULL, expires bigint NOT NULL)`);
  }

  async read(key: string): Promise<EngineRecord | null> {
    const [row] = await this.#query("SELECT * FROM $t WHERE key = $1", key);
    return row ? recordOf(row) : null;
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion, owner = null as never }: WriteOptions,
  ): Promise<unknown> {
    const insert =
      `INSERT INTO $t (key, value, expires, owner, version) VALUES ($1, $2, $3, $4, nextval('versions'))`;
    const update =
      "value = $2, expires = $3, owner = $4, version = nextval('versions')";
    const given = [key, value, expires, owner];
    const rows = ifVersion === undefined
      ? this.#query(
        `${insert} ON CONFLICT (key) DO UPDATE SET ${update}`,
        ...given,
      )
      : ifVersion === null
      ? this.#query(`${insert} ON CONFLICT DO NOTHING`, ...given)
      : this.#query(
        `UPDATE $t SET ${update} WHERE key = $1 AND version = $5`,
        ...given,
        ifVersion,
      );
    const [row] = await rows;
    return row ? String(row.version) : null;
  }

  async delete(key: string, options: DeleteOptions = {}): Promise<boolean> {
    const deleted = await this.#change("DELETE FROM $t", key, options, []);
    return deleted || options.ifVersion === undefined;
  }

  touch(
    key: string,
    expires: number,
    options: DeleteOptions = {},
  ): Promise<boolean> {
    return this.#change("UPDATE $t SET expires = $3", key, options, [expires]);
  }

  async owned(owner: string): Promise<OwnedRecord[]> {
    const rows = await this.#query(
      "SELECT * FROM $t WHERE owner = $1 ORDER BY version",
      owner,
    );
    return rows.map((row) => ({ ...recordOf(row), key: row.key }));
  }

  async sweep(now: number): Promise<void> {
    await this.#query("DELETE FROM $t WHERE expires <= $1", now);
  }

  /** Changes the row of a version; of any without `ifVersion`. */
  async #change(
    sql: string,
    key: string,
    { ifVersion }: DeleteOptions,
    more: readonly unknown[],
  ): Promise<boolean> {
    // null is the version of no row.
    const version = ifVersion === undefined ? "any" : ifVersion ?? "none";
    const rows = await this.#query(
      `${sql} WHERE key = $1 AND $2 IN ('any', version::text)`,
      key,
      version,
      ...more,
    );
    return rows.length > 0;
  }

  async #query(sql: string, ...values: unknown[]): Promise<Row[]> {
    const text = sql.replace("$t", this.#table);
    const changes = text.startsWith("SELECT") ? "" : " RETURNING *";
    return (await this.#db.query<Row>(text + changes, values)).rows;
  }
}
