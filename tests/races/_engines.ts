/**
 * The engines that compare and set and that several processes share: started here, opened from each process.
 */
import {
  createDenoKvSessionStorage,
  createDurableObjectSessionStorage,
  createDynamoDBSessionStorage,
  createFileSessionStorage,
  createMemcacheSessionStorage,
  createRedisSessionStorage,
  createSessionStorage,
  createSqlSessionStorage,
  type SessionStorage,
  type StorageOptions,
} from "@satchel/session";
import { DatabaseSync } from "node:sqlite";
import { effort } from "../_effort.ts";
import { FileEngine } from "../../storage/engines/file/engine.ts";
import {
  connectDynamoDB,
  PACKAGES,
  startDynamoDB,
} from "../engines/_dynamodb.ts";
import { namespaceAt, startObjects } from "../engines/_objects.ts";
import { withPackages } from "../engines/_packages.ts";
import {
  installed,
  type Server,
  startMariaDb,
  startMemcached,
  startPostgres,
  startRedis,
  startRedisCluster,
} from "../engines/_servers.ts";
import { startUpstash } from "../engines/_upstash.ts";
import { PACKAGES as WORKERD } from "../engines/_workerd.ts";
import { ignoringVersions } from "./_flaws.ts";

/** The engines, and one that is broken. */
export type EngineName =
  | "file"
  | "broken file"
  | "Deno KV"
  | "Redis"
  | "Redis Cluster"
  | "Memcached"
  | "DynamoDB"
  | "SQLite"
  | "PostgreSQL"
  | "MariaDB"
  | "Upstash"
  | "Durable Objects";

/** Where an engine is, in words that another process understands. */
export interface Place {
  readonly engine: EngineName;
  readonly at: string;
}

/** A storage on it, and how to let go of both. */
export interface Opened {
  readonly storage: SessionStorage;
  close(): Promise<void>;
}

/** A running engine. */
export interface Started {
  readonly place: Place;
  /** What can be killed and started anew. */
  readonly servers?: readonly Server[];
  stop(): Promise<void>;
}

/** An engine that can be started. */
export interface Engine {
  readonly name: EngineName;
  start(): Promise<Started>;
}

type Opener = (at: string, options: StorageOptions) => Promise<Opened>;

const openers: Readonly<Record<EngineName, Opener>> = {
  file: async (dir, options) =>
    opened(createFileSessionStorage({ ...options, dir })),
  "broken file": async (dir, options) => {
    const engine = new FileEngine(dir, Date.now, () => {});
    return opened(
      createSessionStorage({
        ...options,
        engine: ignoringVersions(engine),
      }),
    );
  },
  "Deno KV": async (path, options) => {
    const kv = await Deno.openKv(path);
    const storage = createDenoKvSessionStorage({ ...options, kv });
    return opened(storage, () => kv.close());
  },
  Redis: async (url, options) =>
    opened(createRedisSessionStorage({ ...options, url })),
  "Redis Cluster": async (urls, options) => {
    const { createCluster } = await import("npm:redis@^6.3.1");
    const rootNodes = urls.split(" ").map((url) => ({ url }));
    const client = await createCluster({ rootNodes }).connect();
    const storage = createRedisSessionStorage({ ...options, client });
    return opened(storage, () => client.destroy());
  },
  Memcached: async (url, options) =>
    opened(createMemcacheSessionStorage({ ...options, url })),
  DynamoDB: async (at, options) => {
    const [port, table = ""] = at.split(" ");
    const { db, document: client } = await connectDynamoDB(Number(port));
    const storage = createDynamoDBSessionStorage({ ...options, client, table });
    return opened(storage, () => db.destroy());
  },
  SQLite: async (path, options) => {
    // Nobody waits within a statement, so that the process goes on meanwhile.
    const db = new DatabaseSync(path, { timeout: 0 });
    const storage = createSqlSessionStorage({
      ...{ ...options, db, createTable: true },
    });
    return opened(storage, () => db.close());
  },
  PostgreSQL: async (port, options) => {
    const { default: pg } = await import("pg");
    const at = { host: "127.0.0.1", port: Number(port), user: "postgres" };
    const db = new pg.Pool(at);
    // A connection that was lost while nobody used it.
    db.on("error", () => {});
    const storage = createSqlSessionStorage({
      ...{ ...options, db, createTable: true },
    });
    return opened(storage, () => db.end());
  },
  MariaDB: async (port, options) => {
    const { default: mysql } = await import("npm:mysql2@3.24.6/promise");
    const at = { host: "127.0.0.1", port: Number(port), user: "root" };
    const db = mysql.createPool({ ...at, database: "mysql" });
    const storage = createSqlSessionStorage({
      ...{ ...options, db, table: "mysql.race", createTable: true },
    });
    return opened(storage, () => db.end());
  },
  Upstash: async (at, options) => {
    const [url, token] = at.split(" ");
    const { Redis } = await import("npm:@upstash/redis@^1.39.0");
    const client = new Redis({ url, token });
    return opened(createRedisSessionStorage({ ...options, client }));
  },
  "Durable Objects": async (origin, options) => {
    const namespace = namespaceAt(origin);
    return opened(createDurableObjectSessionStorage({ ...options, namespace }));
  },
};

