/**
 * Reproductions for React Router: a few lines of its packages' own API for each rule that they break.
 *
 * `deno run -A conformance/reports/reproductions/react_router.ts [cookie | memory | file | …] [rule]`
 */
import { createFileSessionStorage } from "@react-router/node";
import {
  createCookieSessionStorage,
  createMemorySessionStorage,
} from "react-router";
import { cookie, type Storage } from "./shared/rr_storage.ts";
import { sessionShows } from "./shared/rr_sessions.ts";
import { valueShows } from "./shared/rr_values.ts";
import { damageFile, folder, tableOf, workersKv } from "./engines.ts";
import { type Reproduction, run, shared } from "./run.ts";

// Not a literal: its types would declare the globals of Workers in every file.
const PACKAGE: string = "npm:@react-router/cloudflare@7.18.4";
const { createWorkersKVSessionStorage } = await import(PACKAGE);

async function openArchitect(): Promise<Storage> {
  const table = await tableOf("sessions");
  // It loads Architect's client, after its environment is there.
  const { createArcTableSessionStorage } = await import(
    "npm:@react-router/architect@8.4.0"
  );
  const idx = "_idx";
  const ttl = "_ttl";
  const lasting = { ...cookie, maxAge: 3600 };
  return createArcTableSessionStorage({ table, idx, ttl, cookie: lasting });
}

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
  architect: openArchitect,
};

/** The reproductions, by rule. */
export const reproductions: Readonly<Record<string, Reproduction<Storage>>> =
  shared({ ...sessionShows, ...valueShows }, {
    "PERSIST-05": ["memory", "file", "architect"],
    "FLASH-10": ["memory", "file", "architect"],
    "EXPIRY-02": ["memory", "file", "workers_kv"],
    "EXPIRY-09": ["memory", "file", "workers_kv"],
    "REGEN-05": ["memory", "file", "workers_kv", "architect"],
    "REGEN-09": ["memory", "file", "workers_kv", "architect"],
    "ISO-01": ["memory"],
    "ISO-02": ["memory"],
    "CONC-01": ["memory", "file", "architect"],
    "CONC-09": ["memory", "file", "architect"],
    "COOKIE-01": ["cookie", "memory", "file", "workers_kv", "architect"],
    "COOKIE-03": ["memory", "file", "architect"],
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
