/**
 * What the errors of SQL databases mean, whichever client throws them.
 *
 * @module
 */

/**
 * - `transient`: the statement had no effect, and can be repeated
 * - `unknown`: as `transient`, but the statement may have had its effect
 * - `duplicate`: a row with this key exists
 * - `table`, `column`: it does not exist
 * - `conflict-target`: the key is not a primary key
 * - `type`: a column does not take what sessions write, which never depends on a client's bytes
 * - `unprepared`: another client has prepared statements on the connection, or the one that this client has prepared is on
 *   another connection
 * - `finalized`: the prepared statement belongs to a connection that was closed
 */
export type SqlProblem =
  | "transient"
  | "unknown"
  | "duplicate"
  | "table"
  | "column"
  | "conflict-target"
  | "type"
  | "unprepared"
  | "finalized";

/** SQLSTATE of PostgreSQL, names and numbers of MySQL, names and numbers of SQLite. */
const CODES: Readonly<Record<string, SqlProblem>> = {
  // serialization_failure, deadlock_detected, lock_not_available (lock_timeout), and the same of MySQL
  "40001": "transient",
  "40P01": "transient",
  "55P03": "transient",
  ER_LOCK_DEADLOCK: "transient",
  "1213": "transient",
  ER_LOCK_WAIT_TIMEOUT: "transient",
  "1205": "transient",
  // ER_CHECKREAD: MariaDB, for a snapshot that is out of date
  "1020": "transient",
  ER_CHECKREAD: "transient",
  SQLITE_BUSY: "transient",
  SQLITE_LOCKED: "transient",
  "23505": "duplicate",
  ER_DUP_ENTRY: "duplicate",
  "1062": "duplicate",
  "42P01": "table",
  "3F000": "table",
  ER_NO_SUCH_TABLE: "table",
  "1146": "table",
  "42703": "column",
  ER_BAD_FIELD_ERROR: "column",
  "1054": "column",
  "42P10": "conflict-target",
  // Too long, out of range, not a number, not a date, another type, and null in a column that is not one of ours.
  "22001": "type",
  "22003": "type",
  "22008": "type",
  "22P02": "type",
  "42804": "type",
  "42883": "type",
  "23502": "type",
  ER_WARN_DATA_OUT_OF_RANGE: "type",
  "1264": "type",
  WARN_DATA_TRUNCATED: "type",
  "1265": "type",
  ER_TRUNCATED_WRONG_VALUE: "type",
  "1292": "type",
  ER_NO_DEFAULT_FOR_FIELD: "type",
  "1364": "type",
  ER_TRUNCATED_WRONG_VALUE_FOR_FIELD: "type",
  "1366": "type",
  ER_DATA_TOO_LONG: "type",
  "1406": "type",
  // duplicate_prepared_statement and invalid_sql_statement_name
  "42P05": "unprepared",
  "26000": "unprepared",
};

/** For clients that say it in words only: SQLite's, and D1's for everything. */
const WORDS: readonly (readonly [RegExp, SqlProblem])[] = [
  [/database (table |schema )?is locked|SQLITE_BUSY/i, "transient"],
  [/D1_ERROR.*overloaded/i, "transient"],
  [
    /D1_ERROR.*(Network connection lost|storage caused object to be reset|reset because its code was updated|exceeded timeout)/i,
    "unknown",
  ],
  // PostgreSQL, after a migration. The client drops the connection.
  [/cached plan must not change result type/, "transient"],
  [/no such table|unknown database/i, "table"],
  [/no such column|has no column named/i, "column"],
  [/ON CONFLICT clause does not match/i, "conflict-target"],
  [/NOT NULL constraint failed|cannot store \w+ value in \w+ column/i, "type"],
  [/statement has been finalized|statement is finalized/i, "finalized"],
];

/** Members of a client's error that contain values, or the statement with values in it. */
const VALUES = ["args", "parameters", "params", "query", "sql", "bindings"];

/** How deep an error is wrapped at most. */
const DEPTH = 4;

/** What an error means; `undefined` if nothing of the above. */
export function problemOf(error: unknown): SqlProblem | undefined {
  for (const each of withCauses(error)) {
    const { errcode, rawCode, message } = each;
    for (const code of codesOf(each)) {
      const problem = CODES[code];
      if (problem) return problem;
    }
    // The lower byte is SQLite's primary code: 5 is busy, 6 is locked.
    for (const given of [errcode, rawCode]) {
      if (typeof given === "number" && [5, 6].includes(given & 0xff)) {
        return "transient";
      }
    }
    const words = String(message ?? "");
    const [, problem] = WORDS.find(([pattern]) => pattern.test(words)) ?? [];
    if (problem) return problem;
  }
  return undefined;
}

/** The database's codes in an error, as text. */
export function codesOf({ code, errno, message }: Wrapped): string[] {
  // Prisma has a code of its own for every failure, and the database's in words only.
  const [, raw] = /^Raw query failed\. Code: `(\w+)`/m.exec(String(message)) ??
    [];
  return [code, errno, raw].map(String);
}

/** Removes what contains values from an error, so that it can be logged. Returns it. */
export function withoutValues(error: unknown): unknown {
  for (const each of withCauses(error)) {
    for (const name of VALUES) {
      if (!Object.hasOwn(each, name)) continue;
      try {
        delete each[name];
      } catch {
        // A property that cannot be deleted is not enumerable either, so that it is not logged.
      }
    }
  }
  return error;
}

/** An error, or its cause. */
type Wrapped = Record<string, unknown>;

function withCauses(error: unknown): Wrapped[] {
  const all: Wrapped[] = [];
  let at: unknown = error;
  while (typeof at === "object" && at !== null && all.length < DEPTH) {
    all.push(at as Wrapped);
    at = (at as Wrapped)["cause"];
  }
  return all;
}