function opened(
  storage: SessionStorage,
  close: () => unknown = () => {},
): Opened {
  return {
    storage,
    async close() {
      await storage.close?.();
      await close();
    },
  };
}

/** Opens a storage on an engine that was started. */
export function openStorage(
  { engine, at }: Place,
  options: StorageOptions = {},
): Promise<Opened> {
  // A machine that races is busy; a server that was killed is noticed at once.
  return openers[engine](at, { engineTimeout: 30, ...options });
}

/** Registers something for each engine that can be had; for those that cannot, a test that says so. */
export async function withEngines(
  register: (engine: Engine) => void,
): Promise<void> {
  register({ name: "file", start: () => inFolder("file", "sessions") });
  register({ name: "Deno KV", start: () => inFolder("Deno KV", "kv.sqlite") });
  if (installed("redis")) {
    register({
      name: "Redis",
      start: async () => ofServer(await startRedis()),
    });
    register({ name: "Redis Cluster", start: startCluster });
  }
  if (installed("memcached")) {
    register({
      name: "Memcached",
      async start() {
        const server = await startMemcached();
        const at = `127.0.0.1:${server.port}`;
        return {
          place: { engine: "Memcached", at },
          stop: () => server.stop(),
        };
      },
    });
  }
  register({ name: "SQLite", start: () => inSqlite() });
  if (effort.thorough && installed("postgres")) {
    register({
      name: "PostgreSQL",
      start: async () => ofServer(await startPostgres(), "PostgreSQL"),
    });
  }
  if (effort.thorough && installed("mariadb")) {
    register({
      name: "MariaDB",
      start: async () => ofServer(await startMariaDb(), "MariaDB"),
    });
  }
  // A call to these is an HTTP request.
  if (effort.long && installed("redis")) {
    register({ name: "Upstash", start: startFront });
  }
  if (effort.long) {
    await withPackages("Durable Objects", WORKERD, async () => {}, () => {
      register({ name: "Durable Objects", start: startWorker });
    });
  }
  await withPackages("DynamoDB", PACKAGES, async () => {}, () => {
    register({ name: "DynamoDB", start: startDynalite });
  });
}

/** An engine that is but a place in a folder. */
export async function inFolder(
  engine: EngineName,
  name: string,
): Promise<Started> {
  const dir = await Deno.makeTempDir();
  return {
    place: { engine, at: `${dir}/${name}` },
    stop: () => Deno.remove(dir, { recursive: true }),
  };
}

function urlOf({ port }: Server): string {
  return `redis://127.0.0.1:${port}`;
}

async function inSqlite(): Promise<Started> {
  const started = await inFolder("SQLite", "sessions.db");
  // Readers then do not wait for writers. The setting stays with the file.
  const db = new DatabaseSync(started.place.at);
  db.exec("PRAGMA journal_mode = WAL");
  db.close();
  return started;
}

function ofServer(server: Server, engine: EngineName = "Redis"): Started {
  const at = engine === "Redis" ? urlOf(server) : `${server.port}`;
  return {
    place: { engine, at },
    servers: [server],
    stop: () => server.stop(),
  };
}

async function startCluster(): Promise<Started> {
  const servers = await startRedisCluster();
  return {
    place: { engine: "Redis Cluster", at: servers.map(urlOf).join(" ") },
    servers,
    async stop() {
      for (const server of servers) await server.stop();
    },
  };
}

async function startFront(): Promise<Started> {
  const server = await startRedis();
  const front = startUpstash(server.port);
  return {
    place: { engine: "Upstash", at: `${front.url} ${front.token}` },
    async stop() {
      await front.stop();
      await server.stop();
    },
  };
}

async function startWorker(): Promise<Started> {
  const objects = await startObjects();
  return {
    place: { engine: "Durable Objects", at: objects.origin },
    stop: () => objects.stop(),
  };
}

async function startDynalite(): Promise<Started> {
  const local = await startDynamoDB();
  return {
    place: { engine: "DynamoDB", at: `${local.port} ${await local.table()}` },
    async stop() {
      local.db.destroy();
      await local.stop();
    },
  };
}
