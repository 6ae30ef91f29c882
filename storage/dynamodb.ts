/**
 * Sessions in Amazon DynamoDB, with the client of the AWS SDK or of Architect.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, type OwnOptions } from "./sessions/bind.ts";
import { DynamoDBEngine } from "./engines/dynamodb/engine.ts";
import type { DynamoDBClientLike } from "./engines/dynamodb/clients.ts";

/** Options of {@linkcode createDynamoDBSessionStorage}. */
export interface DynamoDBSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /**
   * The client: `DynamoDBDocument` or `DynamoDBDocumentClient` of the AWS SDK 3, `DocumentClient` of the AWS SDK 2, or
   * the result of `arc.tables()`. @default {arc.tables() of `@architect/functions`, loaded on first use}
   */
  client?: DynamoDBClientLike | Promise<DynamoDBClientLike> | undefined;
  /** The table's name; for Architect, as in `app.arc`. */
  table: string;
  /** The name of the partition key, whose type is string. @default {"_idx"} */
  idx?: string | undefined;
  /** The name of the table's TTL attribute. @default {"_ttl"} */
  ttl?: string | undefined;
}

/**
 * Keeps sessions in a table of Amazon DynamoDB. Changes of parallel requests are merged by conditional writes, and
 * reads are strongly consistent. The table's TTL removes expired sessions hours or days later; until then they are
 * ignored.
 *
 * The table needs a partition key of type string, no sort key, and TTL enabled for the `ttl` attribute. In Architect's
 * `app.arc`:
 *
 * ```text
 * sessions
 *   _idx *String
 *   _ttl TTL
 * ```
 *
 * With a `DynamoDBDocumentClient`, this library loads the package `@aws-sdk/lib-dynamodb`. In a bundle, pass a
 * `DynamoDBDocument` instead.
 *
 * A session takes at most about 400 KB, DynamoDB's limit for an item. The client's own timeouts and retries apply. The
 * permissions `GetItem`, `UpdateItem` and `DeleteItem` are required; with Architect's client, `Query` instead of
 * `GetItem`. That client does not support conditional deletes, so a revoked record is emptied, and the TTL removes it.
 *
 * @param options The client, the table, the names of its attributes, the cookie and the timeouts.
 * @returns The session storage.
 * @throws {TypeError} If the client is not one of those or does not have the table, an option is unknown or malformed,
 * or {@linkcode createCookie} refuses the cookie.
 * @throws {RangeError} If a timeout or the cookie's `maxAge` is out of range.
 *
 * @example With the AWS SDK 3
 * ```ts
 * import {
 *   createDynamoDBSessionStorage,
 *   type DynamoDBDocumentLike,
 * } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * // In an application: DynamoDBDocument.from(new DynamoDB()), of @aws-sdk/lib-dynamodb and @aws-sdk/client-dynamodb.
 * // This client keeps items in a Map and ignores conditions.
 * const items = new Map<string | undefined, object>();
 * const client: DynamoDBDocumentLike = {
 *   get: ({ Key }) => ({ Item: items.get(Key["_idx"]) }),
 *   update({ Key, ExpressionAttributeNames, ExpressionAttributeValues }) {
 *     const set = Object.entries(ExpressionAttributeNames ?? {}).map(
 *       ([name, attribute]) =>
 *         [attribute, ExpressionAttributeValues?.[name.replace("#", ":")]],
 *     );
 *     items.set(Key["_idx"], Object.fromEntries(set));
 *   },
 *   delete: ({ Key }) => items.delete(Key["_idx"]),
 * };
 *
 * const { getSession, commitSession } = createDynamoDBSessionStorage({
 *   client,
 *   table: "sessions",
 *   cookie: { name: "__session", secrets: ["s3cr3t"], maxAge: 3600 },
 * });
 * const session = await getSession();
 * session.set("theme", "dark");
 * const cookieHeader = (await commitSession(session)).split(";")[0];
 *
 * assertEquals((await getSession(cookieHeader)).get("theme"), "dark");
 * ```
 */
export function createDynamoDBSessionStorage<
  Data = SessionData,
  FlashData = Data,
>(
  options: DynamoDBSessionStorageOptions<Data>,
): SessionStorage<Data, FlashData> {
  return engineStorage(options, OPTIONS, ({ now }) => {
    const { client, table, idx, ttl } = options;
    return new DynamoDBEngine(client, { table, idx, ttl }, now);
  });
}

const OPTIONS: OwnOptions<DynamoDBSessionStorageOptions> = {
  client: true,
  idx: true,
  table: true,
  ttl: true,
};

/**
 * Remix's name for {@linkcode createDynamoDBSessionStorage}, with Architect's tables.
 *
 * `app.arc` contains, under `@tables`:
 *
 * ```text
 * sessions
 *   _idx *String
 *   _ttl TTL
 * ```
 *
 * @example In an Architect application
 * ```ts
 * import {
 *   createArcTableSessionStorage,
 *   createCookie,
 *   type DynamoDBKey,
 *   type DynamoDBUpdate,
 * } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * // In an application, leave `client` out: the storage calls arc.tables(). This client keeps items in a Map and
 * // ignores conditions.
 * const items = new Map<string | undefined, object>();
 * const sessions = {
 *   query(params: { ExpressionAttributeValues: DynamoDBKey }) {
 *     const item = items.get(params.ExpressionAttributeValues[":idx"]);
 *     return { Items: item ? [item] : [] };
 *   },
 *   update({ Key, ExpressionAttributeNames, ExpressionAttributeValues }: DynamoDBUpdate) {
 *     const set = Object.entries(ExpressionAttributeNames ?? {}).map(
 *       ([name, attribute]) =>
 *         [attribute, ExpressionAttributeValues?.[name.replace("#", ":")]],
 *     );
 *     items.set(Key["_idx"], Object.fromEntries(set));
 *   },
 *   delete: (key: DynamoDBKey) => items.delete(key["_idx"]),
 * };
 *
 * const { getSession, commitSession } = createArcTableSessionStorage({
 *   client: { sessions },
 *   table: "sessions",
 *   idx: "_idx",
 *   ttl: "_ttl",
 *   cookie: createCookie("__session", { secrets: ["s3cr3t"], maxAge: 3600 }),
 * });
 * const session = await getSession();
 * session.set("theme", "dark");
 * const cookieHeader = (await commitSession(session)).split(";")[0];
 *
 * assertEquals((await getSession(cookieHeader)).get("theme"), "dark");
 * ```
 */
export const createArcTableSessionStorage: typeof createDynamoDBSessionStorage =
  createDynamoDBSessionStorage;
