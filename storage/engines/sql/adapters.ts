/**
 * One way to run a statement through each kind of SQL client.
 *
 * Clients are told apart by their methods: names of classes do not survive a bundler, and an application can have two
 * copies of a package.
 *
 * @module
 */
import { toBase64Url } from "../../../core/bytes.ts";
import { randomBytes } from "../../../core/runtime.ts";
import type { SqlValue } from "./clients.ts";
import type { SqlDialect } from "./schema.ts";

/** What is known of a client without asking its database. */
export interface ClientTraits {
  /** The dialect; `undefined` if the client does not say. */
  readonly dialect: SqlDialect | undefined;
  /** The largest record, in bytes, if there is a limit. */
  readonly maxBytes?: number;
  /** Whether only this process has the database. */
  readonly alone?: boolean;
  /** Whether the database ends with the process. */
  readonly passing?: boolean;
}

/** One way to run statements, whatever the client. */
export interface SqlClient extends ClientTraits {
  /** Runs a statement that returns rows. */
  rows(sql: string, values: SqlValue[]): Promise<unknown>;
  /** Runs a statement, and returns how many rows it found and changed. */
  count(sql: string, values: SqlValue[]): Promise<unknown>;
  /** What the application should change about the client, if anything. */
  advice?(): string | undefined;
}

// deno-lint-ignore no-explicit-any -- a client of one of many packages
type Any = any;

/** D1's limit for a row is 2,000,000 bytes. The other columns take less than 200. */
const D1_BYTES = 1_999_800;

/** MySQL ends the connection at a larger statement than `max_allowed_packet`, which is 4 MiB in old servers. */
const MYSQL_BYTES = 4_000_000;

/** What is known of a client that is not there yet: the least that its dialect promises. */
export function traitsOf(dialect: SqlDialect | undefined): ClientTraits {
  return dialect === "postgres"
    ? { dialect }
    : { dialect, maxBytes: dialect === "mysql" ? MYSQL_BYTES : D1_BYTES };
}

/** Whether a value is a function that returns the client of the moment. */
export function isProvider(db: unknown): db is () => unknown {
  return typeof db === "function" && !has(db, "unsafe") && !has(db, "query");
}

/**
 * Finds out how a client runs statements.
 *
 * @param prepares Whether PostgreSQL keeps each statement on each connection.
 * @throws {TypeError} If it is not a known client.
 */
export function adapterFor(db: unknown, prepares = false): SqlClient {
  // Drizzle's error messages contain the values, so its client is used.
  const client: Any = Object(db).$client ?? db;
  // Neon's function has an `unsafe` too, which only makes a part of a statement.
  const found = typeof client === "function" && has(client, "query")
    ? neonClient(client)
    : has(client, "unsafe")
    ? unsafeClient(client, prepares)
    : has(client, "query", "execute", "escapeId") && !has(client, "batch")
    ? mysqlClient(client)
    : has(client, "$queryRawUnsafe", "$executeRawUnsafe")
    ? prismaClient(client)
    : has(client, "prepare", "batch")
    ? d1Client(client)
    : has(client, "prepare")
    ? sqliteClient(client)
    : has(client, "execute", "batch") && !has(client, "query")
    ? libsqlClient(client)
    : has(client, "query") && !has(client, "execute")
    ? queryClient(client, prepares)
    : undefined;
  if (found) return found;
  throw new TypeError(
    "Cannot use SQL: db must be a client of node:sqlite, better-sqlite3, bun:sqlite, libsql, @libsql/client, D1, pg, postgres.js, PGlite, @neondatabase/serverless, mysql2, Bun.SQL, Drizzle or Prisma; for another one, pass { query(sql, values) } that returns { rows, rowCount }, and dialect",
  );
}

function has(client: Any, ...methods: string[]): boolean {
  return (typeof client === "object" || typeof client === "function") &&
    client !== null &&
    methods.every((name) => typeof client[name] === "function");
}

/** Clients that answer at once. Their statements are prepared once. */
function sqliteClient(db: Any): SqlClient {
  let statements = new Map<string, Any>();
  const run = async <T>(sql: string, use: (statement: Any) => T) => {
    if (db.isTransaction === true || db.inTransaction === true) {
      throw inTransaction();
    }
    try {
      const statement = statements.get(sql) ?? db.prepare(sql);
      statements.set(sql, statement);
      return use(statement);
    } catch (error) {
      // They end with the connection, which an application can close and open again.
      statements = new Map();
      throw error;
    }
  };
  const memory = isInMemory(db);
  return {
    dialect: "sqlite",
    alone: memory,
    passing: memory,
    rows: (sql, values) => run(sql, (statement) => statement.all(...values)),
    count: (sql, values) =>
      run(sql, (statement) => statement.run(...values)?.changes),
  };
}

/** A session that is saved in a transaction of the application is lost with its rollback, and a logout undone. */
function inTransaction(): Error {
  return new Error(
    "a transaction of the application is open on the same connection; give the storage a connection of its own",
  );
}

