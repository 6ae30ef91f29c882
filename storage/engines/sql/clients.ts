/**
 * The clients of SQL databases: of each, the part that sessions need.
 *
 * @module
 */

/** What a statement can be given. */
export type SqlValue = string | number | null;

/** `DatabaseSync` of `node:sqlite`, `Database` of better-sqlite3, libsql or `bun:sqlite`. */
export interface SqliteLike {
  /** Prepares a statement. */
  // deno-lint-ignore no-explicit-any -- each has a class of its own
  prepare(sql: string): any;
}

/** The client of @libsql/client: Turso, or a file. */
export interface LibsqlLike {
  /** Runs a statement. */
  execute(
    statement: { sql: string; args: SqlValue[] },
  ): Promise<{ rows: unknown[]; rowsAffected: number }>;
  /** Runs several statements. Only this client and D1 have it. */
  batch: unknown;
}

/** A database of Cloudflare D1, or its `withSession()`. */
export interface D1Like {
  /** Prepares a statement. */
  prepare(sql: string): {
    bind(...values: SqlValue[]): {
      all(): Promise<{ results: unknown[]; meta: object }>;
    };
  };
  /** Runs several statements. */
  batch: unknown;
}

/**
 * `Pool` or `Client` of `pg` or @neondatabase/serverless, PGlite, or an object of your own with this one method.
 */
export interface SqlQueryLike {
  /**
   * Runs a statement with its values, and returns the rows, and how many rows it changed (`rowCount` or `affectedRows`).
   */
  query(sql: string, values: SqlValue[]): Promise<{ rows: unknown[] }>;
}

/** `sql` of postgres.js, or `SQL` of Bun. */
export interface PostgresJsLike {
  /** Runs a statement with its values. */
  // deno-lint-ignore no-explicit-any -- each has a type of its own for values
  unsafe(sql: string, values?: any[]): PromiseLike<unknown>;
}

/** `neon()` of @neondatabase/serverless. */
export interface NeonLike {
  /** Runs a statement with its values. */
  query(sql: string, values: SqlValue[]): PromiseLike<unknown>;
}

/** A pool or a connection of mysql2, with promises or with callbacks. */
export interface Mysql2Like {
  /** Runs a prepared statement. */
  // deno-lint-ignore no-explicit-any -- each has overloads of its own
  execute(sql: string, values: any): any;
  /** Runs a statement. */
  // deno-lint-ignore no-explicit-any -- each has overloads of its own
  query(sql: string, values: SqlValue[]): any;
  /** Quotes a name. */
  escapeId: unknown;
}

/** A database of Drizzle: its client is used. */
export interface DrizzleLike {
  /** The client. */
  readonly $client: unknown;
}

/** A client of Prisma. It needs `dialect`. */
export interface PrismaLike {
  /** Runs a statement that returns rows. */
  $queryRawUnsafe(sql: string, ...values: SqlValue[]): PromiseLike<unknown>;
  /** Runs a statement, and returns how many rows it changed. */
  $executeRawUnsafe(sql: string, ...values: SqlValue[]): PromiseLike<number>;
}

/** A client of an SQL database. */
export type SqlClientLike =
  | SqliteLike
  | LibsqlLike
  | D1Like
  | SqlQueryLike
  | PostgresJsLike
  | NeonLike
  | Mysql2Like
  | DrizzleLike
  | PrismaLike;
