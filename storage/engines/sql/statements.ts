/**
 * The statements of the engine, by the database's dialect. Values are always parameters.
 *
 * @module
 */
import type { SqlValue } from "./clients.ts";
import {
  quoted,
  quotedTable,
  type SqlDialect,
  type SqlTable,
} from "./schema.ts";

/** How many rows one statement of a sweep deletes at most: D1 allows 100 parameters. */
export const SWEPT_AT_ONCE = 90;

/** How many rows a sweep finds at once. */
export const FOUND_AT_ONCE: number = 450;

/** The statements. The parameters of each are listed beside it, in their order. */
export interface Statements {
  /** `key`. Returns `value`, `version` and `expires`. */
  readonly read: string;
  /** `key, value, version, expires, due, owner`. Changes no row, or fails as a duplicate, if the key exists. */
  readonly insert: string;
  /** As `insert`, but replaces the row. */
  readonly put: string;
  /** `value, version, expires, due, owner, key, version`. */
  readonly update: string;
  /** Inserts a row and updates another one, or does neither. Not in MySQL. The values are in the order of `moveValues`. */
  readonly move: string;
  readonly moveValues: (given: Move) => SqlValue[];
  /** `key`. */
  readonly delete: string;
  /** `key, version`. */
  readonly deleteIf: string;
  /** `expires, due, key`. */
  readonly touch: string;
  /** `expires, due, key, version`. */
  readonly touchIf: string;
  /** `owner`. Returns `key`, `value`, `version` and `expires`. */
  readonly owned: string;
  /** The values are in the order of `surplusValues`. */
  readonly surplus: string;
  readonly surplusValues: (given: Surplus) => (string | number)[];
  /** `due, expires`. Returns `key`. */
  readonly expired: string;
  /** `expires`, and {@linkcode SWEPT_AT_ONCE} keys. */
  readonly sweep: string;
  /** Returns nothing, and fails if the table or a column is missing. */
  readonly look: string;
}

/** What is written of a row: `value, version, expires, due, owner`. */
export type Written = readonly [string, string, number, number, string | null];

/** A row to insert, and one to update. */
export interface Move {
  /** The key of the row to insert. */
  readonly key: string;
  readonly row: Written;
  /** The key of the row to update. */
  readonly oldKey: string;
  /** The version that it must have. */
  readonly oldVersion: string;
  readonly oldRow: Written;
}

/** A row to delete if its owner has too many. */
export interface Surplus {
  readonly owner: string;
  readonly key: string;
  readonly version: string;
  /** The key of a row that must exist. */
  readonly beside: string;
  /** How many rows of the owner may stay. */
  readonly most: number;
}

/** Writes the statements. */
export function statementsFor(
  dialect: SqlDialect,
  table: SqlTable,
): Statements {
  const t = quotedTable(dialect, table);
  const name = (column: string) => quoted(dialect, column);
  const [key, value, version, expires, due, owner] = [
    ...["key", "value", "version", "expires", "due", "owner"].map(name),
  ] as [string, string, string, string, string, string];
  const written = [value, version, expires, due, owner];
  const all = [key, ...written].join(", ");
  const into = `INSERT INTO ${t} (${all})`;
  const insert = `${into} VALUES (?, ?, ?, ?, ?, ?)`;
  const keys = Array(SWEPT_AT_ONCE).fill("?").join(", ");
  const setting = `UPDATE ${t} SET ${expires} = ?, ${due} = ?`;
  const here = `WHERE ${key} = ?`;
  const same = `${here} AND ${version} = ?`;
  const { surplus, surplusValues } = surplusFor(dialect, {
    ...{ t, key, version, owner },
  });
  const update = `UPDATE ${t} SET ${
    written.map((column) => `${column} = ?`).join(", ")
  } ${same}`;
  const orReplace = `ON CONFLICT (${key}) DO UPDATE SET ${
    written.map((column) => `${column} = excluded.${column}`).join(", ")
  }`;
  const { move, moveValues } = moveFor(dialect, {
    ...{ into, update, orReplace, t, here, same },
  });
  const texts = {
    read: `SELECT ${value}, ${version}, ${expires} FROM ${t} ${here}`,
    // INSERT IGNORE would also ignore that a value does not fit.
    insert: dialect === "mysql"
      ? insert
      : `${insert} ON CONFLICT (${key}) DO NOTHING`,
    put: dialect === "mysql"
      ? `${insert} ON DUPLICATE KEY UPDATE ${
        written.map((column) => `${column} = VALUES(${column})`).join(", ")
      }`
      : `${insert} ${orReplace}`,
    update,
    delete: `DELETE FROM ${t} ${here}`,
    deleteIf: `DELETE FROM ${t} ${same}`,
    touch: `${setting} ${here}`,
    touchIf: `${setting} ${same}`,
    owned:
      `SELECT ${key}, ${value}, ${version}, ${expires} FROM ${t} WHERE ${owner} = ?`,
    move,
    surplus,
    expired:
      `SELECT ${key} FROM ${t} WHERE ${due} <= ? AND ${expires} <= ? LIMIT ${FOUND_AT_ONCE}`,
    // It repeats the condition: a session may have been renewed since it was found.
    sweep: `DELETE FROM ${t} WHERE ${expires} <= ? AND ${key} IN (${keys})`,
    look: `SELECT ${all} FROM ${t} WHERE ${key} = '' LIMIT 1`,
  };
  const placed = dialect === "postgres"
    ? Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [name, numbered(text)]),
    ) as typeof texts
    : texts;
  return { ...placed, moveValues, surplusValues };
}

