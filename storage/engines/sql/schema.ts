/**
 * The table of sessions: its name, and the statements that create it.
 *
 * @module
 */

/** The SQL that a database understands: `mysql` is MySQL and MariaDB. */
export type SqlDialect = "sqlite" | "postgres" | "mysql";

/** Options of {@linkcode sqlSessionSchema}. */
export interface SqlSchemaOptions {
  /** The table's name, with its schema if it needs one: `app.sessions`. @default {"sessions"} */
  table?: string | undefined;
}

/** The table's columns. */
export const COLUMNS: readonly string[] = [
  "key",
  "value",
  "version",
  "expires",
  "due",
  "owner",
];

/** The table's name, by its parts. */
export interface SqlTable {
  readonly schema: string | undefined;
  readonly name: string;
  /** Both, as a message names them. */
  readonly full: string;
}

/** Letters of names that need no escape within quotes. */
const NAME = /^[A-Za-z_][\w$]{0,62}$/;

/** The longest name of PostgreSQL, in bytes. */
const LONGEST = 63;

/** @throws {TypeError} If it is not one of the dialects. */
export function checkDialect(dialect: unknown): SqlDialect {
  if (dialect === "sqlite" || dialect === "postgres" || dialect === "mysql") {
    return dialect;
  }
  throw new TypeError(
    'Cannot use SQL: dialect must be "sqlite", "postgres" or "mysql" (also for MariaDB)',
  );
}

/** @throws {TypeError} If it is not the name of a table. */
export function tableOf(table: unknown): SqlTable {
  const parts = typeof table === "string" ? table.split(".") : [];
  const name = parts.at(-1);
  if (name !== undefined && parts.length <= 2 && parts.every(isName)) {
    const schema = parts.length === 2 ? parts[0] : undefined;
    return { schema, name, full: parts.join(".") };
  }
  throw new TypeError(
    'Cannot use SQL: table must be a name of letters, digits, "_" and "$", with its schema if it needs one, such as "sessions" or "app.sessions"',
  );
}

function isName(part: string): boolean {
  return NAME.test(part);
}

/** The name of a table or column in a statement. */
export function quoted(dialect: SqlDialect, name: string): string {
  return dialect === "mysql" ? `\`${name}\`` : `"${name}"`;
}

/** The name of a table in a statement. */
export function quotedTable(
  dialect: SqlDialect,
  { schema, name }: SqlTable,
): string {
  const parts = schema === undefined ? [name] : [schema, name];
  return parts.map((part) => quoted(dialect, part)).join(".");
}

/**
 * Returns the statements that create the table of {@linkcode createSqlSessionStorage}, for your own migrations. If the
 * table exists, they change nothing.
 *
 * The value is text, because databases do not have to look into it. `expires` is in milliseconds. `due` is the hour in
 * which a session expires, rounded up: a sweep finds it by an index that most renewals of a session do not change.
 * `owner` is a hash.
 *
 * @param dialect The database: `"sqlite"`, also for Turso and D1; `"postgres"`; or `"mysql"`, also for MariaDB.
 * @param options The table's name.
 * @returns SQL: statements that each end with a semicolon.
 * @throws {TypeError} If the dialect is unknown, or `table` is not the name of a table.
 *
 * @example Create the table in a migration
 * ```ts
 * import { sqlSessionSchema } from "@satchel/session";
 * import { assertMatch } from "@std/assert";
 * import { DatabaseSync } from "node:sqlite";
 *
 * const db = new DatabaseSync(":memory:");
 * db.exec(sqlSessionSchema("sqlite"));
 *
 * assertMatch(sqlSessionSchema("postgres"), /^CREATE TABLE IF NOT EXISTS "sessions"/);
 * db.close();
 * ```
 */
export function sqlSessionSchema(
  dialect: SqlDialect,
  { table = "sessions" }: SqlSchemaOptions = {},
): string {
  return schemaStatements(checkDialect(dialect), tableOf(table))
    .map((statement) => `${statement};\n`).join("");
}

/** The statements that create the table, one by one. */
export function schemaStatements(
  dialect: SqlDialect,
  table: SqlTable,
): string[] {
  const at = quotedTable(dialect, table);
  const index = (column: string) => {
    const name = `${
      table.name.slice(0, LONGEST - column.length - 1)
    }_${column}`;
    return quoted(dialect, name);
  };
  if (dialect === "mysql") {
    // The database's own character set may be another one. A text column would be cut at 65,535 bytes.
    const ascii = "CHARACTER SET ascii COLLATE ascii_bin";
    return [
      `CREATE TABLE IF NOT EXISTS ${at} (
  \`key\` varchar(64) ${ascii} NOT NULL,
  \`value\` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  \`version\` varchar(64) ${ascii} NOT NULL,
  \`expires\` bigint NOT NULL,
  \`due\` int NOT NULL,
  \`owner\` varchar(64) ${ascii},
  PRIMARY KEY (\`key\`),
  KEY ${index("due")} (\`due\`),
  KEY ${index("owner")} (\`owner\`)
) ENGINE=InnoDB`,
    ];
  }
  // In SQLite, the schema belongs to the name of the index.
  const named = (column: string) =>
    dialect === "sqlite" && table.schema !== undefined
      ? `${quoted(dialect, table.schema)}.${index(column)}`
      : index(column);
  const on = dialect === "sqlite" ? quoted(dialect, table.name) : at;
  const [text, integer, options] = dialect === "postgres"
    // Room in each page lets a row be renewed beside its old version, without a change of an index (HOT).
    ? ['text COLLATE "C"', "bigint", " WITH (fillfactor = 70)"]
    : ["text", "integer", ""];
  return [
    `CREATE TABLE IF NOT EXISTS ${at} (
  "key" ${text} NOT NULL PRIMARY KEY,
  "value" text NOT NULL,
  "version" ${text} NOT NULL,
  "expires" ${integer} NOT NULL,
  "due" integer NOT NULL,
  "owner" ${text}
)${options}`,
    `CREATE INDEX IF NOT EXISTS ${named("due")} ON ${on} ("due")`,
    `CREATE INDEX IF NOT EXISTS ${
      named("owner")
    } ON ${on} ("owner") WHERE "owner" IS NOT NULL`,
  ];
}
