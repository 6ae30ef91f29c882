/** Sessions in an SQLite table, as an application writes it: four functions, and React Router's storage. */
import { createSessionStorage } from "react-router";
import { DatabaseSync } from "node:sqlite";
import type { StorageLike } from "../../../conformance/mod.ts";

/** Values of a session. */
export type Values = Record<string, unknown>;

/** What stores sessions: one table, and functions that a mistake can replace. */
export interface Table {
  create(values: Values): string;
  read(id: string): Values | null;
  update(id: string, values: Values): void;
  remove(id: string): void;
}

/** The same functions, at once or later. */
export type Functions = {
  [Name in keyof Table]: (
    ...args: Parameters<Table[Name]>
  ) => ReturnType<Table[Name]> | Promise<ReturnType<Table[Name]>>;
};

/** A table in a folder. */
export function tableIn(directory: string): Table & { db: DatabaseSync } {
  const db = new DatabaseSync(`${directory}/sessions.db`);
  db.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL");
  db.exec(
    "CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, data TEXT)",
  );
  return {
    db,
    create(values) {
      const id = crypto.randomUUID();
      db.prepare("INSERT INTO sessions VALUES (?, ?)")
        .run(id, JSON.stringify(values));
      return id;
    },
    read(id) {
      const row = db.prepare("SELECT data FROM sessions WHERE id = ?").get(id);
      return row ? JSON.parse(`${row["data"]}`) : null;
    },
    update(id, values) {
      db.prepare("UPDATE sessions SET data = ? WHERE id = ?")
        .run(JSON.stringify(values), id);
    },
    remove(id) {
      db.prepare("DELETE FROM sessions WHERE id = ?").run(id);
    },
  };
}

/** React Router's storage over a table. */
export function storageOver(table: Functions): StorageLike {
  return createSessionStorage({
    cookie: { name: "session", secrets: ["s3cr3t"] },
    createData: async (values) => await table.create(values as Values),
    readData: async (id) => await table.read(id) as never,
    updateData: async (id, values) => await table.update(id, values as Values),
    deleteData: async (id) => await table.remove(id),
  });
}

/** A sound storage in a folder. */
export function fourFunctions(directory: string): StorageLike {
  return storageOver(tableIn(directory));
}
