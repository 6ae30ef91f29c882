/**
 * One small interface over the clients of DynamoDB.
 *
 * @module
 */
import { Lazy } from "../lazy.ts";
import { loadClient } from "../load_client.ts";

/** An item's primary key. */
export type DynamoDBKey = Record<string, string>;

/** The condition of a change, as in the API of DynamoDB. */
export interface DynamoDBCondition {
  /** The condition. */
  ConditionExpression?: string;
  /** The attributes behind the names in the expressions. */
  ExpressionAttributeNames?: Record<string, string>;
  /** The values behind the placeholders in the expressions. */
  ExpressionAttributeValues?: Record<string, string | number>;
}

/** A change of an item. */
export interface DynamoDBUpdate extends DynamoDBCondition {
  /** The item's key. */
  Key: DynamoDBKey;
  /** The change. */
  UpdateExpression: string;
}

/** A document client of the AWS SDK: version 3's `DynamoDBDocument`, or version 2's `DocumentClient`. */
export interface DynamoDBDocumentLike {
  /** Reads an item. */
  get(
    params: { TableName: string; Key: DynamoDBKey; ConsistentRead: true },
  ): unknown;
  /** Changes an item, or creates it. */
  update(params: DynamoDBUpdate & { TableName: string }): unknown;
  /** Deletes an item. */
  delete(
    params: DynamoDBCondition & { TableName: string; Key: DynamoDBKey },
  ): unknown;
}

/** Version 3's `DynamoDBDocumentClient`. Its commands are loaded from `@aws-sdk/lib-dynamodb`. */
export interface DynamoDBSenderLike {
  /** Sends a command. */
  send(command: never): unknown;
}

/** A table of Architect's client. */
export interface ArcTableLike {
  /** Changes an item, or creates it. */
  update(params: DynamoDBUpdate): unknown;
  /** Deletes an item without a condition. */
  delete(key: DynamoDBKey): unknown;
  /** Finds items. */
  query(
    params: {
      KeyConditionExpression: string;
      ConsistentRead: true;
      ExpressionAttributeNames: Record<string, string>;
      ExpressionAttributeValues: Record<string, string>;
    },
  ): unknown;
}

/** The result of `arc.tables()` of `@architect/functions`: the application's tables by their names in `app.arc`. */
export interface ArcTablesLike {
  /** A table (an `ArcTableLike`), or one of Architect's functions. Only the application knows the names. */
  // deno-lint-ignore no-explicit-any -- as Architect declares it
  readonly [table: string]: any;
}

/** A client of DynamoDB that sessions can use. */
export type DynamoDBClientLike =
  | DynamoDBDocumentLike
  | DynamoDBSenderLike
  | ArcTablesLike;

/** An item, as a client returns it. */
export type Item = Readonly<Record<string, unknown>>;

/** A table, through any of the clients. */
export interface Table {
  /** Reads an item, with strong consistency. */
  get(key: DynamoDBKey): Promise<Item | undefined>;
  update(update: DynamoDBUpdate): Promise<unknown>;
  /** Deletes an item if a condition holds. Optional: not every client can do so. */
  deleteIf?(key: DynamoDBKey, condition: DynamoDBCondition): Promise<unknown>;
  delete(key: DynamoDBKey): Promise<unknown>;
}

/**
 * Returns a table of a client.
 *
 * @throws {TypeError} If the client is not a known one, or does not have the table.
 */
export function tableOf(client: unknown, name: string): Table {
  if (hasMethods<DynamoDBDocumentLike>(client, "get", "update", "delete")) {
    return documentTable(client, name);
  }
  if (hasMethods<DynamoDBSenderLike>(client, "send")) {
    return documentTable(senderDocument(client), name);
  }
  const table = (client as ArcTablesLike | null | undefined)?.[name];
  if (hasMethods<ArcTableLike>(table, "query", "update", "delete")) {
    return arcTable(table);
  }
  throw new TypeError(
    `Cannot create storage: client must be a DynamoDB document client, or the result of arc.tables() with a table "${name}"`,
  );
}

/**
 * Returns a table of Architect's own client.
 *
 * @throws {Error} If `@architect/functions` cannot be loaded.
 * @throws {TypeError} If it does not have the table.
 */
export async function architectTable(name: string): Promise<Table> {
  type Architect = { tables(): Promise<ArcTablesLike> };
  const loaded = await loadClient("@architect/functions", "8") as
    & Architect
    & { default?: Architect };
  return tableOf(await (loaded.default ?? loaded).tables(), name);
}

/** The result of a request. Version 2 of the SDK sends a request only when `promise()` is called. */
async function resultOf<T>(request: unknown): Promise<T> {
  return await (hasMethods<{ promise(): unknown }>(request, "promise")
    ? request.promise()
    : request) as T;
}

function documentTable(client: DynamoDBDocumentLike, name: string): Table {
  const at = { TableName: name };
  return {
    async get(Key) {
      const params = { ...at, Key, ConsistentRead: true } as const;
      return (await resultOf<{ Item?: Item }>(client.get(params))).Item;
    },
    update: (update) => resultOf(client.update({ ...at, ...update })),
    deleteIf: (Key, condition) =>
      resultOf(client.delete({ ...at, Key, ...condition })),
    delete: (Key) => resultOf(client.delete({ ...at, Key })),
  };
}

/** Adds the methods of a document client to a client that only sends commands. */
function senderDocument(client: DynamoDBSenderLike): DynamoDBDocumentLike {
  type Command = new (params: unknown) => never;
  type Commands = Record<
    "GetCommand" | "UpdateCommand" | "DeleteCommand",
    Command
  >;
  const commands = new Lazy(() =>
    loadClient("@aws-sdk/lib-dynamodb", "3") as Promise<Commands>
  );
  async function send(name: keyof Commands, params: unknown): Promise<unknown> {
    const Command = (await commands.get())[name];
    return await client.send(new Command(params));
  }
  return {
    get: (params) => send("GetCommand", params),
    update: (params) => send("UpdateCommand", params),
    delete: (params) => send("DeleteCommand", params),
  };
}

/** Architect's `get` is not strongly consistent, but its `query` is. Its `delete` does not take a condition. */
function arcTable(table: ArcTableLike): Table {
  return {
    async get(key) {
      const [name = "", value = ""] = Object.entries(key)[0] ?? [];
      const found = await resultOf<{ Items?: Item[] }>(table.query({
        KeyConditionExpression: "#idx = :idx",
        ConsistentRead: true,
        ExpressionAttributeNames: { "#idx": name },
        ExpressionAttributeValues: { ":idx": value },
      }));
      return found.Items?.[0];
    },
    update: (update) => resultOf(table.update(update)),
    delete: (key) => resultOf(table.delete(key)),
  };
}

function hasMethods<T>(
  value: unknown,
  ...names: (keyof T & string)[]
): value is T {
  return typeof value === "object" && value !== null &&
    names.every((name) =>
      typeof (value as Record<string, unknown>)[name] === "function"
    );
}
