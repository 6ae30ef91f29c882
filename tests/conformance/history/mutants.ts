/** Storages that several processes share, each broken in one way. */
import type { DatabaseSync } from "node:sqlite";
import { createSessionStorage } from "../../../mod.ts";
import type { StorageLike, Target } from "../../../conformance/mod.ts";
import { SqliteEngine } from "../../../examples/sqlite_storage.ts";
import { createHalfFileTable } from "./_half_files.ts";
import {
  type Functions,
  storageOver,
  tableIn,
  type Values,
} from "./_four_functions.ts";
import { atOnce, type Patch, patching, rowsOf, writeRow } from "./_patching.ts";

/** A broken storage, and the rule that finds it. */
export interface Mutant {
  readonly rule: string;
  readonly target: Target;
  /** How many rounds it needs, if one is too few: what breaks it is seldom done. @default {1} */
  readonly rounds?: number;
  /** Whether it is found only when processes are killed. */
  readonly kill?: boolean;
  /** Other rules that it breaks, and why. */
  readonly also?: Readonly<Record<string, string>>;
}

/** A database is a round trip away: long enough for others to get in between, on a machine of any speed. */
function roundTrip(): Promise<void> {
  return new Promise((done) => setTimeout(done, 20));
}

function target(
  name: string,
  claims: Target["capabilities"],
  open: (directory: string) => StorageLike,
): Target {
  return {
    name,
    capabilities: ["shared", "durable", ...claims],
    open: ({ directory = "." }) => ({ storage: open(directory) }),
  };
}

/** Four functions over SQLite, with a mistake. */
function table(
  name: string,
  claims: Target["capabilities"],
  flaw: (table: ReturnType<typeof tableIn>) => Partial<Functions>,
): Target {
  return target(name, claims, (directory) => {
    const sound = tableIn(directory);
    return storageOver({ ...sound, ...flaw(sound) });
  });
}

/** Every mistake. */
export const MUTANTS: readonly Mutant[] = [
  {
    rule: "HISTORY-01",
    target: target("UPDATE without a version", ["merge"], (dir) => {
      const engine = new SqliteEngine(`${dir}/sessions.db`, "s");
      return createSessionStorage({
        cookie: { name: "session", secrets: ["s3cr3t"] },
        engine: {
          guarantees: engine.guarantees,
          read: (key) => engine.read(key),
          delete: (key, options) => engine.delete(key, options),
          async write(key, value, { expires, ifVersion }) {
            await roundTrip();
            const known = await engine.read(key);
            const version = ifVersion === null ? null : known?.version;
            return version === undefined
              ? null
              : await engine.write(key, value, { expires, ifVersion: version });
          },
        },
      });
    }),
  },
  {
    rule: "HISTORY-02",
    rounds: 3,
    target: table("UPSERT after a delete", ["revoke"], ({ db }) => ({
      async update(id, values) {
        await roundTrip();
        db.prepare(
          "INSERT INTO sessions VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET data = ?2",
        ).run(id, JSON.stringify(values));
      },
    })),
  },
  {
    rule: "HISTORY-03",
    target: table("the first session in a global", ["revoke"], ({ read }) => {
      let current: Values | null = null;
      return { read: (id) => structuredClone(current ??= read(id)) };
    }),
  },
  {
    rule: "HISTORY-04",
    target: table("a cache in each process", [], (sound) => {
      const cache = new Map<string, Values>();
      return {
        read(id) {
          const values = cache.get(id) ?? sound.read(id);
          if (values) cache.set(id, values);
          return structuredClone(values);
        },
        async update(id, values) {
          await roundTrip();
          sound.update(id, values);
          cache.set(id, structuredClone(values));
        },
      };
    }),
  },
  {
    rule: "HISTORY-05",
    target: target(
      "one row after the other",
      ["merge"],
      (directory) =>
        patching(directory, async (db, id, patch) => {
          for (const entry of patch) {
            writeRow(db, id, entry);
            await roundTrip();
          }
        }),
    ),
  },
  {
    rule: "HISTORY-06",
    target: table("ids from a counter", ["revoke"], ({ db }) => {
      let count = 0;
      return {
        create(values) {
          const id = `session-${++count}`;
          db.prepare("INSERT OR REPLACE INTO sessions VALUES (?, ?)")
            .run(id, JSON.stringify(values));
          return id;
        },
      };
    }),
  },
  {
    rule: "HISTORY-07",
    kill: true,
    target: target(
      "files that are written in two halves",
      [],
      (directory) => storageOver(createHalfFileTable(directory)),
    ),
  },
  {
    rule: "HISTORY-07",
    kill: true,
    also: {
      "HISTORY-01":
        "what one process writes late replaces what another saved meanwhile",
    },
    target: target("a queue that is written later", ["merge"], (directory) => {
      let queue: { id: string; patch: Patch }[] = [];
      let timer: ReturnType<typeof setTimeout> | undefined;
      const storage = patching(directory, async (db, id, patch) => {
        // A new session is written at once.
        if (Object.keys(rowsOf(db, id)).length === 0) {
          return await atOnce(db, id, patch);
        }
        queue.push({ id, patch });
        timer ??= setTimeout(() => flush(db), 100);
      });
      const flush = (db: DatabaseSync) => {
        timer = undefined;
        for (const { id, patch } of queue) atOnce(db, id, patch);
        queue = [];
      };
      return storage;
    }),
  },
];

const targets: readonly Target[] = MUTANTS.map(({ target }) => target);

/** All of them, for processes that look for one by its name. */
export default targets;
