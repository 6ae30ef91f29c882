/**
 * An engine on DynamoDB.
 *
 * @module
 */
import { utf8Length } from "../../../core/bytes.ts";
import { Lazy } from "../lazy.ts";
import { foreignRecord, newVersion } from "../record.ts";
import {
  architectTable,
  type DynamoDBClientLike,
  type DynamoDBCondition,
  type Table,
  tableOf,
} from "./clients.ts";
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "../../contract.ts";

/** The attributes of an item, apart from its key and its TTL. Their names count towards the item's size. */
const RECORD = "_record";
const VERSION = "_version";
const DEADLINE = "_deadline";

/** DynamoDB's limit for an item, in bytes: the names and values of its attributes. */
const ITEM_BYTES = 409_600;
/** The longest values apart from the record: key 43, version 16, deadline 24, and 21 for a number of 38 digits. */
const VALUE_BYTES = 104;

/** The table and its attributes. */
export interface TableNames {
  /** The table's name. */
  table: string;
  /** The partition key. @default {"_idx"} */
  idx?: string | undefined;
  /** The attribute of the table's TTL. @default {"_ttl"} */
  ttl?: string | undefined;
}

type Client = DynamoDBClientLike | Promise<DynamoDBClientLike> | undefined;

/** Keeps records in a table of DynamoDB. */
export class DynamoDBEngine implements Engine {
  readonly guarantees: StorageGuarantees;
  readonly #table: Lazy<Table>;
  readonly #idx: string;
  readonly #ttl: string;
  readonly #now: () => number;

  constructor(
    client: Client,
    { table, idx = "_idx", ttl = "_ttl" }: TableNames,
    now: () => number = Date.now,
  ) {
    // A name or an ARN.
    if (typeof table !== "string" || !/^[\w.:/-]{1,1024}$/.test(table)) {
      throw new TypeError(
        "Cannot create storage: table must be the name of a DynamoDB table",
      );
    }
    checkAttribute("idx", idx);
    checkAttribute("ttl", ttl);
    if (idx === ttl) {
      throw new TypeError(
        "Cannot create storage: idx and ttl must be different attributes",
      );
    }
    this.#table = new Lazy(opener(client, table));
    this.#idx = idx;
    this.#ttl = ttl;
    this.#now = now;
    const names = [idx, ttl, RECORD, VERSION, DEADLINE].join("");
    this.guarantees = {
      compareAndSet: true,
      reads: "strong",
      revoke: true,
      durable: true,
      shared: true,
      selfContained: false,
      maxBytes: ITEM_BYTES - utf8Length(names) - VALUE_BYTES,
    };
  }

