/** Files that are written in two halves. A lock keeps others away meanwhile, and does not outlive its process. */
import {
  appendFileSync,
  existsSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Functions, Values } from "./_four_functions.ts";

/** The four functions over such files. */
export function createHalfFileTable(directory: string): Functions {
  const file = (id: string) => `${directory}/${id}.json`;
  const lock = new DatabaseSync(`${directory}/lock.db`);
  lock.exec("PRAGMA busy_timeout = 30000");
  const locked = async <T>(act: () => T | Promise<T>) => {
    lock.exec("BEGIN EXCLUSIVE");
    try {
      return await act();
    } finally {
      lock.exec("COMMIT");
    }
  };
  const write = (id: string, values: Values) =>
    locked(async () => {
      const text = JSON.stringify(values);
      const half = text.length >> 1;
      writeFileSync(file(id), text.slice(0, half));
      await pause();
      appendFileSync(file(id), text.slice(half));
    });
  return {
    async create(values) {
      const id = crypto.randomUUID();
      await write(id, values);
      return id;
    },
    read: (id) =>
      locked(() => {
        if (!existsSync(file(id))) return null;
        try {
          return JSON.parse(readFileSync(file(id), "utf8"));
        } catch {
          // A damaged session is none.
          return null;
        }
      }),
    update: write,
    remove: (id) => locked(() => rmSync(file(id), { force: true })),
  };
}

/** Most of the time that a save takes, on a machine of any speed. */
function pause(): Promise<void> {
  return new Promise((done) => setTimeout(done, 20));
}
