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

/** What is to be saved. */
export interface Intent {
  /** The id that the session is to have. */
  readonly id: string;
  /** What the request has read; `undefined` for a new session. */
  readonly known: StoredRecord | undefined;
  /** `known`, decoded. */
  readonly base: SessionRecord | undefined;
  readonly changes: Changes;
  readonly options: SaveOptions | undefined;
}

/** What was saved. */
export interface Saved {
  readonly written: StoredRecord;
  /** Whether it has other requests' changes too. */
  readonly merged: boolean;
}

/** The outcome of a save: `late` if the session was revoked meanwhile, `expired` if its lifetime ends at once. */
export type SaveOutcome = Saved | "late" | "expired";

/** A save that is running. */
export class Save {
  readonly #records: Records;
  readonly #owners: Owners | undefined;
  readonly #intent: Intent;
  readonly #now: number;
  /** The record to which the changes are applied. */
  #source: StoredRecord | undefined;
  /** The record that is replaced. It is the source, unless the session takes a new id. */
  #target: StoredRecord | undefined;
  /** Whether the source is newer than what the request has read. */
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
    // Without compare-and-set only a look at the record tells what other requests have stored. And a session that has
    // expired since it was read may have been used by others meanwhile.
    const { compareAndSet } = this.#records.guarantees;
    if (known && (!compareAndSet || !isAhead(known.expires, this.#now))) {
      if (!await this.#rebase(known)) return "late";
    }
    this.#target = newId ? undefined : this.#source;
    for (let attempt = 1;; attempt++) {
      const outcome = await this.#attempt();
      if (outcome !== "again") return outcome;
      if (attempt === MAX_ATTEMPTS && newId) {
        // A new id that nobody was told must not leave a second record.
        await this.#remove(this.#target);
      }
      await this.#records.policy.backOff("save session", attempt);
    }
  }

  /** Returns `again` if another request was faster. */
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
    const passage = {
      id,
      replaced: replaced?.id,
      from: record?.owner,
      to: owner,
    };
    const list = await this.#owners?.enter(passage, expires);
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
    if (await this.#owners?.settle(passage, list, keepOld) === false) {
      await this.#remove(written);
      return "late";
    }
    return { written, merged: this.#merged };
  }

  /** Continues from what another request has saved first. */
  async #overtaken(
    replaced: StoredRecord | undefined,
  ): Promise<"late" | "again"> {
    const { id } = this.#intent;
    if (replaced) {
      // No other request can know the id: an earlier save of this session wrote it, and failed after that.
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
    // If the answer was lost, the old id may be revoked and nobody knows the new one: ask once more.
    return await retire().catch(retire);
  }

  /** Applies the changes to what is stored by now; `false` if there is nothing. */
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