  async read(key: string): Promise<EngineRecord | null> {
    const item = await (await this.#table.get()).get(this.#key(key));
    if (!item) return null;
    const { [RECORD]: value, [VERSION]: version = null } = item;
    if (value === undefined && version === null) return null;
    const expires = toInstant(item[DEADLINE]);
    return typeof value === "string" && expires !== undefined
      ? { value, version, expires }
      : foreignRecord(version);
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    const version = newVersion();
    const written = await this.#update(key, ifVersion, {
      [RECORD]: value,
      [VERSION]: version,
      ...this.#deadline(expires),
    });
    return written ? version : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const table = await this.#table.get();
    if (ifVersion === undefined) {
      await table.delete(this.#key(key));
      return true;
    }
    const condition = conditionOf(ifVersion);
    return await holds(async () => {
      if (table.deleteIf) await table.deleteIf(this.#key(key), condition);
      // To reads and conditions, the rest of the item is absent. The table removes it, because its TTL has expired.
      else {
        await table.update({
          Key: this.#key(key),
          UpdateExpression:
            "SET #ttl = :ttl REMOVE #record, #deadline, #version",
          ...condition,
          ExpressionAttributeNames: {
            "#ttl": this.#ttl,
            "#record": RECORD,
            "#deadline": DEADLINE,
            ...condition.ExpressionAttributeNames,
          },
          ExpressionAttributeValues: {
            ":ttl": Math.ceil(this.#now() / 1000),
            ...condition.ExpressionAttributeValues,
          },
        });
      }
    });
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion = EXISTS }: DeleteOptions = {},
  ): Promise<boolean> {
    // Without a condition, it would create an item that was deleted before.
    return await this.#update(key, ifVersion, this.#deadline(expires));
  }

  #deadline(expires: number): Record<string, string | number> {
    return {
      // Text, because clients can be configured to return numbers as objects.
      [DEADLINE]: String(expires),
      [this.#ttl]: Math.ceil(expires / 1000),
    };
  }

  /** Sets attributes. Returns `false` if the condition does not hold. Each name has an alias: it may be reserved. */
  async #update(
    key: string,
    ifVersion: unknown,
    attributes: Record<string, string | number>,
  ): Promise<boolean> {
    const entries = Object.entries(attributes);
    const condition = conditionOf(ifVersion);
    const update = {
      Key: this.#key(key),
      UpdateExpression: `SET ${entries.map((_, i) => `#${i} = :${i}`)}`,
      ...condition,
      ExpressionAttributeNames: {
        ...condition.ExpressionAttributeNames,
        ...Object.fromEntries(entries.map(([name], i) => [`#${i}`, name])),
      },
      ExpressionAttributeValues: {
        ...condition.ExpressionAttributeValues,
        ...Object.fromEntries(entries.map(([, value], i) => [`:${i}`, value])),
      },
    };
    const table = await this.#table.get();
    return await holds(() => table.update(update));
  }

  #key(key: string): Record<string, string> {
    return { [this.#idx]: key };
  }
}

/** Any version. */
const EXISTS = /* @__PURE__ */ Symbol("exists");

/** The condition that a version is still stored, or for `null`, that the record does not exist. */
function conditionOf(version: unknown): DynamoDBCondition {
  if (version === undefined) return {};
  const condition = { ExpressionAttributeNames: { "#version": VERSION } };
  if (version === EXISTS) {
    return { ...condition, ConditionExpression: "attribute_exists(#version)" };
  }
  if (version === null) {
    return {
      ...condition,
      ConditionExpression: "attribute_not_exists(#version)",
    };
  }
  return {
    ...condition,
    ConditionExpression: "#version = :version",
    ExpressionAttributeValues: { ":version": version as string },
  };
}

/** Makes a change. Returns `false` if its condition does not hold. The classes of the error differ between clients. */
async function holds(change: () => Promise<unknown>): Promise<boolean> {
  try {
    await change();
    return true;
  } catch (error) {
    const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
    if ([name, code].includes("ConditionalCheckFailedException")) return false;
    throw error;
  }
}

/** Parses a deadline. Returns `undefined` for text that this engine did not write. */
function toInstant(text: unknown): number | undefined {
  const instant = Number(text);
  return Number.isFinite(instant) && String(instant) === text
    ? instant
    : undefined;
}

/** @throws {TypeError} If the client is not a known one. */
function opener(
  client: Client,
  name: string,
): () => Promise<Table> {
  if (client === undefined) return () => architectTable(name);
  if (client instanceof Promise) {
    // It may fail long before the first request, which then gets the error.
    client.catch(() => {});
    return async () => tableOf(await client, name);
  }
  const table = tableOf(client, name);
  return async () => table;
}

/** @throws {TypeError} If DynamoDB does not accept it, or if sessions already use it. */
function checkAttribute(option: string, name: string): void {
  const problem = typeof name !== "string" || name === "" ||
      utf8Length(name) > 255
    ? "must be a name of 1 to 255 bytes"
    : /\p{Cc}|\p{Cs}/u.test(name)
    ? "must not contain control characters or lone surrogates"
    : [RECORD, VERSION, DEADLINE].includes(name)
    ? "must not be _record, _version or _deadline, which sessions use"
    : undefined;
  if (problem) {
    throw new TypeError(`Cannot create storage: ${option} ${problem}`);
  }
}
