/** A storage that writes only the keys that changed, each to a row of its own: parallel saves of different keys are kept. */
import { DatabaseSync } from "node:sqlite";
import { createSession, type Session } from "../../../mod.ts";
import type { StorageLike } from "../../../conformance/mod.ts";

/** Keys and their new values; `undefined` removes one. */
export type Patch = readonly (readonly [key: string, value: unknown])[];

/** Writes a patch. */
export type Apply = (
  db: DatabaseSync,
  id: string,
  patch: Patch,
) => Promise<void>;

/** In one transaction, as it should be. */
export async function atOnce(
  db: DatabaseSync,
  id: string,
  patch: Patch,
): Promise<void> {
  db.exec("BEGIN IMMEDIATE");
  for (const entry of patch) writeRow(db, id, entry);
  db.exec("COMMIT");
}

/** Writes one row. */
export function writeRow(
  db: DatabaseSync,
  id: string,
  [key, value]: Patch[number],
): void {
  if (value === undefined) {
    db.prepare("DELETE FROM entries WHERE id = ? AND key = ?").run(id, key);
  } else {
    db.prepare("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)")
      .run(id, key, JSON.stringify(value));
  }
}

/** All rows of a session. */
export function rowsOf(db: DatabaseSync, id: string): Record<string, unknown> {
  const rows = db.prepare("SELECT key, value FROM entries WHERE id = ?")
    .all(id);
  return Object.fromEntries(
    rows.map(({ key, value }) => [`${key}`, JSON.parse(`${value}`)]),
  );
}

/** A storage in a folder. It cannot end sessions. */
export function patching(directory: string, apply: Apply): StorageLike {
  const db = new DatabaseSync(`${directory}/entries.db`);
  db.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL");
  db.exec(
    "CREATE TABLE IF NOT EXISTS entries (id TEXT, key TEXT, value TEXT, PRIMARY KEY (id, key))",
  );
  const before = new WeakMap<Session, Record<string, unknown>>();
  return {
    async read(id) {
      const found = id === null ? {} : rowsOf(db, id);
      const known = Object.keys(found).length > 0 && id !== null;
      const session = known ? createSession(found, id) : createSession();
      before.set(session, found);
      return session;
    },
    async save(session: Session) {
      const old = before.get(session) ?? {};
      const now: Record<string, unknown> = session.data;
      const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
      const patch = keys.filter((key) => old[key] !== now[key])
        .map((key) => [key, now[key]] as const);
      await apply(db, session.id, patch);
      return session.id;
    },
    close: async () => db.close(),
  };
}
