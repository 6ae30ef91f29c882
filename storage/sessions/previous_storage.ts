/**
 * The storage that sessions are moved from.
 *
 * @module
 */
import type { StoredLifetime } from "../../core/lifetime.ts";
import type { SessionRecord } from "../../core/record.ts";
import type {
  DestroySessionsOptions,
  ListSessionsOptions,
  OwnedSession,
} from "../contract.ts";
import type { BoundStorage } from "./bound_storage.ts";
import { CookieStorage } from "./cookie_storage.ts";
import type { Policy } from "./policy.ts";
import { alive, type Records, REPLACED, type StoredRecord } from "./records.ts";

/** A session in the previous storage. */
export interface PreviousRecord {
  readonly record: SessionRecord;
  readonly expires: number;
  /** Absent if the session came in a cookie. */
  readonly stored?: StoredRecord;
}

/** A note in the previous storage that an id was replaced. */
export interface PreviousNote extends StoredRecord {
  readonly previous: true;
}

/** Whether it is a note of the previous storage. */
export function isPreviousNote(found: object): found is PreviousNote {
  return "previous" in found;
}

/** How long, in milliseconds, running requests still find a session under its old id. */
const GRACE = 60_000;

// deno-lint-ignore no-explicit-any -- sessions of any shape
export type AnyStorage = BoundStorage<any, any>;

/** Reads and removes sessions of the previous storage. Failures are reported to its own `onEvent`. */
export class PreviousStorage {
  readonly storage: AnyStorage;
  readonly policy: Policy;
  /** Its records; `undefined` for a cookie storage. */
  readonly records: Records | undefined;
  /** Its sessions, for a cookie storage. */
  readonly cookies: CookieStorage<unknown, unknown> | undefined;
  /** Whether the new storage's cookie carries its ids, because it was created without a cookie. */
  readonly byValue: boolean;
  /** The lifetime of the cookie that carries its ids, or `null`. */
  readonly lifetime: StoredLifetime;

  /** @param cookie The lifetime of the new storage's cookie, or `null`. */
  constructor(
    storage: AnyStorage,
    kept: Records | CookieStorage<unknown, unknown>,
    cookie: StoredLifetime,
  ) {
    this.storage = storage;
    this.policy = kept.policy;
    const inCookies = kept instanceof CookieStorage;
    this.records = inCookies ? undefined : kept;
    this.cookies = inCookies ? kept : undefined;
    this.byValue = storage.byDefault;
    this.lifetime = this.byValue ? cookie : storage.lifetime;
  }

  /** Whether a removed record is gone at once, for every request. */
  get revokesAtOnce(): boolean {
    const { reads, revoke } = this.records?.guarantees ?? {};
    return reads === "strong" && revoke === true;
  }

  accepts(id: string): boolean {
    return this.records?.accepts(id) === true;
  }

  /** Reads the session under an id, or the note that the id was replaced. */
  async load(id: string): Promise<PreviousRecord | PreviousNote | undefined> {
    const { records } = this;
    if (!records?.accepts(id)) return undefined;
    const found = await records.load(id);
    if (found?.mark === REPLACED) return { ...found, previous: true };
    const stored = alive(found, records, this.lifetime);
    const record = stored?.decode();
    return stored && record && { record, expires: stored.expires, stored };
  }

  /** Revokes the session to which a note leads, if it has not moved. */
  async revoke(note: PreviousNote): Promise<void> {
    await this.records?.revoke(note);
  }

  /** Moves the deadline of a session that stays, as its own storage does after a read. */
  async use(stored: StoredRecord): Promise<StoredRecord> {
    const { policy, records } = this;
    const record = stored.decode();
    if (!record || !records) return stored;
    const terms = policy.terms(this.lifetime);
    const use = policy.nextUse(record, stored.expires, terms);
    if (!use?.slides) return stored;
    try {
      const { used, expires } = use;
      return await records.slide(stored, record, used, expires) ?? stored;
    } catch {
      // The failure was reported, and the request must not fail because of it.
      return stored;
    }
  }

  /** An owner's sessions; none if it was created without `owner`. */
  async listSessions(
    owner: string,
    options?: ListSessionsOptions,
  ): Promise<OwnedSession[]> {
    const { sessions } = this.storage;
    if (!this.policy.owner || !sessions.listSessions) return [];
    return await sessions.listSessions(owner, options, this.lifetime);
  }

  /** Revokes an owner's sessions, and returns how many; none if it was created without `owner`. */
  async destroySessions(
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number> {
    return this.policy.owner
      ? await this.storage.destroySessions(owner, options)
      : 0;
  }

  /** Removes a session; `false` if it is missing or another version is stored. */
  async forget({ stored }: PreviousRecord): Promise<boolean> {
    return !stored || await this.remove(stored.id, stored);
  }

  /** Removes the record under an id. With `stored`, only that version. */
  async remove(id: string, stored?: StoredRecord): Promise<boolean> {
    const { records } = this;
    return !records?.accepts(id) || await records.remove(id, stored);
  }

  /** Keeps a session under its old id for a short time, for requests that are running. */
  async shorten(stored: StoredRecord): Promise<void> {
    const soon = this.policy.instant() + GRACE;
    if (stored.expires > soon) await this.records?.shorten(stored, soon);
  }
}
