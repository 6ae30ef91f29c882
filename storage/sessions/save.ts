/**
 * One save of a session that is kept under an id: merging, retrying, moving to a new id.
 *
 * @module
 */
import { type Changes, merge } from "../../core/changes.ts";
import { deadline, isAhead } from "../../core/lifetime.ts";
import type { SessionRecord } from "../../core/record.ts";
import type { Owners } from "./owners.ts";
import { MAX_ATTEMPTS } from "./policy.ts";
import { type Draft, findAlive, type Home, type Stored } from "./records.ts";
import type { SaveOptions } from "../contract.ts";

/** What is to be saved. */
export interface Intent {
  /** The id that the session is to have. */
  readonly id: string;
  /** What the store held when the session was read; `undefined` for a new one. */
  readonly known: Stored | undefined;
  /** What the home held that the store takes sessions over from. */
  readonly foreign: Stored | undefined;
  /** `known` or `foreign`, decoded. */
  readonly base: SessionRecord | undefined;
  readonly changes: Changes;
  /** Whether the id is a new one, in place of that of `known`. */
  readonly regenerated: boolean;
  /** Whether the old record outlives the new id. */
  readonly keepOld: boolean;
  readonly options: SaveOptions | undefined;
}

/** What was saved. */
export interface Saved {
  readonly written: Stored;
  /** Whether it holds other requests' changes too. */
  readonly merged: boolean;
}

/** What a save comes to: `late` where it found its session gone, `over` where the lifetime given ends at once. */
export type Outcome = Saved | "late" | "over";

/** A save that is under way. */
export class Save {
  readonly #home: Home;
  readonly #owners: Owners | undefined;
  readonly #intent: Intent;
  readonly #now: number;
  /** The record that the changes go on top of. */
  #source: Stored | undefined;
  /** The record that is replaced: another than the source only while the session moves to a new id. */
  #target: Stored | undefined;
  /** Whether the source is newer than what the request has read. */
  #merged = false;

  constructor(home: Home, owners: Owners | undefined, intent: Intent) {
    this.#home = home;
    this.#owners = owners;
    this.#intent = intent;
    this.#now = home.policy.instant();
  }

  /**
   * Saves.
   *
   * @throws {SessionError} If the engine fails (`store-failed`), the record is too large (`too-large`), or others keep
   * getting in between (`conflict`).
   */
  async run(): Promise<Outcome> {
    if (!await this.#begin()) return "late";
    for (let attempt = 1;; attempt++) {
      const outcome = await this.#attempt();
      if (outcome !== "again") return outcome;
      if (attempt === MAX_ATTEMPTS && this.#intent.regenerated) {
        // A new id that nobody was told of must not leave a second record behind.
        await this.#remove(this.#target);
      }
      await this.#home.policy.giveWay("save session", attempt);
    }
  }

  /** Decides what the first attempt rests on; `false` where the session has ended. */
  async #begin(): Promise<boolean> {
    const { known, foreign, regenerated } = this.#intent;
    const { compareAndSet } = this.#home.store.guarantees;
    if (foreign && !isAhead(foreign.expires, this.#now)) return false;
    this.#source = known;
    // Without compare-and-set only a look can tell what other requests have left; and whether a session whose deadline
    // has passed since it was read has ended, or was used by others meanwhile.
    if (known && (!compareAndSet || !isAhead(known.expires, this.#now))) {
      if (!await this.#rebase(known.id)) return false;
    }
    this.#target = regenerated ? undefined : this.#source;
    return true;
  }

  /** Gives `again` where another request has got ahead. */
  async #attempt(): Promise<Outcome | "again"> {
    const { id, base, changes, regenerated, keepOld, options } = this.#intent;
    const { policy } = this.#home;
    const source = this.#source;
    const record = source && (this.#merged ? source.decode() : base);
    if (source && !record) return "late";
    const life = policy.renew(record ?? base, options, this.#now);
    const expires = deadline(life, policy.timeouts, this.#now);
    if (!isAhead(expires, this.#now)) return "over";
    const entries = record && this.#merged ? merge(record, changes) : changes;
    const owned = this.#owners?.ownedBy(entries, this.#now);
    const replaced = regenerated ? source : undefined;
    const passage = {
      id,
      replaced: replaced?.id,
      from: record?.owned?.owner,
      to: owned?.owner,
    };
    const list = await this.#owners?.enter(passage, expires);
    const written = await this.#put({ life, entries, expires, owned });
    if (!written) return await this.#overtaken(replaced);
    if (replaced && !await this.#retire(replaced)) {
      this.#target = written;
      if (await this.#rebase(replaced.id)) return "again";
      await this.#remove(written);
      return "late";
    }
    if (await this.#owners?.settle(passage, list, keepOld) === false) {
      await this.#remove(written);
      return "late";
    }
    return { written, merged: this.#merged };
  }

  async #put(draft: Draft): Promise<Stored | null> {
    const { id, foreign } = this.#intent;
    const { store, policy } = this.#home;
    const target = this.#target;
    return await policy.engine("save", async () => {
      if (target) return await store.replace(target, draft);
      return foreign && store.adopt
        ? await store.adopt(foreign, id, draft)
        : await store.create(id, draft);
    });
  }

  /** Goes on from what another request has saved first. */
  async #overtaken(
    replaced: Stored | undefined,
  ): Promise<"late" | "again"> {
    const { id, foreign } = this.#intent;
    if (foreign) return "late";
    if (replaced) {
      // An id of which no other request can know was written by an earlier save of this session, which failed after that.
      this.#target = await this.#load(id);
      return "again";
    }
    if (!await this.#rebase(id)) return "late";
    this.#target = this.#source;
    return "again";
  }

  /** Ends the old record of a session with a new id; `false` where another request has changed it, or ended it. */
  async #retire(old: Stored): Promise<boolean> {
    const { id, keepOld } = this.#intent;
    if (keepOld) return await this.#load(old.id) !== undefined;
    const { store, policy } = this.#home;
    const retire = () =>
      policy.engine("save", () => store.retire(old, id, this.#now));
    // Where the answer was lost, the old id may be over, and nobody knows the new one: it is asked for once more.
    return await retire().catch(retire);
  }

  /** Puts the changes on top of what is stored by now; `false` where there is nothing. */
  async #rebase(id: string): Promise<boolean> {
    this.#source = await this.#load(id);
    this.#merged = true;
    return this.#source !== undefined;
  }

  #load(id: string): Promise<Stored | undefined> {
    const { store, policy } = this.#home;
    return findAlive(policy, () => store.load(id));
  }

  async #remove(stored: Stored | undefined): Promise<void> {
    const { store, policy } = this.#home;
    if (stored) await policy.engine("destroy", () => store.remove(stored.id));
  }
}
