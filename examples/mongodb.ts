/**
 * Sessions in MongoDB, by an engine over the package `mongodb`. The tests check its types, and do not run it on a server.
 *
 * @module
 */
import type {
  DeleteOptions,
  Engine,
  EngineRecord,
  StorageGuarantees,
  WriteOptions,
} from "@satchel/session";
import { randomUUID } from "node:crypto";
import type { Collection, Db, Filter } from "npm:mongodb@7.9.0";

/** A record. MongoDB removes it some time after `forget`. */
interface SessionDocument {
  readonly _id: string;
  readonly value: string;
  readonly version: string;
  readonly expires: number;
  readonly forget: Date;
}

/** The error of an `_id` that exists. */
const DUPLICATE_KEY = 11000;

/** Keeps records in a collection of MongoDB. Each operation changes one document, which MongoDB does atomically. */
export class MongoEngine implements Engine {
  readonly guarantees: StorageGuarantees = {
    compareAndSet: true,
    reads: "strong",
    revoke: true,
    durable: true,
    shared: true,
    selfContained: false,
    // A document has 16 MiB at most.
    maxBytes: 16_000_000,
  };
  readonly #records: Collection<SessionDocument>;

  /** @param db The database, as `client.db()` returns it. */
  constructor(db: Db, collection = "sessions") {
    // The guarantees depend on this, whatever the address of the database says.
    this.#records = db.collection(collection, {
      readPreference: "primary",
      writeConcern: { w: "majority", journal: true },
    });
  }

  /** Creates the index by which MongoDB removes expired records, an hour later: clocks differ. Call it once. */
  async createIndex(): Promise<void> {
    await this.#records.createIndex({ forget: 1 }, {
      expireAfterSeconds: 3600,
    });
  }

  async read(key: string): Promise<EngineRecord | null> {
    const found = await this.#records.findOne({ _id: key });
    if (!found) return null;
    const { value, version, expires } = found;
    return { value, version, expires };
  }

  async write(
    key: string,
    value: string,
    { expires, ifVersion }: WriteOptions,
  ): Promise<unknown> {
    // Random, so that no version comes back after a record was deleted.
    const version = randomUUID();
    const record = { value, version, ...deadline(expires) };
    if (ifVersion === null) {
      const inserted = await this.#insert({ _id: key, ...record });
      return inserted ? version : null;
    }
    const { matchedCount, upsertedCount } = await this.#records.replaceOne(
      at(key, ifVersion),
      record,
      { upsert: ifVersion === undefined },
    );
    return matchedCount + upsertedCount > 0 ? version : null;
  }

  async delete(
    key: string,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const { deletedCount } = await this.#records.deleteOne(at(key, ifVersion));
    return deletedCount > 0 || ifVersion === undefined;
  }

  async touch(
    key: string,
    expires: number,
    { ifVersion }: DeleteOptions = {},
  ): Promise<boolean> {
    const { matchedCount } = await this.#records.updateOne(
      at(key, ifVersion),
      { $set: deadline(expires) },
    );
    return matchedCount > 0;
  }

  /** Returns whether the key was absent. */
  async #insert(record: SessionDocument): Promise<boolean> {
    try {
      await this.#records.insertOne(record);
      return true;
    } catch (error) {
      if (Object(error).code === DUPLICATE_KEY) return false;
      throw error;
    }
  }
}

/** The filter for a record, if it has the version. */
function at(key: string, ifVersion: unknown): Filter<SessionDocument> {
  return ifVersion === undefined
    ? { _id: key }
    : { _id: key, version: String(ifVersion) };
}

function deadline(
  expires: number,
): Pick<SessionDocument, "expires" | "forget"> {
  return { expires, forget: new Date(Math.ceil(expires)) };
}
