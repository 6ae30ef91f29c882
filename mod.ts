/**
 * Sessions for Deno, Bun, Node and Workers: values that stay with a visitor from request to request, and one-time
 * messages.
 *
 * @example A page that counts its visits
 * ```ts
 * import { createCookieSessionStorage, withSession } from "@satchel/session";
 *
 * const storage = createCookieSessionStorage({
 *   cookie: { name: "__session", secrets: ["s3cr3t"] },
 * });
 *
 * const handler = withSession(storage, (_request, session) => {
 *   session.set("visits", (session.get("visits") ?? 0) + 1);
 *   return new Response(`Visit ${session.get("visits")}`);
 * });
 *
 * if (import.meta.main) Deno.serve(handler);
 * ```
 *
 * @module
 */
export type { CookieAttributes } from "./core/attributes.ts";
export {
  type Cookie,
  type CookieOptions,
  type CookieParseOptions,
  type CookieSerializeOptions,
  createCookie,
  isCookie,
} from "./core/cookie.ts";
export {
  csrfToken,
  type CsrfTokenOptions,
  type FormLike,
  type FormRequestLike,
  verifyCsrfToken,
} from "./core/csrf.ts";
export { SessionError, type SessionErrorCode } from "./core/errors.ts";
export type { LegacyFormat } from "./core/formats.ts";
export { type PresentValue, requireKey } from "./core/require_key.ts";
export type { Lifetime, Timeouts } from "./core/lifetime.ts";
export {
  createSession,
  type FlashSessionData,
  isSession,
  Session,
  type SessionData,
  type SessionEntry,
  type SessionKey,
} from "./core/session.ts";
export type {
  StandardIssueLike,
  StandardResultLike,
  StandardSchemaLike,
} from "./core/standard_schema.ts";
export {
  type CrossOrigin,
  type CrossOriginOptions,
  isCrossOrigin,
  type OriginRequestLike,
} from "./middleware/lifecycle/cross_origin.ts";
export type { MiddlewareOptions } from "./middleware/lifecycle/options.ts";
export {
  type RequestHandler,
  type SessionHandler,
  withSession,
  type WithSessionOptions,
} from "./middleware/with_session.ts";
export type {
  ArcTablesLike,
  DynamoDBClientLike,
  DynamoDBCondition,
  DynamoDBDocumentLike,
  DynamoDBKey,
  DynamoDBSenderLike,
  DynamoDBUpdate,
} from "./storage/engines/dynamodb/clients.ts";
export type { FourFunctions } from "./storage/sessions/database_records.ts";
export type {
  CommitOptions,
  CookieParts,
  DeleteOptions,
  DeleteOwnedOptions,
  DestroySessionsOptions,
  Engine,
  EngineRecord,
  HeadersLike,
  ListSessionsOptions,
  MoveOptions,
  OwnedRecord,
  OwnedSession,
  RequestLike,
  SaveOptions,
  SessionCookieOptions,
  SessionEvent,
  SessionHeaders,
  SessionLike,
  SessionStorage,
  SessionValues,
  StorageGuarantees,
  StorageOptions,
  SynchronousEngine,
  WriteOptions,
} from "./storage/contract.ts";
export {
  type CloudflareKVSessionStorageOptions,
  createCloudflareKVSessionStorage,
  createWorkersKVSessionStorage,
} from "./storage/cloudflare_kv.ts";
export { type KVNamespaceLike } from "./storage/engines/cloudflare_kv.ts";
export {
  type CookieSessionStorageOptions,
  createCookieSessionStorage,
} from "./storage/cookie.ts";
export {
  createDurableObjectSessionStorage,
  type DurableObjectSessionStorageOptions,
} from "./storage/durable_object.ts";
export type {
  DurableObjectNamespaceLike,
  DurableObjectStubLike,
} from "./storage/engines/durable_object/engine.ts";
export {
  SessionObject,
  type SessionObjectState,
} from "./storage/engines/durable_object/object.ts";
export {
  createSessionStorage,
  type DatabaseSessionStorageOptions,
  type EngineSessionStorageOptions,
  type SessionIdStorageStrategy,
} from "./storage/create_session_storage.ts";
export {
  createArcTableSessionStorage,
  createDynamoDBSessionStorage,
  type DynamoDBSessionStorageOptions,
} from "./storage/dynamodb.ts";
export {
  createFileSessionStorage,
  createFsSessionStorage,
  type FileSessionStorageOptions,
} from "./storage/file.ts";
export {
  createMemorySessionStorage,
  type MemorySessionStorageOptions,
} from "./storage/memory.ts";
export {
  createDenoKvSessionStorage,
  type DenoKvSessionStorageOptions,
} from "./storage/deno_kv.ts";
export {
  type KvAtomicLike,
  type KvEntryLike,
  type KvLike,
} from "./storage/engines/deno_kv.ts";
export {
  createReadThroughSessionStorage,
  type ReadThroughSessionStorageOptions,
} from "./storage/read_through.ts";
export {
  createRedisSessionStorage,
  type RedisClientSessionStorageOptions,
  type RedisSessionStorageOptions,
} from "./storage/redis.ts";
export type {
  BunRedisLike,
  IoRedisLike,
  NodeRedisClusterLike,
  NodeRedisLike,
  NodeRedisSentinelLike,
  RedisLike,
} from "./storage/engines/redis/client.ts";
export type { UpstashRedisLike } from "./storage/engines/redis/upstash.ts";
export {
  createSqlSessionStorage,
  type SqlSessionStorageOptions,
} from "./storage/sql.ts";
export {
  type SqlDialect,
  type SqlSchemaOptions,
  sqlSessionSchema,
} from "./storage/engines/sql/schema.ts";
export type {
  D1Like,
  DrizzleLike,
  LibsqlLike,
  Mysql2Like,
  NeonLike,
  PostgresJsLike,
  PrismaLike,
  SqlClientLike,
  SqliteLike,
  SqlQueryLike,
  SqlValue,
} from "./storage/engines/sql/clients.ts";
export {
  createMemcacheSessionStorage,
  type MemcacheServerSessionStorageOptions,
  type MemcacheSessionStorageOptions,
} from "./storage/memcached.ts";
export type { MemcacheLike } from "./storage/engines/memcached/client.ts";
export type { MemcacheItem } from "./storage/engines/memcached/connection.ts";
export type { RemixStorageOptions } from "./storage/sessions/remix_options.ts";
