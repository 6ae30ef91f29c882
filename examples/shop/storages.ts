/**
 * The session storages of the shop, each with the same cookie and timeouts.
 *
 * @module
 */
import {
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createFileSessionStorage,
  createMemorySessionStorage,
  createRedisSessionStorage,
  createSqlSessionStorage,
  type SessionCookieOptions,
  type SessionStorage,
} from "@satchel/session";
import { join } from "node:path";
import {
  openKv,
  openPostgres,
  openSqlite,
  type SqlDatabase,
} from "./databases.ts";
import type { Data, Flash, ShopOptions } from "./session.ts";
import { makeFolder, Problem, readSecrets, type Settings } from "./settings.ts";

const DAY = 24 * 60 * 60;

/** How long sessions and cookies live, in seconds. */
export const lifetimes: Pick<
  ShopOptions,
  "idleTimeout" | "absoluteTimeout" | "rememberFor"
> = {
  // This applies to remembered sessions too, so it must not be shorter than a visitor may stay away.
  idleTimeout: 7 * DAY,
  absoluteTimeout: 30 * DAY,
  rememberFor: 30 * DAY,
};

const NAMES = [
  "kv",
  "file",
  "memory",
  "cookie",
  "sqlite",
  "postgres",
  "redis",
];

/** A storage, and how to close it. */
export interface Opened {
  storage: SessionStorage<Data, Flash>;
  close(): Promise<void> | void;
}

/** Options of {@linkcode openStorage}. */
export interface OpenOptions {
  /** Attributes of the cookie. Behind HTTPS: `{ name: "__Host-session", secure: true }`. */
  cookie?: SessionCookieOptions;
  /** The clock, in milliseconds. @default {Date.now} */
  now?: () => number;
}

/** Opens the storage that the settings name. */
export async function openStorage(
  { storage, dataDir, redisUrl, databaseUrl }: Omit<
    Settings,
    "hostname" | "port"
  >,
  { cookie: attributes, now = Date.now }: OpenOptions = {},
): Promise<Opened> {
  if (!NAMES.includes(storage)) {
    throw new Problem(
      `There is no storage "${storage}": set STORAGE to ${NAMES.join(", ")}`,
    );
  }
  const secrets = await readSecrets(dataDir);
  const cookie = { name: "session", secrets, ...attributes };
  const { idleTimeout, absoluteTimeout } = lifetimes;
  const common = { cookie, idleTimeout, absoluteTimeout, now };
  if (storage === "cookie") {
    return keep(createCookieSessionStorage<Data, Flash>(common));
  }
  const owner = ({ user }: Partial<Data>) => user;
  const options = { ...common, owner };
  if (storage === "memory") {
    return keep(createMemorySessionStorage<Data, Flash>(options));
  }
  if (storage === "redis") {
    const url = redisUrl;
    return keep(createRedisSessionStorage<Data, Flash>({ ...options, url }));
  }
  const openSql = ({ db, close }: SqlDatabase): Opened => ({
    storage: createSqlSessionStorage<Data, Flash>({
      ...{ ...options, db, createTable: true },
    }),
    close,
  });
  if (storage === "postgres") return openSql(await openPostgres(databaseUrl));
  await makeFolder(dataDir);
  if (storage === "sqlite") return openSql(await openSqlite(dataDir));
  if (storage === "file") {
    const dir = join(dataDir, "sessions");
    return keep(createFileSessionStorage<Data, Flash>({ ...options, dir }));
  }
  const kv = await openKv(dataDir);
  return {
    storage: createDenoKvSessionStorage<Data, Flash>({ ...options, kv }),
    close: () => kv.close(),
  };
}

function keep(storage: SessionStorage<Data, Flash>): Opened {
  return { storage, close: () => storage.close?.() };
}