function isInMemory(db: Any): boolean {
  try {
    // better-sqlite3 and libsql; node:sqlite; bun:sqlite
    return db.memory === true || db.name === ":memory:" ||
      (has(db, "location") && db.location() === null) ||
      db.filename === ":memory:" || db.filename === "";
  } catch {
    // Closed, or not open yet.
    return false;
  }
}

function libsqlClient(db: Any): SqlClient {
  const run = (sql: string, args: SqlValue[]) => db.execute({ sql, args });
  return {
    dialect: "sqlite",
    rows: async (sql, values) => (await run(sql, values)).rows,
    count: async (sql, values) => (await run(sql, values)).rowsAffected,
  };
}

function d1Client(db: Any): SqlClient {
  const run = (sql: string, values: SqlValue[]) =>
    db.prepare(sql).bind(...values).all();
  return {
    dialect: "sqlite",
    maxBytes: D1_BYTES,
    rows: async (sql, values) => (await run(sql, values)).results,
    count: async (sql, values) => (await run(sql, values)).meta?.changes,
  };
}

/** pg, @neondatabase/serverless, PGlite, or an object of the application's own. */
function queryClient(db: Any, prepares: boolean): SqlClient {
  const pglite = has(db, "execProtocol");
  const pg = has(db, "connect", "end");
  const names = new Map<string, string>();
  const run = (sql: string, values: SqlValue[]) => {
    // Its queries would wait for ever. Another driver does not have these members.
    if (db._connected === false && db._connecting === false) {
      throw new Error(
        "the Client of pg is not connected; await client.connect() first, or pass a Pool",
      );
    }
    // Only a Client of pg has it. "T" is within a transaction, and "E" within one that has failed.
    const status: unknown = db.getTransactionStatus?.();
    if (status === "T" || status === "E") throw inTransaction();
    if (!prepares || !pg) return db.query(sql, values);
    const name = names.get(sql) ?? newName();
    names.set(sql, name);
    return db.query({ name, text: sql, values });
  };
  return {
    dialect: pg || pglite ? "postgres" : undefined,
    ...pglite ? { alone: true, passing: isPassing(db.dataDir) } : {},
    rows: async (sql, values) => (await run(sql, values)).rows,
    async count(sql, values) {
      const { rowCount, affectedRows } = await run(sql, values);
      return rowCount ?? affectedRows;
    },
    // Only a pool counts its connections.
    advice: () =>
      typeof db.totalCount === "number" && has(db, "listenerCount") &&
        db.listenerCount("error") === 0
        ? 'the Pool of pg ends the process when an idle connection is lost; add a listener: pool.on("error", (error) => …)'
        : undefined,
  };
}

/** A name for a prepared statement, which no other statement has, whoever else has used the connection. */
function newName(): string {
  return `sessions_${toBase64Url(randomBytes(18))}`;
}

function isPassing(dataDir: unknown): boolean {
  return dataDir === undefined || /^memory:/.test(String(dataDir));
}

/** postgres.js and Bun.SQL. */
function unsafeClient(sql: Any, prepares: boolean): SqlClient {
  const adapter: unknown = sql.options?.adapter;
  // Only Bun.SQL has an adapter, and it decides by itself.
  const options = prepares && adapter === undefined ? [{ prepare: true }] : [];
  const run = (text: string, values: SqlValue[]) =>
    sql.unsafe(text, values, ...options);
  return {
    dialect: adapter === "sqlite"
      ? "sqlite"
      : adapter === "mysql" || adapter === "mariadb"
      ? "mysql"
      : "postgres",
    ...adapter === "mysql" || adapter === "mariadb"
      ? { maxBytes: MYSQL_BYTES }
      : {},
    rows: async (text, values) => await run(text, values),
    async count(text, values) {
      const { count, affectedRows } = await run(text, values);
      return count ?? affectedRows;
    },
  };
}

function neonClient(sql: Any): SqlClient {
  const run = (text: string, values: SqlValue[]) =>
    sql.query(text, values, { fullResults: true });
  return {
    dialect: "postgres",
    rows: async (text, values) => (await run(text, values)).rows,
    count: async (text, values) => (await run(text, values)).rowCount,
  };
}

function mysqlClient(db: Any): SqlClient {
  // The methods of its client with callbacks return something that has a `then`, but is no promise.
  const client = has(db, "promise") ? db.promise() : db;
  // Not `query`, which writes the values into the statement.
  const run = (sql: string, values: SqlValue[]) => client.execute(sql, values);
  return {
    dialect: "mysql",
    maxBytes: MYSQL_BYTES,
    rows: async (sql, values) => (await run(sql, values))[0],
    count: async (sql, values) => (await run(sql, values))[0]?.affectedRows,
  };
}

function prismaClient(db: Any): SqlClient {
  return {
    dialect: undefined,
    rows: async (sql, values) => await db.$queryRawUnsafe(sql, ...values),
    count: async (sql, values) => await db.$executeRawUnsafe(sql, ...values),
  };
}
