/** What the reproductions use besides the storages: a folder, and engines on this machine. They are loaded when needed. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** A folder for sessions, for as long as this process runs. */
export const folder: string = mkdtempSync(join(tmpdir(), "sessions-"));
process.on("exit", () => rmSync(folder, { recursive: true }));

/** Leaves half of a record in a file, as a full disk does. */
export function damageFile(path: string): void {
  writeFileSync(join(folder, path), '{"data":{"use');
}

const ENGINES = "../../../tests/conformance/published/";

/** A Workers KV, and how its records are damaged and made older. */
export async function workersKv(): Promise<{
  // deno-lint-ignore no-explicit-any -- the type of a KV namespace is a global of Cloudflare's types
  kv: any;
  damage(id: string): Promise<void>;
  age(ms: number): Promise<void>;
}> {
  const { inspectKv, kvClock, kvOf } = await import(
    `${ENGINES}_workers_kv.ts`
  );
  const namespace = crypto.randomUUID();
  return {
    kv: kvOf(namespace),
    damage: (id) =>
      inspectKv(namespace).write(`${namespace}:${id}`, '{"userId'),
    age: (ms) => kvClock.age(ms, namespace),
  };
}

/** A table of Architect's, by its name in Architect. */
export async function tableOf(namespace: string): Promise<string> {
  return await (await import(`${ENGINES}_architect.ts`)).tableOf(namespace);
}

/** A table with the methods of Architect's. */
// deno-lint-ignore no-explicit-any -- the package's type is its name only
export async function tableObject(): Promise<any> {
  return (await import(`${ENGINES}_architect_table.ts`)).sessions;
}

/** A database in which a prefix is reserved for the caller. */
interface Prefixed {
  readonly prefix: string;
  /** Damages a record. */
  damage(key: string): Promise<void>;
  /** Makes the records older. */
  age(ms: number): Promise<void>;
}

/** A Redis, through node-redis. */
// deno-lint-ignore no-explicit-any -- its type depends on its modules
export async function redis(): Promise<Prefixed & { client: any }> {
  const { client, inspectRedis, prefixOf, redisClock } = await import(
    `${ENGINES}_redis.ts`
  );
  const namespace = crypto.randomUUID();
  const prefix = prefixOf(namespace);
  return {
    client,
    prefix,
    damage: (key) => inspectRedis(namespace).write(prefix + key, '[{"use'),
    age: (ms) => redisClock.age(ms, namespace),
  };
}

/** A Memcached. */
export async function memcached(): Promise<Prefixed & { server: string }> {
  const { inspectMemcached, memcachedClock, prefixOf, server } = await import(
    `${ENGINES}_memcached.ts`
  );
  const namespace = crypto.randomUUID();
  const prefix = prefixOf(namespace);
  return {
    server,
    prefix,
    async damage() {
      const { records, write } = inspectMemcached(namespace);
      for (const key of (await records()).keys()) await write(key, '[{"use');
    },
    age: (ms) => memcachedClock.age(ms, namespace),
  };
}

/** A pool like pg's, over PGlite. */
// deno-lint-ignore no-explicit-any -- the pool of another package
export async function postgres(): Promise<any> {
  return (await import(`${ENGINES}_pglite.ts`)).pool;
}
