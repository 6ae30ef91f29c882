/**
 * The engine of DynamoDB: items, conditions, attributes.
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

/** Attributes of an item beside its key and its TTL. Their names count towards the item's size. */
const RECORD = "_record";
const VERSION = "_version";
const DEADLINE = "_deadline";

/** DynamoDB's limit for an item: its attributes' names and values, in bytes. */
const ITEM_BYTES = 400 * 1024;
/** The longest values beside the record: key 43, version 16, deadline 24, and a number of 38 digits, 21. */
const VALUE_BYTES = 43 + 16 + 24 + 21;

/** Where records are kept. */
export interface TableNames {
  /** The table. */
  table: string;
  /** Its partition key. @default {"_idx"} */
  idx?: string | undefined;
  /** The attribute by which it expires items. @default {"_ttl"} */
  ttl?: string | undefined;
}

type Client = DynamoDBClientLike | Promise<DynamoDBClientLike> | undefined;

/** The engine behind `createDynamoDBSessionStorage`. */
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
    // A name, or an ARN, as DynamoDB has them.
    if (typeof table !== "string" || !/^[\w.:/-]{1,1024}$/.test(table)) {
      throw new TypeError(
        "Cannot create storage: table must be the name of a DynamoDB table",
      );
    }
    checkAttribute("idx", idx);
    checkAttribute("ttl", ttl);
    if (idx === ttl) {
      throw new TypeError(
        "Cannot create storage: idx and ttl must be two attributes",
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
    const condition = holds(ifVersion);
    return await met(async () => {
      if (table.deleteIf) await table.deleteIf(this.#key(key), condition);
      // What is left is absent to every read and every condition, and goes by its TTL, which is over.
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
    // Without the condition, it would make an item where there is none any more.
    return await this.#update(key, ifVersion, this.#deadline(expires));
  }

  #deadline(expires: number): Record<string, string | number> {
    return {
      // Text, because clients can be told to give numbers as objects of their own.
      [DEADLINE]: String(expires),
      [this.#ttl]: Math.ceil(expires / 1000),
    };
  }

  /** Sets attributes; `false` where the condition does not hold. Names are never written out: they may be reserved. */
  async #update(
    key: string,
    ifVersion: unknown,
    attributes: Record<string, string | number>,
  ): Promise<boolean> {
    const entries = Object.entries(attributes);
    const condition = holds(ifVersion);
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
    return await met(() => table.update(update));
  }

  #key(key: string): Record<string, string> {
    return { [this.#idx]: key };
  }
}

/** Stands for whatever version is stored. */
const EXISTS = Symbol("exists");

/** The condition that a version is still stored; `null`, that there is none. */
function holds(version: unknown): DynamoDBCondition {
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

/** Whether a conditional change went through. Errors are told by their name: each client has its own class, or none. */
async function met(change: () => Promise<unknown>): Promise<boolean> {
  try {
    await change();
    return true;
  } catch (error) {
    const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
    if ([name, code].includes("ConditionalCheckFailedException")) return false;
    throw error;
  }
}

/** A deadline as it was written; `undefined` for anything else. */
function toInstant(text: unknown): number | undefined {
  const instant = Number(text);
  return Number.isFinite(instant) && String(instant) === text
    ? instant
    : undefined;
}

/** @throws {TypeError} If the client is none that is known. */
function opener(
  client: Client,
  name: string,
): () => Promise<Table> {
  if (client === undefined) return () => architectTable(name);
  if (client instanceof Promise) {
    // It may fail long before the first request, which is the one to be told.
    client.catch(() => {});
    return async () => tableOf(await client, name);
  }
  const table = tableOf(client, name);
  return async () => table;
}

/** @throws {TypeError} If it is none that DynamoDB takes for a key, or one that sessions use otherwise. */
function checkAttribute(option: string, name: string): void {
  const problem = typeof name !== "string" || name === "" ||
      utf8Length(name) > 255
    ? "must be a name of 1 to 255 bytes"
    : /\p{Cc}|\p{Cs}/u.test(name)
    ? "must hold no control characters and no lone surrogates"
    : [RECORD, VERSION, DEADLINE].includes(name)
    ? "must be none of the attributes that sessions use themselves"
    : undefined;
  if (problem) {
    throw new TypeError(`Cannot create storage: ${option} ${problem}`);
  }
}
