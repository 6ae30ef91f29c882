/**
 * The interface of records, which an engine or a database keeps.
 *
 * @module
 */
import { isAhead } from "../../core/lifetime.ts";
import type { Draft } from "../../core/record.ts";
import type { Origin } from "../../core/session_state.ts";
import type { Engine, StorageGuarantees } from "../contract.ts";
import type { Policy } from "./policy.ts";
import type { Carried } from "./sessions.ts";

/** A stored record. */
export interface StoredRecord extends Origin {
  /** The engine's version. */
  readonly version: unknown;
  /** The deadline, in milliseconds. */
  readonly expires: number;
  /** A character before the record's text. A record with a mark is not a session. */
  readonly mark?: string;
  /** Whether the visitor's cookie does not have the record's id yet, so that the next save must send it. */
  readonly unsent?: boolean;
  /** The cookies of the request that read the record, if its end or a save needs them. */
  carried?: Carried | undefined;
}

/** Keeps records. Calls to the engine time out, and fail with a `SessionError`. */
export interface Records {
  readonly guarantees: StorageGuarantees;
  readonly policy: Policy;
  /** The engine, if the records are in one. */
  readonly engine?: Engine;
  /** Whether an id has the form of these records' ids. Other ids are never looked up. */
  accepts(id: string): boolean;
  /** Reads the record under an id, even if it has expired or has a mark. */
  load(id: string): Promise<StoredRecord | undefined>;
  /** Reads the newest version of a record. */
  reload(stored: StoredRecord): Promise<StoredRecord | undefined>;
  /** Writes a new record; `undefined` if the id exists. A database makes the id itself. */
  create(id: string, draft: Draft): Promise<StoredRecord | undefined>;
  /** Replaces a record; `undefined` if another version is stored. */
  replace(
    stored: StoredRecord,
    draft: Draft,
  ): Promise<StoredRecord | undefined>;
  /** Removes the record under an id. With `stored`, only that version; `false` if another version is stored. */
  remove(id: string, stored?: StoredRecord): Promise<boolean>;
  /** Removes a session, even if another request has changed it or its id. */
  revoke(stored: StoredRecord): Promise<void>;
  /**
   * Revokes a record whose id was replaced; `false` if it is missing or another version is stored. May be repeated if
   * the answer was lost.
   */
  retire(stored: StoredRecord, nextId: string): Promise<boolean>;
  /** Moves the deadline of an unchanged record; `undefined` if another version is stored. */
  touch(
    stored: StoredRecord,
    expires: number,
  ): Promise<StoredRecord | undefined>;
  /** Ends the sessions of the previous storage's cookies in a request, except for those with the ids. */
  endPrevious?(carried: Carried, except: readonly string[]): Promise<void>;
  sweep?(): Promise<void>;
  close?(): Promise<void>;
}

/** Returns a record if it is a session and has not expired. Reports one that has expired. */
export function alive(
  stored: StoredRecord | undefined,
  policy: Policy,
): StoredRecord | undefined {
  if (!stored || stored.mark) return undefined;
  if (isAhead(stored.expires, policy.now())) return stored;
  policy.report("expired");
  return undefined;
}
