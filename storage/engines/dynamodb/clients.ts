/**
 * The clients through which DynamoDB is reached, as one small interface.
 *
 * @module
 */
import { Lazy } from "../lazy.ts";
import { loadClient } from "../load_client.ts";

/** An item's primary key. */
export type DynamoDBKey = Record<string, string>;

/** What a conditional change is told, as in the API of DynamoDB. */
export interface DynamoDBCondition {
  /** What must hold. */
  ConditionExpression?: string;
  /** What the names in the expressions stand for. */
  ExpressionAttributeNames?: Record<string, string>;
  /** What the values in the expressions stand for. */
  ExpressionAttributeValues?: Record<string, string | number>;
}

/** How an item is changed. */
export interface DynamoDBUpdate extends DynamoDBCondition {
  /** The item. */
  Key: DynamoDBKey;
  /** What is changed. */
  UpdateExpression: string;
}

/** A document client of the AWS SDK: version 3's `DynamoDBDocument`, or version 2's `DocumentClient`. */
export interface DynamoDBDocumentLike {
  /** Reads an item. */
  get(
    params: { TableName: string; Key: DynamoDBKey; ConsistentRead: true },
  ): unknown;
  /** Changes an item, or makes it. */
  update(params: DynamoDBUpdate & { TableName: string }): unknown;
  /** Deletes an item. */
  delete(
    params: DynamoDBCondition & { TableName: string; Key: DynamoDBKey },
  ): unknown;
}

/** Version 3's `DynamoDBDocumentClient`; its commands are then loaded from `@aws-sdk/lib-dynamodb`. */
export interface DynamoDBSenderLike {
  /** Carries out a command. */
  send(command: never): unknown;
}

/** One table of Architect's client. */
export interface ArcTableLike {
  /** Changes an item, or makes it. */
  update(params: DynamoDBUpdate): unknown;
  /** Deletes an item, whatever it holds. */
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

/** What `arc.tables()` of `@architect/functions` gives: the application's tables by their names in `app.arc`. */
export interface ArcTablesLike {
  /** A table, an `ArcTableLike`, or a function beside them: only the application knows which are there. */
  // deno-lint-ignore no-explicit-any -- as Architect declares it
  readonly [table: string]: any;
}

/** Every client that sessions can be kept through. */
export type DynamoDBClientLike =
  | DynamoDBDocumentLike
  | DynamoDBSenderLike
  | ArcTablesLike;

/** An item as a client gives it. */
export type Item = Readonly<Record<string, unknown>>;

/** One table, whichever client reaches it. */
export interface Table {
  /** Reads an item as last written. */
  get(key: DynamoDBKey): Promise<Item | undefined>;
  update(update: DynamoDBUpdate): Promise<unknown>;
  /** Deletes an item. Absent where the client cannot do so on a condition. */
  deleteIf?(key: DynamoDBKey, condition: DynamoDBCondition): Promise<unknown>;
  delete(key: DynamoDBKey): Promise<unknown>;
}

/**
 * The table through a client.
 *
 * @throws {TypeError} If the client is none that is known, or has no such table.
 */
export function tableOf(client: unknown, name: string): Table {
  if (offers<DynamoDBDocumentLike>(client, "get", "update", "delete")) {
    return documentTable(client, name);
  }
  if (offers<DynamoDBSenderLike>(client, "send")) {
    return documentTable(senderDocument(client), name);
  }
  const table = (client as ArcTablesLike | null | undefined)?.[name];
  if (offers<ArcTableLike>(table, "query", "update", "delete")) {
    return arcTable(table);
  }
  throw new TypeError(
    `Cannot create storage: client must be a DynamoDB document client, or what arc.tables() gives, with a table "${name}"`,
  );
}

/**
 * The table through Architect's own client.
 *
 * @throws {Error} If `@architect/functions` is not there.
 * @throws {TypeError} If it has no such table.
 */
export async function architectTable(name: string): Promise<Table> {
  type Architect = { tables(): Promise<ArcTablesLike> };
  const loaded = await loadClient("@architect/functions", "8") as
    & Architect
    & { default?: Architect };
  return tableOf(await (loaded.default ?? loaded).tables(), name);
}

/** Version 2 of the SDK sends a request only when asked for its promise. */
async function settle<T>(request: unknown): Promise<T> {
  return await (offers<{ promise(): unknown }>(request, "promise")
    ? request.promise()
    : request) as T;
}

function documentTable(client: DynamoDBDocumentLike, name: string): Table {
  const at = { TableName: name };
  return {
    async get(Key) {
      const params = { ...at, Key, ConsistentRead: true } as const;
      return (await settle<{ Item?: Item }>(client.get(params))).Item;
    },
    update: (update) => settle(client.update({ ...at, ...update })),
    deleteIf: (Key, condition) =>
      settle(client.delete({ ...at, Key, ...condition })),
    delete: (Key) => settle(client.delete({ ...at, Key })),
  };
}

/** Gives a client that only sends commands the functions of one that makes them itself. */
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

/** Architect reads single items without consistency, but queries with it; and it deletes without conditions. */
function arcTable(table: ArcTableLike): Table {
  return {
    async get(key) {
      const [name = "", value = ""] = Object.entries(key)[0] ?? [];
      const found = await settle<{ Items?: Item[] }>(table.query({
        KeyConditionExpression: "#idx = :idx",
        ConsistentRead: true,
        ExpressionAttributeNames: { "#idx": name },
        ExpressionAttributeValues: { ":idx": value },
      }));
      return found.Items?.[0];
    },
    update: (update) => settle(table.update(update)),
    delete: (key) => settle(table.delete(key)),
  };
}

function offers<T>(value: unknown, ...names: (keyof T & string)[]): value is T {
  return typeof value === "object" && value !== null &&
    names.every((name) =>
      typeof (value as Record<string, unknown>)[name] === "function"
    );
}
