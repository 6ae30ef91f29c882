/**
 * What happens before the first statement: creating the table, and what MySQL would otherwise do in silence.
 *
 * @module
 */
import type { SqlClient } from "./adapters.ts";
import { codesOf, problemOf } from "./errors.ts";
import {
  COLUMNS,
  schemaStatements,
  type SqlDialect,
  type SqlTable,
} from "./schema.ts";
import type { Statements } from "./statements.ts";
import { explain, unfit } from "./table_problems.ts";

/** A client with the statements of its dialect. */
export interface Connected {
  readonly client: SqlClient;
  readonly dialect: SqlDialect;
  readonly statements: Statements;
}

/** How often a statement is repeated, because another process creates the table at the same time. */
const MAX_ATTEMPTS = 5;

/** `duplicate_table` and `duplicate_object` of PostgreSQL. */
const CREATED = ["42P07", "42710"];

/** Letters of two to four bytes in UTF-8: a connection that speaks another character set changes them. */
const LETTERS = "Ł☃🎒";

/**
 * Creates the table if it is missing, and checks the one of MySQL, and its connection.
 *
 * @throws {Error} If sessions cannot use the table or the connection.
 */
export async function setUp(
  connected: Connected,
  table: SqlTable,
  creates: boolean,
): Promise<void> {
  if (creates) await create(connected, table);
  if (connected.dialect === "mysql") await checkMysql(connected, table);
}

/** `IF NOT EXISTS` needs the right to create, even if the table exists. So it is looked for first. */
async function create(
  { client, dialect, statements }: Connected,
  table: SqlTable,
): Promise<void> {
  try {
    await client.rows(statements.look, []);
    return;
  } catch (error) {
    const problem = problemOf(error);
    if (problem !== "table") throw explain(error, problem, dialect, table);
  }
  for (const statement of schemaStatements(dialect, table)) {
    for (let attempt = 1;; attempt++) {
      try {
        await client.count(statement, []);
        break;
      } catch (error) {
        // In PostgreSQL, IF NOT EXISTS fails if another process creates it at this moment.
        const again = codesOf(Object(error))
          .some((code) => CREATED.includes(code));
        if (!again || attempt === MAX_ATTEMPTS) throw error;
      }
    }
  }
}

/**
 * The least that a column and a connection must be, in MySQL: without a primary key, or with a short text, it loses
 * sessions.
 */
async function checkMysql(
  { client, dialect }: Connected,
  table: SqlTable,
): Promise<void> {
  const { schema, name } = table;
  const at = schema === undefined ? "DATABASE()" : "?";
  const found = await client.rows(
    `SELECT column_name AS name, data_type AS type, character_set_name AS letters, collation_name AS collation, column_key AS part, @@autocommit AS commits, ? AS echo FROM information_schema.columns WHERE table_schema = ${at} AND table_name = ?`,
    schema === undefined ? [LETTERS, name] : [LETTERS, schema, name],
  );
  const columns = new Map(
    (Array.isArray(found) ? found : []).map((row) => [String(row.name), row]),
  );
  // It does not exist, or this user may not see it. The first statement will say so.
  if (columns.size === 0) return;
  const { collation, part, commits, echo } = columns.get("key") ?? {};
  const value = columns.get("value");
  const missing = COLUMNS.filter((column) => !columns.has(column));
  const problem = missing.length > 0
    ? `it does not have the column ${missing.join(", ")}`
    : part !== "PRI"
    ? "its column key is not its primary key"
    : !/_(bin|cs)$/.test(String(collation))
    ? "its column key is not text that tells upper case from lower case; its collation must be ascii_bin"
    : !/^(longtext|mediumtext)$/i.test(String(value?.type))
    ? "its column value is too short for sessions; its type must be longtext"
    : value?.letters !== "utf8mb4"
    ? "its column value does not have every letter; its character set must be utf8mb4"
    : undefined;
  if (problem !== undefined) throw unfit(table, dialect, problem);
  if (Number(commits) === 0) {
    throw new Error(
      "Cannot use SQL: the connection does not commit what it writes (autocommit is off), so sessions would be lost; turn autocommit on",
    );
  }
  if (echo !== LETTERS) {
    throw new Error(
      "Cannot use SQL: the connection's character set does not have every letter, so sessions would change; it must be utf8mb4, which is mysql2's own if charset is left out",
    );
  }
}
