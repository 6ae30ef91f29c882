/**
 * Storages that are right, on PostgreSQL, with the types that its columns have.
 */
import { PGlite } from "npm:@electric-sql/pglite@0.5.17";
import {
  createSession,
  createSessionStorage,
  type Engine,
} from "../../../mod.ts";
import { CLAIMS } from "../mutants/_mutant.ts";
import { odd, type OddTarget, virtual } from "./_build.ts";
import { TABLE } from "./sql.ts";

/** How a column holds a text. */
interface Column {
  readonly type: string;
  toColumn(text: string): unknown;
  toText(value: unknown): string;
}

const COLUMNS: readonly Column[] = [
  // It refuses NULs.
  {
    type: "text",
    toColumn: (text) => text,
    toText: String,
  },
  {
    type: "bytea",
    toColumn: (text) => new TextEncoder().encode(text),
    toText: (bytes) => new TextDecoder().decode(bytes as Uint8Array),
  },
  // It refuses NULs too, even as an escape.
  {
    type: "jsonb",
    toColumn: (text) => ({ text }),
    toText: (json) => (json as { text: string }).text,
  },
];

/** Storages on PostgreSQL. */
export const postgres: readonly OddTarget[] = [
  ...COLUMNS.map(engineOf),
  fourFunctions(),
];

/** A database that is opened when it is needed first. */
function lazily() {
  let opened: Promise<PGlite> | undefined;
  return {
    open: (schema: string) =>
      opened ??= PGlite.create().then(async (db) => {
        await db.exec(schema);
        return db;
      }),
    async end() {
      const db = await opened;
      opened = undefined;
      await db?.close();
    },
  };
}

function engineOf({ type, toColumn, toText }: Column): OddTarget {
  const { open, end } = lazily();
  const connect = () =>
    open(`CREATE SEQUENCE versions;
      CREATE TABLE records (
        key text PRIMARY KEY,
        value ${type} NOT NULL,
        version bigint NOT NULL DEFAULT nextval('versions'),
        expires double precision NOT NULL
      )`);
  return odd(`an engine on PostgreSQL, in a column of ${type}`, {
    end,
    async engine({ guarantees }, { namespace }): Promise<Engine> {
      const db = await connect();
      const run = async (sql: string, ...values: unknown[]) =>
        (await db.query<Record<string, unknown>>(sql, values)).rows;
      const path = (key: string) => `${namespace}/${key}`;
      // A condition on the version, if there is one.
      const only = (ifVersion: unknown, place: string) =>
        ifVersion === undefined ? "" : `AND version = ${place}`;
      const given = (ifVersion: unknown) =>
        ifVersion === undefined ? [] : [ifVersion];
      return {
        guarantees,
        async read(key) {
          const [row] = await run(
            "SELECT * FROM records WHERE key = $1",
            path(key),
          );
          return row
            ? {
              value: toText(row["value"]),
              version: row["version"],
              expires: Number(row["expires"]),
            }
            : null;
        },
        async write(key, text, { expires, ifVersion }) {
          const value = toColumn(text);
          const insert =
            "INSERT INTO records (key, value, expires) VALUES ($1, $2, $3) ON CONFLICT (key)";
          const set =
            "SET value = $2, expires = $3, version = nextval('versions')";
          const sql = ifVersion === undefined
            ? `${insert} DO UPDATE ${set} RETURNING version`
            : ifVersion === null
            ? `${insert} DO NOTHING RETURNING version`
            : `UPDATE records ${set} WHERE key = $1 AND version = $4 RETURNING version`;
          const [row] = await run(
            sql,
            path(key),
            value,
            expires,
            ...ifVersion === null ? [] : given(ifVersion),
          );
          return row?.["version"] ?? null;
        },
        async delete(key, { ifVersion } = {}) {
          const deleted = await run(
            `DELETE FROM records WHERE key = $1 ${
              only(ifVersion, "$2")
            } RETURNING key`,
            path(key),
            ...given(ifVersion),
          );
          return ifVersion === undefined || deleted.length > 0;
        },
        async touch(key, expires, { ifVersion } = {}) {
          const touched = await run(
            `UPDATE records SET expires = $2 WHERE key = $1 ${
              only(ifVersion, "$3")
            } RETURNING key`,
            path(key),
            expires,
            ...given(ifVersion),
          );
          return touched.length > 0;
        },
        async sweep(now) {
          await run(
            "DELETE FROM records WHERE expires <= $1 AND starts_with(key, $2)",
            now,
            path(""),
          );
        },
      };
    },
    claims: CLAIMS,
  });
}

/** A table with `uuid`, `json` and `timestamptz`. */
function fourFunctions(): OddTarget {
  const { open, end } = lazily();
  const connect = () =>
    open(`CREATE TABLE sessions (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      site text NOT NULL,
      data text NOT NULL,
      expires timestamptz NOT NULL
    )`);
  const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
  return {
    name: "four functions on PostgreSQL, with the database's UUIDs",
    clock: virtual,
    capabilities: TABLE,
    declines: ["REGEN-09"],
    end,
    async open({ namespace: site, now, maxAge: _, ...timeouts }) {
      const db = await connect();
      return {
        createSession,
        storage: createSessionStorage({
          ...timeouts,
          now,
          cookie: { name: "sid", secrets: ["s3cr3t"] },
          async createData(data, expires) {
            const { rows: [row] } = await db.query<{ id: string }>(
              "INSERT INTO sessions (site, data, expires) VALUES ($1, $2, $3) RETURNING id",
              [site, JSON.stringify(data), expires],
            );
            return row?.id ?? "";
          },
          async readData(id) {
            // PostgreSQL refuses other text in a column of `uuid`, and takes capitals for small letters.
            if (!UUID.test(id)) return null;
            const { rows: [row] } = await db.query<{ data: string }>(
              "SELECT data FROM sessions WHERE id = $1 AND site = $2 AND expires > $3",
              [id, site, new Date(now())],
            );
            return row ? JSON.parse(row.data) : null;
          },
          async updateData(id, data, expires) {
            await db.query(
              "UPDATE sessions SET data = $3, expires = $4 WHERE id = $1 AND site = $2",
              [id, site, JSON.stringify(data), expires],
            );
          },
          async deleteData(id) {
            if (!UUID.test(id)) return;
            await db.query(
              "DELETE FROM sessions WHERE id = $1 AND site = $2",
              [id, site],
            );
          },
        }),
      };
    },
  };
}
