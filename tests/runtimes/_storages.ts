/**
 * Every storage of the matrix as a target of the suite, made of what its runtime has.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Target, TestFunction } from "../../conformance/mod.ts";
import type {
  BunRedisLike,
  D1Like,
  DurableObjectNamespaceLike,
  DynamoDBDocumentLike,
  IoRedisLike,
  KvLike,
  KVNamespaceLike,
  Mysql2Like,
  NodeRedisLike,
  PostgresJsLike,
  SqliteLike,
  SqlQueryLike,
  UpstashRedisLike,
} from "../../mod.ts";
import { DynamoDBEngine } from "../../storage/engines/dynamodb/engine.ts";
import { MemcachedClient } from "../../storage/engines/memcached/client.ts";
import { RedisEngine } from "../../storage/engines/redis/engine.ts";
import { type RedisSend, sendBy } from "../../storage/engines/redis/client.ts";
import { RedisConnection } from "../../storage/engines/redis/connection.ts";
import { DenoKvEngine } from "../../storage/engines/deno_kv.ts";
import {
  cookieTarget,
  databaseTarget,
  durableObjectsTarget,
  engineTarget,
  fileTarget,
  memcachedTarget,
  memoryTarget,
  PATIENT,
  redisTarget,
  workersKvTarget,
} from "../conformance/targets.ts";
import {
  localSettings,
  makeTable,
  type TableMaker,
} from "../engines/_tables.ts";
import { sqlTarget } from "../engines/_sql.ts";
import { FakeEngine } from "../storage/_fake_engine.ts";
import { type RowName, ROWS, type Runtime } from "./matrix.ts";

/** What a runtime gives the suite. */
export interface Surroundings {
  readonly runtime: Runtime;
  /** The ports of the servers that run on this machine. */
  readonly ports: {
    readonly redis?: number;
    readonly upstash?: number;
    readonly memcached?: number;
    readonly dynamodb?: number;
    readonly postgres?: number;
    readonly mariadb?: number;
  };
  /** The rules to run; all of them, if it is left out. */
  readonly only?: readonly string[];
  /** A folder for files. */
  readonly dir?: string;
  /** Loads a package as an application there does. */
  load(name: string): Promise<unknown>;
  /** A binding of a Worker. */
  readonly kv?: KVNamespaceLike;
  /** Another one. */
  readonly objects?: DurableObjectNamespaceLike;
  /** Another one. */
  readonly d1?: D1Like;
  /** The runner's function, for what is special to one client. */
  readonly test: TestFunction;
  /** Told what must be closed at the end. */
  closing(close: () => unknown): void;
}

type Maker = (here: Surroundings, title: string) => Target | Promise<Target>;

interface Redis {
  createClient(options: { url: string }): NodeRedisLike & {
    connect(): Promise<unknown>;
    on(event: "error", listener: () => void): unknown;
    destroy(): void;
  };
}
type IoRedisClass = new (port: number) => IoRedisLike & { disconnect(): void };
type UpstashClass = new (
  to: { url: string; token: string },
) => UpstashRedisLike;
type BunRedisClass = new (url: string) => BunRedisLike & { close(): void };
interface Aws {
  DynamoDB: new (settings: object) => TableMaker & { destroy(): void };
}
interface AwsLib {
  DynamoDBDocument: { from(db: unknown): DynamoDBDocumentLike };
}
interface DenoKv {
  openKv(path: string, v8: object): Promise<KvLike>;
}

interface Sqlite {
  DatabaseSync: new (path: string) => SqliteFile;
}
interface BunSqlite {
  Database: new (path: string) => SqliteFile;
}
type SqliteFile = SqliteLike & { exec(sql: string): unknown; close(): void };
interface Pg {
  default: {
    Pool: new (options: { connectionString: string }) =>
      & SqlQueryLike
      & { on(event: "error", listener: () => void): unknown; end(): unknown };
  };
}
interface PostgresJs {
  default(url: string): PostgresJsLike & { end(): unknown };
}
interface Mysql2 {
  default: {
    createPool(url: string): Mysql2Like & {
      end(done: () => void): unknown;
    };
  };
}

