/**
 * A place for records behind the four functions of React Router and Remix: the database makes the ids, owns expiry,
 * and keeps each session as one plain object.
 *
 * @module
 */
import { SessionError } from "../../core/errors.ts";
import { fromReactRouter, toReactRouter } from "../../core/plain.ts";
import { encodeTexts } from "../../core/record.ts";
import type { SessionData } from "../../core/session.ts";
import type { Policy } from "./policy.ts";
import type { Draft, RecordStore, Stored } from "./records.ts";
import type { StorageGuarantees } from "../contract.ts";

/** A session as one object: its values, and each flash under `__flash_NAME__`. */
export type FlashSessionData<Data, FlashData> = Partial<
  & Data
  & {
    [Key in keyof FlashData as `__flash_${Key & string}__`]: FlashData[Key];
  }
>;

/** How a database creates, reads, updates and deletes sessions. */
export interface FourFunctions<Data = SessionData, FlashData = Data> {
  /** Stores a new session until `expires`; gives the id that the database made for it. */
  createData(
    data: FlashSessionData<Data, FlashData>,
    expires: Date,
  ): Promise<string>;
  /** Gives the session, or `null` where there is none or it has expired. */
  readData(id: string): Promise<FlashSessionData<Data, FlashData> | null>;
  /** Replaces the session and its `expires`. May reject where there is none. */
  updateData(
    id: string,
    data: FlashSessionData<Data, FlashData>,
    expires: Date,
  ): Promise<void>;
  /** Deletes the session. May reject where there is none. */
  deleteData(id: string): Promise<void>;
}

const GUARANTEES: StorageGuarantees = {
  compareAndSet: false,
  reads: "strong",
  revoke: true,
  durable: true,
  shared: true,
  selfContained: false,
};

/** What databases make ids of: numbers, UUIDs, base64. No spaces, quotes, globs or control characters, and no `..`. */
const ID = /^(?!.*\.\.)[\w.~:+/=-]{1,256}$/;

/** Keeps records in a database by four functions. */
export function fourFunctionStore<Data, FlashData>(
  db: FourFunctions<Data, FlashData>,
  policy: Policy,
): RecordStore {
  type Plain = FlashSessionData<Data, FlashData>;
  for (
    const name of [
      "createData",
      "readData",
      "updateData",
      "deleteData",
    ] as const
  ) {
    if (typeof db[name] !== "function") {
      throw new TypeError(
        `Cannot create storage: ${name} must be a function, or pass an engine`,
      );
    }
  }

  function encode(draft: Draft): { data: Plain; text: string; expires: Date } {
    const { life, entries, expires } = draft;
    const text = toReactRouter({
      life,
      entries,
      expires: policy.needsDeadline(life) ? expires : undefined,
    });
    return { data: JSON.parse(text), text, expires: new Date(expires) };
  }

  function place(id: string, text: string): Stored {
    const now = policy.now();
    const decode = () => fromReactRouter(JSON.parse(text), now);
    const expires = decode()?.expires ?? Infinity;
    return { id, version: undefined, expires, decode };
  }

  /** Many clients take it for an error to change a row that another request has deleted; it is a race lost. */
  async function unlessGone(
    id: string,
    change: () => Promise<void>,
  ): Promise<boolean> {
    try {
      await change();
      return true;
    } catch (error) {
      let gone = false;
      try {
        gone = !await db.readData(id);
      } catch {
        // The first error says what was attempted.
      }
      if (!gone) throw error;
      return false;
    }
  }

  return {
    guarantees: GUARANTEES,
    accepts: (id) => ID.test(id),
    async load(id) {
      const data = await db.readData(id);
      // A copy as text: what the application changes must reach the database by updateData alone.
      return data ? place(id, JSON.stringify(data)) : null;
    },
    async create(_id, draft) {
      const { data, text, expires } = encode(draft);
      const made: unknown = await db.createData(data, expires);
      const id = typeof made === "number" ? String(made) : made;
      if (typeof id !== "string" || !ID.test(id)) {
        throw new SessionError(
          "store-failed",
          "Cannot save session: createData must give an id of 1 to 256 letters, digits and -_.~:+/=",
        );
      }
      return place(id, text);
    },
    async replace({ id }, draft) {
      const { data, text, expires } = encode(draft);
      const replaced = await unlessGone(
        id,
        () => db.updateData(id, data, expires),
      );
      return replaced ? place(id, text) : null;
    },
    async remove(id, stored) {
      const removed = await unlessGone(id, () => db.deleteData(id));
      return removed || stored === undefined;
    },
    async end({ id }) {
      await this.remove(id);
    },
    async retire(stored) {
      return await this.remove(stored.id, stored);
    },
    async touch(stored, expires) {
      const record = stored.decode();
      if (!record) return null;
      const entries = {
        values: encodeTexts(Object.entries(record.values)),
        flashes: encodeTexts(Object.entries(record.flashes)),
      };
      return await this.replace(stored, { life: record, entries, expires });
    },
  };
}
