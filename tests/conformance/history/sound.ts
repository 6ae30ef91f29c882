/** Storages that several processes can share, as targets: each must come out right. */
import { DatabaseSync } from "node:sqlite";
import {
  createDenoKvSessionStorage,
  createFileSessionStorage,
  createSqlSessionStorage,
} from "../../../mod.ts";
import type { Target } from "../../../conformance/mod.ts";
import { fourFunctions } from "./_four_functions.ts";
import { atOnce, patching } from "./_patching.ts";

const cookie = { name: "session", secrets: ["s3cr3t"] };

/** One file a session. */
export const file: Target = {
  name: "file",
  capabilities: ["revoke", "shared", "durable", "merge"],
  open: ({ namespace, directory = "." }) => ({
    storage: createFileSessionStorage({
      dir: `${directory}/${namespace}`,
      cookie,
    }),
  }),
};

/** The same without a cookie: `read` and `save` alone. */
export const fileByValue: Target = {
  ...file,
  name: "file, by value",
  open({ namespace, directory = "." }) {
    const storage = createFileSessionStorage({
      dir: `${directory}/${namespace}`,
    });
    return {
      storage: {
        read: (value) => storage.read(value),
        save: (session, options) => storage.save(session, options),
        close: () => storage.close?.() ?? Promise.resolve(),
      },
    };
  },
};

/** Deno KV in a file. */
export const denoKv: Target = {
  name: "Deno KV",
  capabilities: ["revoke", "shared", "durable", "merge"],
  async open({ namespace, directory = "." }) {
    const kv = await Deno.openKv(`${directory}/kv.sqlite`);
    return {
      storage: createDenoKvSessionStorage({ kv, prefix: namespace, cookie }),
      close: () => kv.close(),
    };
  },
};

/** A table of SQLite. */
export const sql: Target = {
  name: "SQL",
  capabilities: ["revoke", "shared", "durable", "merge"],
  open({ directory = "." }) {
    const db = new DatabaseSync(`${directory}/sql.db`, { timeout: 5000 });
    db.exec("PRAGMA journal_mode = WAL");
    const storage = createSqlSessionStorage({ db, createTable: true, cookie });
    return { storage, close: () => db.close() };
  },
};

/** The four functions over SQLite: the last writer wins, and that is what it claims. */
export const lastWriterWins: Target = {
  name: "last writer wins",
  capabilities: ["revoke", "shared", "durable"],
  open: ({ directory = "." }) => ({ storage: fourFunctions(directory) }),
};

/** A row for each key: parallel saves of different keys are kept, and no session can be ended. */
export const rows: Target = {
  name: "a row for each key",
  capabilities: ["shared", "durable", "merge"],
  open: ({ directory = "." }) => ({ storage: patching(directory, atOnce) }),
};
