/**
 * Places for records, as sessions that are kept under an id need them.
 *
 * @module
 */
import { isAhead, type Life } from "../../core/lifetime.ts";
import type { EntryTexts, Owned, SessionRecord } from "../../core/record.ts";
import type { Policy } from "./policy.ts";
import type { Engine, StorageGuarantees } from "../contract.ts";

/**
 * What a record is that is no session yet, or none any more: `moved` has given way to a new id (`_engine_store.ts`) or
 * home, and the others are on their way to a new home (`_moving.ts`).
 */
export type Stage = "copied" | "checked" | "moved";

/** A record in its place. */
export interface Stored {
  readonly id: string;
  readonly version: unknown;
  /** The instant at which the place lets go of it, in milliseconds. */
  readonly expires: number;
  /** Decodes the record, afresh each time; `undefined` where it is corrupt. */
  readonly decode: () => SessionRecord | undefined;
  /** There only while the record is no session. */
  readonly stage?: Stage;
  /** Whether it is in the home that a store takes sessions over from, and stays there until it is saved. */
  readonly foreign?: boolean;
}

/** What is to be written. */
export interface Draft {
  readonly life: Life;
  readonly entries: EntryTexts;
  /** The instant from which the record is over, in milliseconds. */
  readonly expires: number;
  /** Whose the session is. */
  readonly owned?: Owned | undefined;
  readonly stage?: Stage | undefined;
}

/** A place for records: an engine behind the engine contract, or a database behind four functions. */
export interface RecordStore {
  readonly guarantees: StorageGuarantees;
  /** The engine, where the store is one behind the engine contract, with the hash of an id for its key. */
  readonly engine?: Engine;
  /** Whether the store may have minted the id. What it did not mint is never looked up. */
  accepts(id: string): boolean;
  load(id: string): Promise<Stored | null>;
  /** Writes a new record; `null` where the id is taken. The store may choose another id. */
  create(id: string, draft: Draft): Promise<Stored | null>;
  /** Writes a new record in place of a foreign one; `null` where that is gone. */
  adopt?(foreign: Stored, id: string, draft: Draft): Promise<Stored | null>;
  /** Replaces a record; `null` where another version is stored. */
  replace(stored: Stored, draft: Draft): Promise<Stored | null>;
  /** Removes what is stored under the id, or only the version given; `false` where that is another. */
  remove(id: string, stored?: Stored): Promise<boolean>;
  /** Removes a session as it was read, or as it is by now: changed by another request, or under a new id. */
  end(stored: Stored): Promise<void>;
  /**
   * Ends a record for one under a new id; `false` where another version is stored, or none. May be asked again where the
   * answer was lost: what it has ended for that id counts as ended by it.
   */
  retire(stored: Stored, nextId: string, now: number): Promise<boolean>;
  /** Moves the deadline of an unchanged record; `null` where another version is stored. */
  touch(stored: Stored, expires: number): Promise<Stored | null>;
  sweep?(now: number): Promise<void>;
  close?(): Promise<void>;
}

/** A store and the policy that its sessions follow. */
export interface Home {
  readonly store: RecordStore;
  readonly policy: Policy;
}

/** The record that `find` finds, if it is a session and alive; tells of one that is over. */
export async function findAlive(
  policy: Policy,
  find: () => Promise<Stored | null>,
): Promise<Stored | undefined> {
  const now = policy.now();
  const stored = await policy.engine("read", find);
  if (!stored || stored.stage) return undefined;
  if (isAhead(stored.expires, now)) return stored;
  policy.tell("expired");
  return undefined;
}
