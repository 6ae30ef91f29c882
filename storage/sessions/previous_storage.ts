/**
 * Where sessions come from that move to another store.
 *
 * @module
 */
import type { SessionRecord } from "../../core/record.ts";
import type { Policy } from "./policy.ts";
import { findAlive, type RecordStore, type Stored } from "./records.ts";

/** A session as the old home has it. */
export interface Old {
  readonly record: SessionRecord;
  readonly expires: number;
  /** Absent where it came in a cookie. */
  readonly stored?: Stored;
}

/** What an old home is made of. */
export interface OldHomeParts {
  /** Left out, its sessions come in a cookie. */
  readonly store: RecordStore | undefined;
  readonly policy: Policy;
  /** Whether an id may be looked up that came in the new home's cookie. */
  readonly byValue: boolean;
  readonly sweep?: (() => Promise<void>) | undefined;
  readonly close?: (() => Promise<void>) | undefined;
}

/** For how long, in milliseconds, requests that are under way still find a session that has another id now. */
const GRACE = 60_000;

/** The old home. Its failures are told to whoever watches it. */
export class OldHome {
  readonly store: RecordStore | undefined;
  readonly byValue: boolean;
  readonly sweep: (() => Promise<void>) | undefined;
  readonly close: (() => Promise<void>) | undefined;
  readonly #policy: Policy;

  constructor({ store, policy, byValue, sweep, close }: OldHomeParts) {
    this.store = store;
    this.#policy = policy;
    this.byValue = byValue;
    this.sweep = sweep;
    this.close = close;
  }

  /** Whether what is removed here is gone at once, for everybody. */
  get forgets(): boolean {
    const { reads, revoke } = this.store?.guarantees ?? {};
    return reads === "strong" && revoke === true;
  }

  accepts(id: string): boolean {
    return this.store?.accepts(id) === true;
  }

  async load(id: string): Promise<Old | undefined> {
    const { store } = this;
    if (!store?.accepts(id)) return undefined;
    const stored = await findAlive(this.#policy, () => store.load(id));
    const record = stored && this.#policy.guard(stored.decode)();
    return record && { record, expires: stored.expires, stored };
  }

  /** Removes a session; `false` where another version is there, or none. */
  async forget({ stored }: Old): Promise<boolean> {
    return !stored || await this.remove(stored.id, stored);
  }

  /** Removes what is under an id, or only the version given. */
  async remove(id: string, stored?: Stored): Promise<boolean> {
    const { store } = this;
    if (!store?.accepts(id)) return true;
    return await this.#policy.engine("destroy", () => store.remove(id, stored));
  }

  async touch(stored: Stored, expires: number): Promise<Stored | null> {
    return await this.store?.touch(stored, expires) ?? null;
  }

  /** Leaves a session that has another id now to requests that are under way. */
  async shorten({ stored }: Old): Promise<void> {
    const { store } = this;
    const soon = this.#policy.instant() + GRACE;
    if (!store || !stored || stored.expires <= soon) return;
    await this.#policy.engine("touch", () => store.touch(stored, soon));
  }
}
