/**
 * The interface of records, which an engine or a database keeps.
 *
 * @module
 */
import type { Awaitable } from "../../core/awaitable.ts";
import {
  isAhead,
  type Life,
  type StoredLifetime,
} from "../../core/lifetime.ts";
import {
  type Draft,
  encodeRecordEntries,
  type SessionRecord,
} from "../../core/record.ts";
import type { Origin } from "../../core/session_state.ts";
import type { AnyEngine, StorageGuarantees } from "../contract.ts";
import type { EnginePolicy } from "./engine_policy.ts";
import type { Carried } from "./sessions.ts";

/** A stored record. */
export interface StoredRecord extends Origin {
  /** The engine's version. */
  readonly version: unknown;
  /** The deadline, in milliseconds. */
  readonly expires: number;
  /** Decodes only what the deadline depends on, if that is faster. */
  readonly life?: () => Life | undefined;
  /** A character before the record's text. A record with a mark is not a session. */
  readonly mark?: string | undefined;
  /** Whether the request's cookie is to be renewed: it does not have the record's id, or an older secret or format. */
  unsent?: boolean | undefined;
  /** Whether the answer must carry the cookie of the record, which a save has written. */
  sends?: boolean | undefined;
  /** The cookies of the request that read the record, if its end or a save needs them. */
  carried?: Carried | undefined;
}

/** The search for the record of a request's session. */
export interface Search {
  /** Finds the first live record by the values of the cookie. */
  own(): Awaitable<StoredRecord | undefined>;
  /** Notes that an id of the request was replaced. They count if there is no live record. */
  readonly notes: StoredRecord[];
  /** Reports why the values of the cookie did not lead to a live record. */
  report(): void;
}

/** Keeps records. Calls to the engine time out, and fail with a `SessionError`. */
export interface Records {
  readonly guarantees: StorageGuarantees;
  readonly policy: EnginePolicy;
  /** The engine, if the records are in one. */
  readonly engine?: AnyEngine;
  /** Whether the library checks the lifetime of a session. A database does that itself. */
  readonly checksLifetime: boolean;
  /** Whether an id has the form of these records' ids. Other ids are never looked up. */
  accepts(id: string): boolean;
  /** Reads the record under an id, even if it has expired or has a mark. */
  load(id: string): Awaitable<StoredRecord | undefined>;
  /** Reads the newest version of a record. */
  reload(stored: StoredRecord): Awaitable<StoredRecord | undefined>;
  /** Writes a new record; `undefined` if the id exists. A database makes the id itself. */
  create(id: string, draft: Draft): Awaitable<StoredRecord | undefined>;
  /** Replaces a record; `undefined` if another version is stored. */
  replace(
    stored: StoredRecord,
    draft: Draft,
  ): Awaitable<StoredRecord | undefined>;
  /** Removes the record under an id. With `stored`, only that version; `false` if another version is stored. */
  remove(id: string, stored?: StoredRecord): Awaitable<boolean>;
  /** Removes a session, even if another request has changed it or its id. */
  revoke(stored: StoredRecord): Promise<void>;
  /**
   * Revokes a record whose id was replaced, and leaves a note of that; `false` if it is missing or another version is
   * stored. May be repeated if the answer was lost.
   *
   * @param nextId The id to which the note leads; `undefined` if it must not lead to the session that begins anew.
   */
  retire(stored: StoredRecord, nextId: string | undefined): Promise<boolean>;
  /**
   * Does in one step what `retire` of the old record and `create` under the new id do; `undefined`, and nothing has
   * changed, if it takes more steps, the new id exists, or another version of the old record is stored. If the call has
   * `failed`, it may have had its effect, or have it later. Absent if the engine does not have such a step.
   */
  move?(
    stored: StoredRecord,
    nextId: string | undefined,
    id: string,
    draft: Draft,
  ): Promise<StoredRecord | "failed" | undefined>;
  /** Gives a record another version and changes nothing else; `undefined` if another version is stored. */
  rewrite?(stored: StoredRecord): Promise<StoredRecord | undefined>;
  /** As `retire`, whatever is stored. A session to which the record's id was moved is revoked too. */
  supersede(stored: StoredRecord): Promise<void>;
  /** Whether a record is the note that an id was replaced by `nextId`. */
  leadsTo(stored: StoredRecord | undefined, nextId: string): boolean;
  /**
   * Moves the deadline of an unchanged record; `undefined` if another version is stored.
   *
   * @param expires The new deadline of a record that is used at `used`, in milliseconds.
   */
  slide(
    stored: StoredRecord,
    record: SessionRecord,
    used: number,
    expires: number,
  ): Promise<StoredRecord | undefined>;
  /** Ends a record at an instant, in milliseconds, if it is unchanged. */
  shorten(stored: StoredRecord, expires: number): Promise<void>;
  /** Finds the record of a request's session, also by the previous storage's cookies. */
  find?(carried: Carried, search: Search): Awaitable<StoredRecord | undefined>;
  /**
   * Ends the sessions of the previous storage's cookies in a request.
   *
   * @param except The ids of the session that stays, and of those that it replaces; absent at a logout.
   */
  endPrevious?(carried: Carried, except?: readonly string[]): Promise<void>;
  sweep?(): Promise<number | undefined>;
  close?(): Promise<void>;
}

/**
 * A record that ends at an instant, in milliseconds, under any settings; `undefined` if it cannot be decoded.
 *
 * A fixed lifetime, because a nearer deadline alone would look like an old use or a shorter setting, and be moved again.
 */
export function shortened(
  stored: StoredRecord,
  expires: number,
): Draft | undefined {
  const record = stored.decode();
  if (!record) return undefined;
  const used = stored.expires - record.span;
  return {
    ...record,
    lifetime: [expires],
    span: Math.max(0, expires - used),
    entries: encodeRecordEntries(record),
    expires,
  };
}

/** The mark of a note that the id was replaced. */
export const REPLACED = ">";

/**
 * Returns a record if it is a session and has not expired by today's settings. Reports one that has expired. Decoding can
 * show that later.
 *
 * @param cookie The lifetime of the session's cookie, or `null`.
 */
export function alive(
  stored: StoredRecord | undefined,
  { policy, checksLifetime }: Pick<Records, "policy" | "checksLifetime">,
  cookie: StoredLifetime,
): StoredRecord | undefined {
  if (!stored || stored.mark) return undefined;
  const { id, expires } = stored;
  const now = policy.now();
  if (!isAhead(expires, now)) {
    policy.report("expired", { id });
    return undefined;
  }
  const terms = checksLifetime
    ? policy.terms(cookie)
    : { timeouts: policy.timeouts, lifetime: null };
  const decode = () => policy.accept(stored.decode(), expires, terms, now, id);
  return { ...stored, decode };
}
