/**
 * What works where: the tests run what this says and nothing else, and the table in `docs/runtimes.md` is made of it.
 *
 * @module
 */

/** The runtimes, by the names that the tables give them. */
export const RUNTIMES = {
  deno: "Deno",
  bun: "Bun",
  node20: "Node 20",
  node: "Node 26",
  workers: "Workers",
  workersNode: "Workers, `nodejs_compat`",
} as const;

/** One of the runtimes. */
export type Runtime = keyof typeof RUNTIMES;

/** A server that a row needs. */
export type Engine =
  | "redis"
  | "upstash"
  | "memcached"
  | "dynamodb"
  | "postgres"
  | "mariadb";

/** Something that works, or does not, on each runtime. */
export interface Row {
  /** For people, in Markdown; a test's name begins with it, and so it holds no colon. */
  readonly title: string;
  /** The runtimes where it works. */
  readonly on: readonly Runtime[];
  /** Why it does not work on the others. */
  readonly why?: string;
  /** What the user brings there. */
  readonly needs?: Partial<Record<Runtime, string>>;
  /** The server that its test needs. */
  readonly engine?: Engine;
}

const ALL = Object.keys(RUNTIMES) as Runtime[];
const SERVERS: Runtime[] = ["deno", "bun", "node20", "node"];
const NODE_LIKE: Runtime[] = [...SERVERS, "workersNode"];

const SOCKETS = "Workers have sockets with `nodejs_compat` only";

const NOT_TRIED = "not tried in a Worker";

/** The short name of a row. */
export type RowName =
  | "sealed"
  | "signed"
  | "memory"
  | "file"
  | "fourFunctions"
  | "engine"
  | "denoKv"
  | "redisUrl"
  | "nodeRedis"
  | "ioRedis"
  | "bunRedis"
  | "upstash"
  | "memcachedUrl"
  | "dynamodb"
  | "nodeSqlite"
  | "bunSqlite"
  | "pg"
  | "postgresJs"
  | "mysql2"
  | "d1"
  | "workersKv"
  | "durableObjects"
  | "webCrypto"
  | "nodeCrypto";

/** Every row, in the tables' order. */
export const ROWS: Readonly<Record<RowName, Row>> = {
  sealed: { title: "Cookie", on: ALL },
  signed: { title: "Cookie, only signed", on: ALL },
  memory: { title: "Memory", on: ALL },
  file: {
    title: "File",
    on: SERVERS,
    why: "a Worker cannot keep files",
  },
  fourFunctions: { title: "Four functions", on: ALL },
  engine: { title: "Your own engine", on: ALL },
  denoKv: {
    title: "Deno KV",
    on: SERVERS,
    needs: { bun: "`@deno/kv`", node20: "`@deno/kv`", node: "`@deno/kv`" },
    why: "`@deno/kv` is native code",
  },
  redisUrl: {
    title: "Redis by `url`",
    on: SERVERS,
    needs: { bun: "`redis`", node20: "`redis`", node: "`redis`" },
    why: "a Worker cannot load a package while it runs: pass a client",
    engine: "redis",
  },
  nodeRedis: {
    title: "Redis, node-redis",
    on: SERVERS,
    why: "it uses too many timers for a Worker: use ioredis",
    engine: "redis",
  },
  ioRedis: {
    title: "Redis, ioredis",
    on: NODE_LIKE,
    why: SOCKETS,
    engine: "redis",
  },
  bunRedis: {
    title: "Redis, Bun's client",
    on: ["bun"],
    why: "it is a part of Bun",
    engine: "redis",
  },
  upstash: { title: "Redis, Upstash", on: ALL, engine: "upstash" },
  memcachedUrl: {
    title: "Memcached by `url`",
    on: NODE_LIKE,
    why: SOCKETS,
    engine: "memcached",
  },
  dynamodb: {
    title: "DynamoDB",
    on: NODE_LIKE,
    why: "the AWS SDK needs `nodejs_compat`",
    engine: "dynamodb",
  },
  nodeSqlite: {
    title: "SQL, `node:sqlite`",
    on: ["deno", "bun", "node"],
    needs: { node: "Node 22.13 or newer" },
    why: "a Worker cannot keep files",
  },
  bunSqlite: {
    title: "SQL, `bun:sqlite`",
    on: ["bun"],
    why: "it is a part of Bun",
  },
  pg: { title: "SQL, pg", on: SERVERS, why: NOT_TRIED, engine: "postgres" },
  postgresJs: {
    title: "SQL, postgres.js",
    on: NODE_LIKE,
    why: SOCKETS,
    engine: "postgres",
  },
  mysql2: {
    title: "SQL, mysql2",
    on: SERVERS,
    why: NOT_TRIED,
    engine: "mariadb",
  },
  d1: {
    title: "SQL, D1",
    on: ["workers", "workersNode"],
    why: "only Workers have its binding",
  },
  workersKv: {
    title: "Workers KV",
    on: ["workers", "workersNode"],
    why: "only Workers have its binding",
  },
  durableObjects: {
    title: "Durable Objects",
    on: ["workers", "workersNode"],
    why: "only Workers have their binding",
  },
  webCrypto: { title: "Sealing by Web Crypto", on: ALL },
  nodeCrypto: {
    title: "Sealing by `node:crypto`",
    on: NODE_LIKE,
    why: "Workers have it with `nodejs_compat` only; the bytes are the same",
  },
};

/** All rows with their names. */
export const rows: readonly (readonly [RowName, Row])[] = Object.entries(
  ROWS,
) as [RowName, Row][];

/** The rows that work on a runtime. */
export function rowsOn(runtime: Runtime): (readonly [RowName, Row])[] {
  return rows.filter(([, { on }]) => on.includes(runtime));
}
