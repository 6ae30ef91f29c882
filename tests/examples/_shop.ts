/**
 * The storages of the shop, and the servers that they need.
 *
 * @module
 */
import type { Settings } from "../../examples/shop/settings.ts";
import {
  installed,
  type Server,
  startPostgres,
  startRedis,
} from "../engines/_servers.ts";

/** Which server a storage of the shop needs. */
const SERVERS = {
  redis: startRedis,
  postgres: startPostgres,
} as const;

type Served = keyof typeof SERVERS;

function needsServer(storage: string): storage is Served {
  return Object.hasOwn(SERVERS, storage);
}

/** The names of all storages whose server is installed. */
export function shopStorages(): string[] {
  return ["memory", "cookie", "file", "kv", "sqlite", "postgres", "redis"]
    .filter((name) => !needsServer(name) || installed(name));
}

const started = new Map<string, Promise<Server>>();

/** The server of a storage, if it needs one: one for all tests. */
export async function serverOf(storage: string): Promise<Server | undefined> {
  if (!needsServer(storage)) return undefined;
  return await started.getOrInsertComputed(storage, () => SERVERS[storage]());
}

/** Stops the servers. */
export async function stopServers(): Promise<void> {
  for (const server of started.values()) await (await server).stop();
  started.clear();
}

/** The addresses in the shop's settings, if all of them lead to one server. */
export function addressesOf(
  { port = 0 }: Partial<Pick<Server, "port">> = {},
): Pick<Settings, "redisUrl" | "databaseUrl"> {
  return {
    redisUrl: `redis://127.0.0.1:${port}`,
    databaseUrl: `postgres://postgres@127.0.0.1:${port}/postgres`,
  };
}
