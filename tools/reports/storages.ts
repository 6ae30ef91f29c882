/** Which storages the reports are about. */
import { root } from "../project.ts";

/** The targets, below the root. */
export const TARGETS = "tests/conformance/published/";

/** A storage in the reports. */
export interface Subject {
  /** Its target's file, without the ending. */
  readonly file: string;
  /** Its package on npm; absent for this library's own. */
  readonly package?: string;
  /** The condition under which its package exports anything, if that is not one of Deno's own. */
  readonly condition?: string;
}

/** A library whose storages share their reproductions. */
export interface Library {
  /** Its heading. */
  readonly title: string;
  /** The file of its reproductions. */
  readonly name: string;
  /** Its storages, by their names in the reproductions. */
  readonly storages: Readonly<Record<string, Subject>>;
}

/** A storage that cannot be checked here. */
export interface Absent {
  /** Its package on npm, and perhaps a version. */
  readonly package: string;
  /** Why it cannot be checked. */
  readonly reason: string;
}

/** This library's own storages. */
export const OWN: readonly Subject[] = [
  ...["memory", "cookie", "file", "deno_kv", "four_functions"],
  ...["sqlite", "postgres", "mysql"],
  ...["redis", "memcached", "dynamodb", "workers_kv", "durable_objects"],
].map((name) => ({ file: `satchel_${name}` }));

/** The other libraries. */
export const libraries: readonly Library[] = [
  {
    title: "React Router",
    name: "react_router",
    storages: {
      cookie: { file: "react_router_cookie", package: "react-router" },
      memory: { file: "react_router_memory", package: "react-router" },
      file: { file: "react_router_file", package: "@react-router/node" },
      workers_kv: {
        file: "react_router_workers_kv",
        package: "@react-router/cloudflare",
      },
      architect: {
        file: "react_router_architect",
        package: "@react-router/architect",
      },
    },
  },
  {
    title: "Remix 1–2",
    name: "remix_2",
    storages: {
      cookie: { file: "remix_2_cookie", package: "@remix-run/node" },
      memory: { file: "remix_2_memory", package: "@remix-run/node" },
      file: { file: "remix_2_file", package: "@remix-run/node" },
      workers_kv: {
        file: "remix_2_workers_kv",
        package: "@remix-run/cloudflare",
      },
      architect: { file: "remix_2_architect", package: "@remix-run/architect" },
    },
  },
  {
    title: "Remix 3",
    name: "remix",
    storages: {
      cookie: { file: "remix_cookie", package: "@remix-run/session" },
      memory: { file: "remix_memory", package: "@remix-run/session" },
      fs: { file: "remix_fs", package: "@remix-run/session" },
      redis: {
        file: "remix_redis",
        package: "@remix-run/session-storage-redis",
      },
      memcache: {
        file: "remix_memcache",
        package: "@remix-run/session-storage-memcache",
      },
    },
  },
  {
    title: "Stores of express-session, and of @fastify/session",
    name: "express",
    storages: {
      memory: { file: "express_memory", package: "express-session" },
      "connect-redis": { file: "connect_redis", package: "connect-redis" },
      "connect-pg-simple": {
        file: "connect_pg_simple",
        package: "connect-pg-simple",
      },
      memorystore: { file: "memorystore", package: "memorystore" },
      "session-file-store": {
        file: "session_file_store",
        package: "session-file-store",
      },
      fastify: { file: "fastify_memory", package: "@fastify/session" },
    },
  },
  {
    title: "hono-sessions",
    name: "hono_sessions",
    storages: {
      memory: { file: "hono_sessions_memory", package: "hono-sessions" },
      cookie: { file: "hono_sessions_cookie", package: "hono-sessions" },
    },
  },
  {
    title: "svelte-kit-sessions",
    name: "svelte_kit_sessions",
    storages: {
      memory: {
        file: "svelte_kit_sessions",
        package: "svelte-kit-sessions",
        condition: "svelte",
      },
    },
  },
  {
    title: "unstorage",
    name: "unstorage",
    storages: {
      memory: { file: "unstorage_memory", package: "unstorage" },
      fs: { file: "unstorage_fs", package: "unstorage" },
      "lru-cache": { file: "unstorage_lru_cache", package: "unstorage" },
    },
  },
];

/** Storages that cannot be checked here, and why. */
export const ABSENT: readonly Absent[] = [
  {
    package: "@react-router/cloudflare@8.3.1",
    reason:
      "no program can load it: it imports `@cloudflare/workers-types`, which has types only (so do 8.1.0 and 8.2.0). The table has 7.18.4.",
  },
];

/** All storages that are checked. */
export function subjects(): readonly Subject[] {
  return [
    ...OWN,
    ...libraries.flatMap(({ storages }) => Object.values(storages)),
  ];
}

/** Deno's flags for a command that loads storages. */
export function flagsOf(...storages: readonly Subject[]): string[] {
  const conditions = storages.flatMap(({ condition }) => condition ?? []);
  return [...new Set(conditions)].map((name) => `--conditions=${name}`);
}

/** A subject's package with its version: from its target, or from deno.json. */
export function versionOf(subject: Subject): string | undefined {
  const { file, package: name } = subject;
  if (name === undefined) return undefined;
  const source = Deno.readTextFileSync(new URL(`${TARGETS}${file}.ts`, root));
  const { scopes } = JSON.parse(
    Deno.readTextFileSync(new URL("deno.json", root)),
  );
  const pinned = source.match(`npm:(${name}@\\d+\\.\\d+\\.\\d+)["/]`)?.[1] ??
    scopes["./"][name]?.replace(/^npm:/, "") ?? "";
  if (/@\d+\.\d+\.\d+$/.test(pinned)) return pinned;
  throw new Error(`${file}.ts or deno.json must pin ${name} to a version`);
}
