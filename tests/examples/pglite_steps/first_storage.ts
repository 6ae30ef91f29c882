// The first step of docs/write-a-storage.md: it has a fault, which the guide mends.
import type { PGlite } from "@electric-sql/pglite";
import {
  createSessionStorage,
  type SessionStorage,
  type StorageOptions,
} from "@satchel/session";
import { randomBytes } from "node:crypto";

/** Creates the table. */
export const schema: string = `
  CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY,
    data TEXT NOT NULL,
    expires TIMESTAMPTZ NOT NULL
  )`;

/** A session storage on a database that has the table. */
export function createPgliteSessionStorage(
  db: PGlite,
  options: StorageOptions = {},
): SessionStorage {
  const { now = Date.now } = options;
  return createSessionStorage({
    ...options,
    async createData(data, expires) {
      // 144 random bits: nobody can guess the id of another visitor.
      const id = randomBytes(18).toString("base64url");
      await db.query(
        "INSERT INTO sessions (id, data, expires) VALUES ($1, $2, $3)",
        [id, JSON.stringify(data), expires],
      );
      return id;
    },
    async readData(id) {
      const { rows } = await db.query<{ data: string }>(
        "SELECT data FROM sessions WHERE id = $1 AND expires > $2",
        [id, new Date(now())],
      );
      return rows[0] ? JSON.parse(rows[0].data) : null;
    },
    async updateData(id, data, expires) {
      await db.query(
        `INSERT INTO sessions (id, data, expires) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET data = $2, expires = $3`,
        [id, JSON.stringify(data), expires],
      );
    },
    async deleteData(id) {
      await db.query("DELETE FROM sessions WHERE id = $1", [id]);
    },
  });
}
