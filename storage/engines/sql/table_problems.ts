/**
 * Errors about the table and its connection, which say what to do.
 *
 * @module
 */
import type { SqlProblem } from "./errors.ts";
import { COLUMNS, type SqlDialect, type SqlTable } from "./schema.ts";

/** The error of a table that sessions cannot use. */
export function unfit(
  { full }: SqlTable,
  dialect: SqlDialect,
  problem: string,
  cause?: unknown,
): Error {
  const table = full === "sessions" ? "" : `, { table: "${full}" }`;
  return new Error(
    `Cannot use table "${full}": ${problem}; create it with the statements of sqlSessionSchema("${dialect}"${table})`,
    { cause },
  );
}

/** Replaces an error by one that says what is wrong with the table or the connection, if something is. */
export function explain(
  error: unknown,
  problem: SqlProblem | undefined,
  dialect: SqlDialect,
  table: SqlTable,
): unknown {
  if (problem === "unprepared") {
    return new Error(
      "Cannot use prepare: a pooler gives statements to connections that were prepared by other clients; leave prepare out",
      { cause: error },
    );
  }
  const words = problem === "table"
    ? "it does not exist, or this connection does not find it"
    : problem === "column"
    ? `it does not have all of the columns ${COLUMNS.join(", ")}`
    : problem === "conflict-target"
    ? "its column key is not its primary key"
    : problem === "type"
    ? "one of its columns has another type, or a column that sessions do not have must not be null"
    : undefined;
  return words === undefined ? error : unfit(table, dialect, words, error);
}
