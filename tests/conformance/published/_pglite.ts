/** A PostgreSQL in this process: PGlite, one database for all namespaces. */
import { PGlite } from "npm:@electric-sql/pglite@0.5.17";

/** The database. */
export const db: PGlite = await PGlite.create();

/** The part of a `Pool` of pg that stores use. */
export const pool: {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
} = {
  async query(text, values = []) {
    if (values.length > 0) return await db.query(text, values);
    // As in pg, a text without values can have several statements.
    const results = await db.exec(text);
    return results.at(-1) ?? { rows: [] };
  },
};
