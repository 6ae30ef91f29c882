/**
 * Sessions in Amazon DynamoDB, with the AWS SDK's client or with Architect's.
 *
 * @module
 */
import type { SessionData } from "../core/session.ts";
import type { OptionNames } from "../core/options.ts";
import type { SessionStorage, StorageOptions } from "./contract.ts";
import { engineStorage, STORAGE_OPTIONS } from "./sessions/bind.ts";
import { DynamoDBEngine } from "./engines/dynamodb/engine.ts";
import type { DynamoDBClientLike } from "./engines/dynamodb/clients.ts";

/** Options of {@linkcode createDynamoDBSessionStorage}. */
export interface DynamoDBSessionStorageOptions<Data = SessionData>
  extends StorageOptions<Data> {
  /**
   * The client: the AWS SDK's `DynamoDBDocument` or `DynamoDBDocumentClient` of version 3, its `DocumentClient` of
   * version 2, or what `arc.tables()` gives. @default {arc.tables() of `@architect/functions`, loaded on first use}
   */
  client?: DynamoDBClientLike | Promise<DynamoDBClientLike> | undefined;
  /** The table's name; for Architect, as in `app.arc`. */
  table: string;
  /** The partition key's name; its type is string, and there is no sort key. @default {"_idx"} */
  idx?: string | undefined;
  /** The name of the attribute by which the table expires items, in seconds. @default {"_ttl"} */
  ttl?: string | undefined;
}

/**
 * Keeps sessions in a table of Amazon DynamoDB. Parallel requests are merged by conditional writes, reads are strongly
 * consistent, and the table's TTL removes expired sessions; until it does, hours or days later, they are treated as
 * gone.
 *
 * The table needs a partition key of type string, no sort key, and TTL switched on for the `ttl` attribute. In
 * Architect's `app.arc` that is:
 *
 * ```text
 * sessions
 *   _idx *String
 *   _ttl TTL
 * ```
 *
 * A `DynamoDBDocumentClient`, which only sends commands, needs the package `@aws-sdk/lib-dynamodb` where this library can
 * load it; in a bundle, hand in a `DynamoDBDocument`, which needs nothing.
 *
 * A session takes at most about 400 KB, DynamoDB's limit for an item. The client's own timeouts and retries apply. Of
 * permissions it needs `GetItem`, `UpdateItem` and `DeleteItem`, with Architect's client `Query` instead of `GetItem`.
 * That client cannot delete on a condition: the record of a session that ends is emptied instead, and removed by the
 * TTL.
 *
 * @param options Client, table, names of its attributes, cookie and timeouts.
 * @returns The storage, bound to the cookie if there is one.
 * @throws {TypeError} If the client is none of those, or has no such table; if a name is none that DynamoDB takes;
 * if the cookie is refused, as by {@linkcode createCookie}; or if `now`, `owner` or `onEvent` is no function.
 * @throws {RangeError} If a timeout is not positive and finite, `touchAfter` is negative or not shorter than
 * `idleTimeout`, or the cookie's `maxAge` is negative or not finite.
 *
 * @example With version 3 of the AWS SDK
 * ```ts
 * import {
 *   createDynamoDBSessionStorage,
 *   type DynamoDBDocumentLike,
 * } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * // In an application: DynamoDBDocument.from(new DynamoDB()), of @aws-sdk/lib-dynamodb and @aws-sdk/client-dynamodb.
 * // This one keeps items in a Map, and checks no conditions.
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

const OPTIONS: OptionNames<DynamoDBSessionStorageOptions> = {
  ...STORAGE_OPTIONS,
  client: true,
  idx: true,
  table: true,
  ttl: true,
};

/**
 * {@linkcode createDynamoDBSessionStorage} under the name that Remix gave it, for Architect's tables.
 *
 * Under `@tables`, `app.arc` has:
 *
 * ```text
 * sessions
 *   _idx *String
 *   _ttl TTL
 * ```
 *
 * @example In an application of Architect
 * ```ts
 * import {
 *   createArcTableSessionStorage,
 *   createCookie,
 *   type DynamoDBKey,
 *   type DynamoDBUpdate,
 * } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * // In an application, leave it out: the client is what arc.tables() gives then. This one keeps items in a Map, and
 * // checks no conditions.
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