/** The statement that inserts a row and updates another one. */
function moveFor(
  dialect: SqlDialect,
  { into, update, orReplace, t, here, same }: Record<
    "into" | "update" | "orReplace" | "t" | "here" | "same",
    string
  >,
): Pick<Statements, "move" | "moveValues"> {
  if (dialect === "postgres") {
    return {
      // If the key exists, the error undoes the update too.
      move:
        `WITH updated AS (${update} RETURNING 1) ${into} SELECT ?, ?, ?, ?, ?, ? FROM updated`,
      moveValues: ({ key, row, oldKey, oldVersion, oldRow }) => [
        ...oldRow,
        ...[oldKey, oldVersion, key],
        ...row,
      ],
    };
  }
  return {
    // SQLite runs one writing statement after another, so what it finds stays true until it writes.
    move:
      `${into} SELECT * FROM (VALUES (?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?)) WHERE EXISTS (SELECT 1 FROM ${t} ${same}) AND NOT EXISTS (SELECT 1 FROM ${t} ${here}) ${orReplace}`,
    moveValues: ({ key, row, oldKey, oldVersion, oldRow }) => [
      key,
      ...row,
      oldKey,
      ...oldRow,
      ...[oldKey, oldVersion, key],
    ],
  };
}

/**
 * The statement that deletes a row if its owner has too many. It locks the owner's rows in one order. So of logins that
 * run at the same time, each sees what the others deleted, and none deletes one that has deleted it.
 */
function surplusFor(
  dialect: SqlDialect,
  { t, key, version, owner }: Record<"t" | "key" | "version" | "owner", string>,
): Pick<Statements, "surplus" | "surplusValues"> {
  const row = `DELETE FROM ${t} WHERE ${key} = ? AND ${version} = ?`;
  if (dialect === "postgres") {
    return {
      surplus:
        `WITH owned AS (SELECT ${key} FROM ${t} WHERE ${owner} = ? ORDER BY ${key} FOR UPDATE) ${row} AND EXISTS (SELECT 1 FROM owned WHERE ${key} = ?) AND (SELECT count(*) FROM owned) > ?`,
      surplusValues: (s) => [s.owner, s.key, s.version, s.beside, s.most],
    };
  }
  // SQLite runs one writing statement after another. MySQL cannot delete from a table that it selects from, but from one
  // that is derived from it.
  const of = (select: string, name: string) =>
    dialect === "mysql"
      ? `(SELECT * FROM (${select} FOR UPDATE) AS ${name})`
      : `(${select})`;
  const owned = `SELECT ${key} FROM ${t} WHERE ${owner} = ?`;
  const counted = dialect === "mysql"
    ? `(SELECT count(*) FROM (${owned} ORDER BY ${key} FOR UPDATE) AS owned)`
    : `(SELECT count(*) FROM ${t} WHERE ${owner} = ?)`;
  const beside = of(`SELECT ${key} FROM ${t} WHERE ${key} = ?`, "beside");
  return {
    surplus: `${row} AND ${counted} > ? AND EXISTS ${beside}`,
    surplusValues: (s) => [s.key, s.version, s.owner, s.most, s.beside],
  };
}

/** Writes the placeholders of PostgreSQL. */
function numbered(text: string): string {
  let count = 0;
  return text.replaceAll("?", () => `$${++count}`);
}
