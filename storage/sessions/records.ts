/**
 * What keeping sessions under an id needs of an engine or a database.
 *
 * @module
 */
import { isAhead } from "../../core/lifetime.ts";
import type { Draft } from "../../core/record.ts";
import type { Origin } from "../../core/session_state.ts";
import type { Engine, StorageGuarantees } from "../contract.ts";
import type { Policy } from "./policy.ts";

/** A record as it is stored. */
export interface StoredRecord extends Origin {
  /** The engine's version. */
  readonly version: unknown;
  /** The instant from which the engine may forget the record, in milliseconds. */
  readonly expires: number;
  /** A character before the record's text: such a record is not a session. */
  readonly mark?: string;
  /** Whether the visitor's cookie does not lead to the record yet, so that the next save sends one. */
  readonly unsent?: boolean;
}

/** Keeps records. Its calls to the engine end in time, and fail with a typed error. */
export interface Records {
  readonly guarantees: StorageGuarantees;
  readonly policy: Policy;
  /** The engine, if the records are in one, each under the hash of its id. */
  readonly engine?: Engine;
  /** Whether this could have made the id. No other id is ever looked up. */
  accepts(id: string): boolean;
  /** The record under an id, whether or not it is a session that is alive. */
  load(id: string): Promise<StoredRecord | undefined>;
  /** The record as it is now; its newest version, say. */
  reload(stored: StoredRecord): Promise<StoredRecord | undefined>;
  /** Writes a new record; `undefined` if the id is taken. A database chooses the id itself. */
  create(id: string, draft: Draft): Promise<StoredRecord | undefined>;
  /** Replaces a record; `undefined` if another version is stored. */
  replace(
    stored: StoredRecord,
    draft: Draft,
  ): Promise<StoredRecord | undefined>;
  /** Removes the record under an id, or only the version given; `false` if another version is stored. */
  remove(id: string, stored?: StoredRecord): Promise<boolean>;
  /** Removes a session as it was read, or as it is by now: changed by another request, or under a new id. */
  revoke(stored: StoredRecord): Promise<void>;
  /**
   * Revokes a record that another one under a new id replaces; `false` if another version is stored, or none. May be
   * called again if the answer was lost.
   */
  retire(stored: StoredRecord, nextId: string): Promise<boolean>;
  /** Moves the deadline of an unchanged record; `undefined` if another version is stored. */
  touch(
    stored: StoredRecord,
    expires: number,
  ): Promise<StoredRecord | undefined>;
  sweep?(): Promise<void>;
  close?(): Promise<void>;
}

/** A record, if it is a session and has not expired; reports one that has. */
export function alive(
  stored: StoredRecord | undefined,
  policy: Policy,
): StoredRecord | undefined {
  if (!stored || stored.mark) return undefined;
  if (isAhead(stored.expires, policy.now())) return stored;
  policy.report("expired");
  return undefined;
}
