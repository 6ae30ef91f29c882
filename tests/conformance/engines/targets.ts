/**
 * The engines of this library as targets of `checkEngine`.
 *
 * @module
 */
import type { EngineTarget } from "../../../conformance/mod.ts";
import { instrument } from "../../../conformance/mod.ts";
import type { Engine } from "../../../mod.ts";
import { DenoKvEngine, type KvLike } from "../../../storage/engines/deno_kv.ts";
import {
  CloudflareKVEngine,
  type KVNamespaceLike,
} from "../../../storage/engines/cloudflare_kv.ts";
import {
  DurableObjectEngine,
  type DurableObjectNamespaceLike,
} from "../../../storage/engines/durable_object/engine.ts";
import type { DynamoDBClientLike } from "../../../storage/engines/dynamodb/clients.ts";
import { DynamoDBEngine } from "../../../storage/engines/dynamodb/engine.ts";
import type { MemcacheLike } from "../../../storage/engines/memcached/client.ts";
import { MemcachedEngine } from "../../../storage/engines/memcached/engine.ts";
import type { RedisSend } from "../../../storage/engines/redis/client.ts";
import { RedisEngine } from "../../../storage/engines/redis/engine.ts";
import { FileEngine } from "../../../storage/engines/file/engine.ts";
import { memoryEngine as newMemoryEngine } from "../../engines/_memory.ts";
import { partOf } from "../targets.ts";

const clock = { kind: "virtual", advance() {} } as const;

/** A target for an engine whose database is elsewhere. */
export function target(
  name: string,
  connect: (
    options: { namespace: string; now(): number },
  ) => Engine | Promise<Engine>,
): EngineTarget {
  return {
    name,
    clock,
    async open(options) {
      const engine = await connect(options);
      const { engine: failing, faults } = instrument(engine);
      return { engine: failing, faults };
    },
  };
}

/** Redis, by any client. */
export function redisEngine(name: string, send: RedisSend): EngineTarget {
  return target(
    name,
    ({ namespace, now }) => new RedisEngine(send, namespace, now),
  );
}

/** Memcached, by any client. */
export function memcachedEngine(
  name: string,
  client: MemcacheLike,
): EngineTarget {
  return target(
    name,
    ({ namespace, now }) => new MemcachedEngine(client, namespace, now),
  );
}

/** DynamoDB, with a table for each namespace. */
export function dynamoDBEngine(
  client: DynamoDBClientLike,
  makeTable: () => Promise<string>,
): EngineTarget {
  const tables = new Map<string, Promise<string>>();
  return target("DynamoDB", async ({ namespace, now }) => {
    const made = tables.get(namespace) ?? makeTable();
    tables.set(namespace, made);
    return new DynamoDBEngine(client, { table: await made }, now);
  });
}

/** Workers KV. */
export function workersKvEngine(kv: KVNamespaceLike): EngineTarget {
  return target(
    "Workers KV",
    ({ namespace, now }) => new CloudflareKVEngine(kv, `${namespace}:`, now),
  );
}

/** Durable Objects. */
export function durableObjectsEngine(
  objects: DurableObjectNamespaceLike,
): EngineTarget {
  return target(
    "Durable Objects",
    ({ namespace, now }) =>
      new DurableObjectEngine(partOf(objects, namespace), now),
  );
}

/** Memory: each instance has records of its own. */
export function memoryEngine(): EngineTarget {
  return target("memory", ({ now }) => newMemoryEngine(1000, now, () => {}));
}

/** Files below `root`, a folder for each namespace. */
export function fileEngine(root: string): EngineTarget {
  return target(
    "file",
    ({ namespace, now }) =>
      new FileEngine(`${root}/${namespace}`, now, (error) => {
        throw error;
      }),
  );
}

/** Deno KV. */
export function denoKvEngine(kv: KvLike): EngineTarget {
  return target(
    "Deno KV",
    ({ namespace, now }) => new DenoKvEngine(kv, namespace, now, 10_000),
  );
}
