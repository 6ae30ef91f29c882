/**
 * The engines that compare and set and that several processes share: started here, opened from each process.
 */
import {
  createDenoKvSessionStorage,
  createDynamoDBSessionStorage,
  createFileSessionStorage,
  createMemcacheSessionStorage,
  createRedisSessionStorage,
  createSessionStorage,
  type SessionStorage,
  type StorageOptions,
} from "@satchel/session";
import { FileEngine } from "../../storage/engines/file/engine.ts";
import {
  connectDynamoDB,
  PACKAGES,
  startDynamoDB,
} from "../engines/_dynamodb.ts";
import { withPackages } from "../engines/_packages.ts";
import {
  installed,
  type Server,
  startMemcached,
  startRedis,
  startRedisCluster,
} from "../engines/_servers.ts";
import { ignoringVersions } from "./_flaws.ts";

/** The engines, and one that is broken. */
export type EngineName =
  | "file"
  | "broken file"
  | "Deno KV"
  | "Redis"
  | "Redis Cluster"
  | "Memcached"
  | "DynamoDB";

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
};

function opened(storage: SessionStorage, close = () => {}): Opened {
  return {
    storage,
    async close() {
      await storage.close?.();
      close();
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

function ofServer(server: Server): Started {
  return {
    place: { engine: "Redis", at: urlOf(server) },
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
