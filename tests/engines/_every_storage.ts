/**
 * Every storage of the library, for what it declares: none of them has a server.
 *
 * @module
 */
import {
  createCookieSessionStorage,
  createDenoKvSessionStorage,
  createDurableObjectSessionStorage,
  createDynamoDBSessionStorage,
  createFileSessionStorage,
  createMemcacheSessionStorage,
  createMemorySessionStorage,
  createRedisSessionStorage,
  createSessionStorage,
  createSqlSessionStorage,
  createWorkersKVSessionStorage,
  type SessionStorage,
  type SqlQueryLike,
} from "../../mod.ts";
import { MemcachedClient } from "../../storage/engines/memcached/client.ts";
import { kvNamespace } from "./_kv_namespace.ts";

/** The storages, by the names that `docs/storages.md` gives them. */
export function everyStorage(): Record<string, SessionStorage> {
  const no = () => Promise.reject();
  const client = { call: no, get: no, update: no, delete: no } as never;
  const memcache = new MemcachedClient("localhost:11211");
  const functions = {
    createData: () => Promise.reject(),
    readData: () => Promise.reject(),
    updateData: () => Promise.reject(),
    deleteData: () => Promise.reject(),
  };
  return {
    Memory: createMemorySessionStorage(),
    Cookie: createCookieSessionStorage(),
    File: createFileSessionStorage({ dir: "sessions" }),
    "Deno KV": createDenoKvSessionStorage(),
    SQLite: createSqlSessionStorage({ db: { prepare: no } }),
    PostgreSQL: createSqlSessionStorage({
      db: { query: no, connect: no, end: no } as SqlQueryLike,
    }),
    MySQL: createSqlSessionStorage({
      db: { query: no, execute: no, escapeId: no },
    }),
    D1: createSqlSessionStorage({ db: { prepare: no as never, batch: no } }),
    Redis: createRedisSessionStorage({ client }),
    Memcached: createMemcacheSessionStorage({ client: memcache }),
    DynamoDB: createDynamoDBSessionStorage({ client, table: "sessions" }),
    "Workers KV": createWorkersKVSessionStorage({
      kv: kvNamespace().kv,
    }),
    "Durable Objects": createDurableObjectSessionStorage({
      namespace: { idFromName: no, get: no as never },
    }),
    "Four functions": createSessionStorage(functions),
  };
}
