/**
 * Reproductions for Remix 3: a few lines of its packages' own API for each rule that they break.
 *
 * `deno run -A conformance/reports/reproductions/remix.ts [cookie | memory | fs | redis | memcache] [rule]`
 */
import { createCookieSessionStorage } from "@remix-run/session/cookie-storage";
import { createFsSessionStorage } from "@remix-run/session/fs-storage";
import { createMemorySessionStorage } from "@remix-run/session/memory-storage";
import { createMemcacheSessionStorage } from "npm:@remix-run/session-storage-memcache@0.1.1";
import { createRedisSessionStorage } from "npm:@remix-run/session-storage-redis@0.1.1";
import { createHash } from "node:crypto";
import { damageFile, folder, memcached, redis } from "./engines.ts";
import { type Reproduction, run, shared } from "./run.ts";
import { sizeShows } from "./shared/remix_sizes.ts";
import { HOUR, shows, type Storage } from "./shared/remix_storage.ts";

async function openRedis(): Promise<Storage> {
  const { age, client, damage, prefix: keyPrefix } = await redis();
  const withLifetime = (ttl: number) =>
    createRedisSessionStorage(client, { keyPrefix, ttl });
  return { ...withLifetime(HOUR / 1000), age, damage, withLifetime };
}

async function openMemcache(): Promise<Storage> {
  const { age, damage, prefix: keyPrefix, server } = await memcached();
  const withLifetime = (ttlSeconds: number) =>
    createMemcacheSessionStorage(server, { keyPrefix, ttlSeconds });
  return { ...withLifetime(HOUR / 1000), age, damage, withLifetime };
}

/** The storages. */
export const storages: Readonly<
  Record<string, () => Storage | Promise<Storage>>
> = {
  cookie: () => createCookieSessionStorage(),
  memory: () => createMemorySessionStorage(),
  fs: () => ({
    ...createFsSessionStorage(folder),
    damage(id) {
      const hash = createHash("sha256").update(id).digest("hex");
      damageFile(`${hash.slice(0, 2)}/${hash.slice(2)}`);
    },
  }),
  redis: openRedis,
  memcache: openMemcache,
};

/** The reproductions, by rule. */
export const reproductions: Readonly<Record<string, Reproduction<Storage>>> =
  shared({ ...shows, ...sizeShows }, {
    "PERSIST-10": ["cookie", "fs", "redis", "memcache"],
    "UNSET-02": ["cookie", "memory", "fs", "redis", "memcache"],
    "EXPIRY-09": ["redis", "memcache"],
    "EXPIRY-12": ["redis", "memcache"],
    "REGEN-08": ["memory", "fs", "redis", "memcache"],
    "REGEN-09": ["cookie", "memory", "fs", "redis", "memcache"],
    "ISO-01": ["memory"],
    "ISO-02": ["memory"],
    "CONC-01": ["memory", "fs", "redis", "memcache"],
    "CONC-02": ["memory", "fs", "redis", "memcache"],
    "CONC-04": ["fs"],
    "CONC-09": ["memory", "fs", "redis", "memcache"],
    "HOSTILE-04": ["fs", "redis", "memcache"],
    "HOSTILE-06": ["cookie"],
    "HOSTILE-07": ["memcache"],
    "SERIAL-03": ["cookie", "fs", "redis", "memcache"],
    "SERIAL-04": ["fs", "redis", "memcache"],
    "SIZE-01": ["cookie", "memcache"],
    "SIZE-02": ["cookie", "memcache"],
    "SIZE-03": ["cookie", "memcache"],
    "SIZE-04": ["cookie"],
    "SIZE-05": ["memcache"],
    "MODEL-02": ["memory", "fs", "redis", "memcache"],
  });

if (import.meta.main) await run(storages, reproductions);
