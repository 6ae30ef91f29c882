/**
 * Reproductions for Remix 1–2: a few lines of its packages' own API for each rule that they break.
 *
 * `deno run -A conformance/reports/reproductions/remix_2.ts [cookie | memory | file | …] [rule]`
 */
import { createArcTableSessionStorage } from "npm:@remix-run/architect@2.17.5";
import {
  createCookieSessionStorage,
  createFileSessionStorage,
  createMemorySessionStorage,
} from "npm:@remix-run/node@2.17.5";
import { cookie, type Storage } from "./shared/rr_storage.ts";
import { sessionShows } from "./shared/rr_sessions.ts";
import { valueShows } from "./shared/rr_values.ts";
import { damageFile, folder, tableObject, workersKv } from "./engines.ts";
import { type Reproduction, run, shared } from "./run.ts";

// Not a literal: its types would declare the globals of Workers in every file.
const PACKAGE: string = "npm:@remix-run/cloudflare@2.17.5";
const { createWorkersKVSessionStorage } = await import(PACKAGE);

/** The storages. */
export const storages: Readonly<
  Record<string, () => Storage | Promise<Storage>>
> = {
  cookie: () => createCookieSessionStorage({ cookie }),
  memory: () => createMemorySessionStorage({ cookie }),
  file: () => ({
    ...createFileSessionStorage({ cookie, dir: folder }),
    damage: (id) => damageFile(`${id.slice(0, 4)}/${id.slice(4)}`),
  }),
  workers_kv: async () => {
    const { kv, ...hooks } = await workersKv();
    return { ...createWorkersKVSessionStorage({ cookie, kv }), ...hooks };
  },
  architect: async () =>
    createArcTableSessionStorage({
      cookie: { ...cookie, maxAge: 3600 },
      table: await tableObject(),
      idx: "_idx",
      ttl: "_ttl",
    }),
};

/** The reproductions, by rule. */
export const reproductions: Readonly<Record<string, Reproduction<Storage>>> =
  shared({ ...sessionShows, ...valueShows }, {
    "PERSIST-05": ["memory", "file", "architect"],
    "PERSIST-07": ["architect"],
    "FLASH-10": ["memory", "file", "architect"],
    "EXPIRY-02": ["memory", "file", "workers_kv"],
    "EXPIRY-09": ["memory", "file", "workers_kv"],
    "REGEN-05": ["memory", "file", "workers_kv", "architect"],
    "REGEN-07": ["memory"],
    "REGEN-09": ["memory", "file", "workers_kv", "architect"],
    "ISO-01": ["memory"],
    "ISO-02": ["memory"],
    "CONC-01": ["memory", "file", "architect"],
    "CONC-04": ["file"],
    "CONC-09": ["memory", "file", "architect"],
    "COOKIE-01": ["cookie", "memory", "file", "workers_kv", "architect"],
    "COOKIE-03": ["memory", "file", "architect"],
    "HOSTILE-01": ["workers_kv"],
    "HOSTILE-03": ["architect"],
    "HOSTILE-04": ["file", "workers_kv"],
    "HOSTILE-05": ["cookie"],
    "HOSTILE-07": ["architect"],
    "SERIAL-01": ["architect"],
    "SERIAL-03": ["cookie", "file", "workers_kv", "architect"],
    "SERIAL-05": ["architect"],
    "MODEL-01": ["memory", "file", "workers_kv", "architect"],
    "MODEL-02": ["memory", "file", "architect"],
  });

if (import.meta.main) await run(storages, reproductions);
