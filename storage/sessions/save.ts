/**
 * One save of a session that is kept under an id: merging, retrying, taking a new id.
 *
 * @module
 */
import { type Changes, merge } from "../../core/changes.ts";
import { deadline, isAhead } from "../../core/lifetime.ts";
import type { SessionRecord } from "../../core/record.ts";
import type { SaveOptions } from "../contract.ts";
import type { Owners } from "./owners.ts";
import { MAX_ATTEMPTS } from "./policy.ts";
import { alive, type Records, type StoredRecord } from "./records.ts";

/** What to save. */
export interface Intent {
  /** The session's id after the save. */
  readonly id: string;
  /** The record that the request has read; `undefined` for a new session. */
  readonly known: StoredRecord | undefined;
  /** The decoded `known`. */
  readonly base: SessionRecord | undefined;
  readonly changes: Changes;
  readonly options: SaveOptions | undefined;
}

/** The result of a save. */
export interface Saved {
  readonly written: StoredRecord;
  /** Whether it includes changes of other requests. */
  readonly merged: boolean;
}

/**
 * The outcome of a save: `late` if the session was revoked in the meantime, `expired` if its lifetime has already
 * ended.
 */
export type SaveOutcome = Saved | "late" | "expired";

/** Runs a save. */
export class Save {
  readonly #records: Records;
  readonly #owners: Owners | undefined;
  readonly #intent: Intent;
  readonly #now: number;
  /** The record to which the changes are applied. */
  #source: StoredRecord | undefined;
  /** The record to replace: the source, unless the session takes a new id. */
  #target: StoredRecord | undefined;
  /** Whether the source is newer than the record that the request has read. */
  #merged = false;

  constructor(records: Records, owners: Owners | undefined, intent: Intent) {
    this.#records = records;
    this.#owners = owners;
    this.#intent = intent;
    this.#now = records.policy.instant();
  }

  /**
   * Saves.
   *
   * @throws {SessionError} If the engine fails (`store-failed`), the record is too large (`too-large`), or other
   * requests keep changing the session (`conflict`).
   */
  async run(): Promise<SaveOutcome> {
    const { known, changes: { newId } } = this.#intent;
    this.#source = known;
    // Without compare-and-set, the record must be read again to see changes of other requests. If it has expired since
    // it was read, another request may have moved its deadline.
    const { compareAndSet } = this.#records.guarantees;
    if (known && (!compareAndSet || !isAhead(known.expires, this.#now))) {
      if (!await this.#rebase(known)) return "late";
    }
    this.#target = newId ? undefined : this.#source;
    for (let attempt = 1;; attempt++) {
      const outcome = await this.#attempt();
      if (outcome !== "again") return outcome;
      if (attempt === MAX_ATTEMPTS && newId) {
        // The new id was not sent to anybody, so its record must not stay.
        await this.#remove(this.#target);
      }
      await this.#records.policy.backOff("save session", attempt);
    }
  }

  /** Attempts the save; `again` if another request was faster. */
  async #attempt(): Promise<SaveOutcome | "again"> {
    const { id, base, changes, options } = this.#intent;
    const { policy } = this.#records;
    const source = this.#source;
    const record = source && (this.#merged ? source.decode() : base);
    if (source && !record) return "late";
    const life = policy.renew(record ?? base, options, this.#now);
    const expires = deadline(life, policy.timeouts, this.#now);
    if (!isAhead(expires, this.#now)) return "expired";
    const entries = record && this.#merged ? merge(record, changes) : changes;
    const owner = this.#owners?.ownerOf(entries);
    const replaced = changes.newId ? source : undefined;
    const save = {
      id,
      oldId: replaced?.id,
      oldOwner: record?.owner,
      owner,
    };
    const list = await this.#owners?.beginSave(save, expires);
    const draft = { ...life, entries, expires, owner, saved: this.#now };
    const written = this.#target
      ? await this.#records.replace(this.#target, draft)
      : await this.#records.create(id, draft);
    if (!written) return await this.#overtaken(replaced);
    if (replaced && !await this.#retire(replaced)) {
      this.#target = written;
      if (await this.#rebase(replaced)) return "again";
      await this.#remove(written);
      return "late";
    }
    const keepOld = changes.newId?.keepOld ?? false;
    if (await this.#owners?.finishSave(save, list, keepOld) === false) {
      await this.#remove(written);
      return "late";
    }
    return { written, merged: this.#merged };
  }

  /** Continues from the record that another request has saved first. */
  async #overtaken(
    replaced: StoredRecord | undefined,
  ): Promise<"late" | "again"> {
    const { id } = this.#intent;
    if (replaced) {
      // Only an earlier, failed save of this session can have written the new id.
      this.#target = await this.#load(id);
      return "again";
    }
    const newest = this.#source
      ? await this.#reload(this.#source)
      : await this.#load(id);
    this.#source = this.#target = newest;
    this.#merged = true;
    return newest ? "again" : "late";
  }

  /** Revokes the record under the old id; `false` if another request has changed or revoked it. */
  async #retire(old: StoredRecord): Promise<boolean> {
    const { id, changes } = this.#intent;
    if (changes.newId?.keepOld) return await this.#reload(old) !== undefined;
    const retire = () => this.#records.retire(old, id);
    // Repeat once: if the answer was lost, the old id may be revoked, and the visitor does not have the new one.
    return await retire().catch(retire);
  }

  /** Reads the newest record as the source; `false` if it does not exist. */
  async #rebase(stored: StoredRecord): Promise<boolean> {
    this.#source = await this.#reload(stored);
    this.#merged = true;
    return this.#source !== undefined;
  }

  async #load(id: string): Promise<StoredRecord | undefined> {
    return alive(await this.#records.load(id), this.#records.policy);
  }

  async #reload(stored: StoredRecord): Promise<StoredRecord | undefined> {
    return alive(await this.#records.reload(stored), this.#records.policy);
  }

  async #remove(stored: StoredRecord | undefined): Promise<void> {
    if (stored) await this.#records.remove(stored.id);
  }
}