const MAKERS: Partial<Record<RowName, Maker>> = {
  sealed: () => cookieTarget(),
  signed: () => cookieTarget(false),
  memory: () => memoryTarget(),
  file: ({ dir = "" }) => fileTarget(dir),
  fourFunctions: () => databaseTarget(),
  engine: (_here, title) => {
    const engines = new Map<string, FakeEngine>();
    return engineTarget(title, ({ namespace }) => {
      const engine = engines.get(namespace) ?? new FakeEngine();
      engines.set(namespace, engine);
      return engine;
    });
  },
  denoKv: async (here, title) => {
    const kv = await openKv(here);
    here.closing(() => kv.close());
    return engineTarget(
      title,
      ({ namespace, now }) => new DenoKvEngine(kv, namespace, now, 10_000),
      ["durable"],
      { recordBytes: 64 * 1024 - 256 },
    );
  },
  redisUrl: (here, title) => {
    const connection = new RedisConnection(
      redisUrl(here),
      PATIENT.deadline * 1000,
    );
    here.closing(connection.close);
    return redisBy(here, title, connection.send);
  },
  nodeRedis: async (here, title) => {
    const { createClient } = await here.load("redis") as Redis;
    const client = createClient({ url: redisUrl(here) });
    // Without a listener it would not connect again.
    client.on("error", () => {});
    await client.connect();
    here.closing(() => client.destroy());
    return redisBy(here, title, sendBy(client));
  },
  ioRedis: async (here, title) => {
    const { Redis } = await here.load("ioredis") as { Redis: IoRedisClass };
    const client = new Redis(here.ports.redis ?? 0);
    here.closing(() => client.disconnect());
    return redisBy(here, title, sendBy(client));
  },
  bunRedis: (here, title) => {
    const { Bun } = globalThis as unknown as {
      Bun: { RedisClient: BunRedisClass };
    };
    const client = new Bun.RedisClient(redisUrl(here));
    here.closing(() => client.close());
    return redisBy(here, title, sendBy(client));
  },
  upstash: async (here, title) => {
    const { Redis } = await here.load("@upstash/redis") as {
      Redis: UpstashClass;
    };
    const url = `http://127.0.0.1:${here.ports.upstash}`;
    return redisTarget(title, sendBy(new Redis({ url, token: "t0ken" })));
  },
  memcachedUrl: (here, title) => {
    const client = new MemcachedClient(
      `127.0.0.1:${here.ports.memcached}`,
      PATIENT.deadline * 1000,
    );
    here.closing(() => client.close());
    return memcachedTarget(title, client);
  },
  dynamodb: async (here, title) => {
    const { DynamoDB } = await here.load("@aws-sdk/client-dynamodb") as Aws;
    const { DynamoDBDocument } = await here.load(
      "@aws-sdk/lib-dynamodb",
    ) as AwsLib;
    const db = new DynamoDB({
      ...localSettings(here.ports.dynamodb ?? 0),
      // As by default: a server closes an idle connection at the very moment at which a request is sent on it.
      maxAttempts: 3,
    });
    here.closing(() => db.destroy());
    const document = DynamoDBDocument.from(db);
    const tables = new Map<string, Promise<string>>();
    return engineTarget(
      title,
      async ({ namespace }) => {
        const made = tables.get(namespace) ??
          makeTable(db, `${here.runtime}-${tables.size}`);
        tables.set(namespace, made);
        return new DynamoDBEngine(document, { table: await made });
      },
      ["durable"],
      { recordBytes: 400 * 1024 - 512 },
    );
  },
  nodeSqlite: async (here, name) => {
    const { DatabaseSync } = await here.load("node:sqlite") as Sqlite;
    return sqliteTarget(here, name, new DatabaseSync(`${here.dir}/node.db`));
  },
  bunSqlite: async (here, name) => {
    const { Database } = await here.load("bun:sqlite") as BunSqlite;
    return sqliteTarget(here, name, new Database(`${here.dir}/bun.db`));
  },
  pg: async (here, name) => {
    const { default: { Pool } } = await here.load("pg") as Pg;
    const db = new Pool({ connectionString: postgresUrl(here) });
    // Without a listener, a lost connection would end the process.
    db.on("error", () => {});
    here.closing(() => db.end());
    return sqlTarget({ name, db });
  },
  postgresJs: async (here, name) => {
    const { default: connect } = await here.load("postgres") as PostgresJs;
    const db = connect(postgresUrl(here));
    here.closing(() => db.end());
    return sqlTarget({ name, db });
  },
  mysql2: async (here, name) => {
    const { default: { createPool } } = await here.load("mysql2") as Mysql2;
    const db = createPool(`mysql://root@127.0.0.1:${here.ports.mariadb}/mysql`);
    here.closing(() => new Promise<void>((done) => db.end(done)));
    return sqlTarget({ name, db });
  },
  d1: ({ d1 }, name) => sqlTarget({ name, db: d1 as D1Like }),
  workersKv: ({ kv }, title) => workersKvTarget(title, kv as KVNamespaceLike),
  durableObjects: ({ objects }, title) =>
    durableObjectsTarget(title, objects as DurableObjectNamespaceLike),
};

/**
 * The target of a row; `undefined` where the row is no storage.
 *
 * Its name is the row's title: by that, the report of the test runner is read.
 */
export async function targetOf(
  name: RowName,
  here: Surroundings,
): Promise<Target | undefined> {
  const { title } = ROWS[name];
  const target = await MAKERS[name]?.(here, title);
  return target && { ...target, name: title };
}

function redisBy(here: Surroundings, title: string, send: RedisSend): Target {
  here.test(`${title}: what another program put there, and a forgotten script`, async () => {
    const prefix = `${crypto.randomUUID()}:`;
    const engine = new RedisEngine(send, prefix, Date.now);
    const expires = Date.now() + 60_000;
    await send(`${prefix}a`, ["SET", `${prefix}a`, "text"]);
    await send("", ["SCRIPT", "FLUSH", "SYNC"]);
    const found = await engine.read("a");
    assertEquals(found?.value, "");
    const version = await engine.write("a", "new", {
      expires,
      ifVersion: found?.version,
    });
    const written = await engine.read("a");
    assertEquals([written?.value, written?.version], ["new", version]);
  });
  return redisTarget(title, send);
}

function sqliteTarget(
  here: Surroundings,
  name: string,
  db: SqliteFile,
): Target {
  db.exec("PRAGMA synchronous = off");
  here.closing(() => db.close());
  return sqlTarget({ name, db });
}

function postgresUrl({ ports }: Surroundings): string {
  return `postgres://postgres@127.0.0.1:${ports.postgres}/postgres`;
}

function redisUrl({ ports }: Surroundings): string {
  return `redis://127.0.0.1:${ports.redis}`;
}

async function openKv(here: Surroundings): Promise<KvLike> {
  const { Deno } = globalThis as unknown as {
    Deno?: { openKv(path: string): Promise<KvLike> };
  };
  if (Deno) return await Deno.openKv(":memory:");
  const { openKv } = await here.load("@deno/kv") as DenoKv;
  const v8 = await here.load("node:v8") as Record<string, unknown>;
  // On Bun it asks for these: what Bun writes, only Bun reads.
  const codec = { encodeV8: v8["serialize"], decodeV8: v8["deserialize"] };
  return await openKv(":memory:", codec);
}
