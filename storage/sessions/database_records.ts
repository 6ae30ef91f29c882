/**
 * Records in a database behind the four functions of React Router and Remix. The database makes the ids, checks the
 * deadline, and keeps each session as one plain object.
 *
 * @module
 */
import { SessionError } from "../../core/errors.ts";
import { decodeReactRouter, encodeReactRouter } from "../../core/plain.ts";
import {
  type Draft,
  encodeRecordEntries,
  type SessionRecord,
} from "../../core/record.ts";
import type { FlashSessionData, SessionData } from "../../core/session.ts";
import type { StorageGuarantees } from "../contract.ts";
import type { EnginePolicy } from "./engine_policy.ts";
import { type Records, shortened, type StoredRecord } from "./records.ts";

/** How a database creates, reads, updates and deletes sessions: React Router's `SessionIdStorageStrategy`. */
export interface FourFunctions<Data = SessionData, FlashData = Data> {
  /** Stores a new session until `expires`. Returns the id that the database made for it. */
  createData(
    data: FlashSessionData<Data, FlashData>,
    expires: Date,
  ): Promise<string>;
  /** Returns the session; `null` if it does not exist or has expired. */
  readData(id: string): Promise<FlashSessionData<Data, FlashData> | null>;
  /** Replaces the session and its `expires`. May reject if the session does not exist. */
  updateData(
    id: string,
    data: FlashSessionData<Data, FlashData>,
    expires: Date,
  ): Promise<void>;
  /** Deletes the session. May reject if it does not exist. */
  deleteData(id: string): Promise<void>;
}

/** The names of the four functions. */
const FOUR_FUNCTIONS = [
  "createData",
  "readData",
  "updateData",
  "deleteData",
] as const;

const GUARANTEES: StorageGuarantees = {
  compareAndSet: false,
  reads: "strong",
  revoke: true,
  durable: true,
  shared: true,
  selfContained: false,
};

/** Ids of databases: numbers, UUIDs, base64. Spaces, quotes, globs, control characters and `..` are excluded. */
const ID = /^(?!.*\.\.)[\w.~:+/=-]{1,256}$/;

/** Keeps records in a database. */
export class DatabaseRecords<Data, FlashData> implements Records {
  readonly guarantees: StorageGuarantees = GUARANTEES;
  readonly policy: EnginePolicy;
  readonly checksLifetime = false;
  readonly #db: FourFunctions<Data, FlashData>;

  /** @throws {TypeError} If one of the functions is missing. */
  constructor(db: FourFunctions<Data, FlashData>, policy: EnginePolicy) {
    for (const name of FOUR_FUNCTIONS) {
      if (typeof db[name] === "function") continue;
      throw new TypeError(
        `Cannot create storage: ${name} must be a function; pass all of ${
          FOUR_FUNCTIONS.join(", ")
        }, or an engine`,
      );
    }
    this.#db = db;
    this.policy = policy;
  }

  accepts(id: string): boolean {
    return ID.test(id);
  }

  async load(id: string): Promise<StoredRecord | undefined> {
    return await this.policy.call("read session", async () => {
      const data = await this.#db.readData(id);
      // A copy as text, because changes of the application must reach the database only through updateData.
      return data ? this.#record(id, JSON.stringify(data)) : undefined;
    }, { id });
  }

  reload({ id }: StoredRecord): Promise<StoredRecord | undefined> {
    return this.load(id);
  }

  async create(_id: string, draft: Draft): Promise<StoredRecord> {
    const { data, text, expires } = this.#encode(draft);
    const made: unknown = await this.policy.call(
      "save session",
      () => this.#db.createData(data, expires),
    );
    const id = typeof made === "number" ? String(made) : made;
    if (typeof id === "string" && ID.test(id)) return this.#record(id, text);
    throw this.policy.failure(
      "save session",
      new SessionError(
        "store-failed",
        "Cannot save session: createData must return an id of 1 to 256 letters, digits and -_.~:+/=",
      ),
    );
  }

  async replace(
    { id }: StoredRecord,
    draft: Draft,
  ): Promise<StoredRecord | undefined> {
    const { data, text, expires } = this.#encode(draft);
    const replaced = await this.#unlessGone(
      "save session",
      id,
      () => this.#db.updateData(id, data, expires),
    );
    return replaced ? this.#record(id, text) : undefined;
  }

  async remove(id: string, stored?: StoredRecord): Promise<boolean> {
    const removed = await this.#unlessGone(
      "destroy session",
      id,
      () => this.#db.deleteData(id),
    );
    return removed || stored === undefined;
  }

  async revoke({ id }: StoredRecord): Promise<void> {
    await this.remove(id);
  }

  retire(stored: StoredRecord): Promise<boolean> {
    return this.remove(stored.id, stored);
  }

  async supersede({ id }: StoredRecord): Promise<void> {
    await this.remove(id);
  }

  leadsTo(): boolean {
    return false;
  }

  async slide(
    stored: StoredRecord,
    record: SessionRecord,
    used: number,
    expires: number,
  ): Promise<StoredRecord | undefined> {
    const entries = encodeRecordEntries(record);
    // A read only moves a deadline forward.
    const ends = record.undated ? expires : Math.max(expires, stored.expires);
    const draft = { ...record, entries, span: ends - used, expires: ends };
    return await this.replace(stored, draft);
  }

  async shorten(stored: StoredRecord, expires: number): Promise<void> {
    const draft = shortened(stored, expires);
    if (draft) await this.replace(stored, draft);
  }

  #encode(
    draft: Draft,
  ): { data: FlashSessionData<Data, FlashData>; text: string; expires: Date } {
    const { policy } = this;
    // The database keeps the deadline, but not when to renew it.
    const dated = policy.timeouts.rolling === true ||
      policy.needsInstants(draft, null);
    const text = encodeReactRouter(draft, dated);
    return { data: JSON.parse(text), text, expires: new Date(draft.expires) };
  }

  #record(id: string, text: string): StoredRecord {
    const { policy } = this;
    const now = policy.now();
    const decode = () => decodeReactRouter(JSON.parse(text), now);
    const expires = decode()?.expires ?? Infinity;
    return { id, version: undefined, expires, decode };
  }

  /**
   * Makes a change; `false` if the row does not exist. Many clients reject such a change, and it must not count as a
   * failure.
   */
  async #unlessGone(
    what: string,
    id: string,
    change: () => Promise<void>,
  ): Promise<boolean> {
    let gone = false;
    await this.policy.call(what, async () => {
      try {
        await change();
      } catch (error) {
        try {
          gone = !await this.#db.readData(id);
        } catch {
          // The first error is the one to throw.
        }
        if (!gone) throw error;
      }
    }, { id });
    return !gone;
  }
}
