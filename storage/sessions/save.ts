/**
 * One save of a session that is kept under an id: merging, retrying, taking a new id.
 *
 * @module
 */
import { after, type Awaitable, isThenable } from "../../core/awaitable.ts";
import { type Changes, merge } from "../../core/changes.ts";
import { isAhead, lifetimeOf } from "../../core/lifetime.ts";
import type { Draft, SessionRecord } from "../../core/record.ts";
import type { SaveOptions } from "../contract.ts";
import type { Owners, Owning } from "./owners.ts";
import { MAX_ATTEMPTS } from "./engine_policy.ts";
import { alive, type Records, REPLACED, type StoredRecord } from "./records.ts";
import type { Shared } from "./turns.ts";

/** What to save. */
export interface Intent {
  /** The session's id after the save. */
  readonly id: string;
  /** Whether the session did not make the id for itself, so that another session may have it. */
  readonly given: boolean;
  /** Whether an earlier save may have stored the session under this id. */
  readonly again: boolean;
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
  /** Whether the cookie's own lifetime must be renewed. */
  readonly sends: boolean;
}

/**
 * The outcome of a save: `late` if the session was revoked in the meantime, `expired` if there is nothing to store,
 * because its lifetime has already ended, or it begins anew and is empty.
 */
export type SaveOutcome = Saved | "late" | "expired";

/** What to write. */
interface Plan {
  readonly draft: Draft;
  /** As in {@linkcode Saved}. */
  readonly sends: boolean;
  /** The owner of the record to which the changes are applied. */
  readonly oldOwner: string | undefined;
}

/** The outcome if another request has changed the owner, so that the save must begin anew. */
const UNLISTED = "unlisted";

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
  /** The plan for the source, once it was made. */
  #planned: Awaitable<Plan | "late" | "expired"> | undefined;
  /** The plan that the owners know of. */
  #begun: Plan | undefined;

  constructor(records: Records, owners: Owners | undefined, intent: Intent) {
    this.#records = records;
    this.#owners = owners;
    this.#intent = intent;
    this.#now = records.policy.instant();
    this.#source = intent.known;
  }

  /**
   * Saves.
   *
   * @throws {SessionError} If the engine fails (`store-failed`), the record is too large (`too-large`), or other
   * requests keep changing the session (`conflict`).
   * @throws {TypeError} If the session is new, and its id is that of a stored session.
   */
  run(): Awaitable<SaveOutcome> {
    const { known, changes: { newId, kept } } = this.#intent;
    const rereads = newId?.restart
      ? kept === "all" || kept.size > 0
      : known && !isAhead(known.expires, this.#now);
    return known && rereads ? this.#runOnNewest(known) : this.#save();
  }

  /**
   * Values that stay when a session begins anew are those of the newest record, while it is there. Another session has
   * expired since it was read, unless another request has moved its deadline.
   */
  async #runOnNewest(known: StoredRecord): Promise<SaveOutcome> {
    const newest = await this.#reload(known);
    if (newest || !this.#intent.changes.newId?.restart) this.#rebase(newest);
    return this.#source ? await this.#save() : "late";
  }

  #save(): Awaitable<SaveOutcome> {
    return this.#owners ? this.#saveOwned(this.#owners) : after(
      this.#write(),
      (outcome) => outcome === UNLISTED ? this.#save() : outcome,
    );
  }

  async #saveOwned(owners: Owners): Promise<SaveOutcome> {
    for (;;) {
      const plan = await this.#plan();
      if (typeof plan === "string") return plan;
      const owning = await this.#begin(owners, plan);
      const outcome = await this.#write();
      if (outcome === UNLISTED) continue;
      if (typeof outcome === "string") return outcome;
      const keepOld = this.#intent.changes.newId?.keepOld ?? false;
      if (await owners.finishSave(owning, keepOld)) return outcome;
      const { written } = outcome;
      if (await this.#remove(written)) return "late";
      // If another request has saved the session since, or moved it, and was told so, it stays, and is listed.
      const newest = await this.#records.reload(written);
      return newest?.mark === REPLACED || this.#alive(newest)
        ? outcome
        : "late";
    }
  }

  /** Writes the session in its turn. */
  #write(): Awaitable<SaveOutcome | typeof UNLISTED> {
    const { known, changes: { newId } } = this.#intent;
    if (!known) return this.#update({ turn: 0 });
    return this.#records.policy.turn<
      SaveOutcome | typeof UNLISTED,
      StoredRecord
    >(
      "save session",
      known.id,
      (shared) => newId ? this.#takeNewId(shared) : this.#update(shared),
    );
  }

  /** What to write, as far as is known now. */
  #plan(): Awaitable<Plan | "late" | "expired"> {
    return this.#planned ??= this.#makePlan();
  }

  #makePlan(): Awaitable<Plan | "late" | "expired"> {
    const { base, known, changes, options } = this.#intent;
    const { policy } = this.#records;
    const source = this.#source;
    const record = this.#merged ? source?.decode() : base;
    if (known && !record) return "late";
    const stored = record && source &&
      { record, expires: source.expires };
    const life = policy.renew(this.#now, stored, options, changes);
    if (!isAhead(life.expires, this.#now)) return "expired";
    const { newId, kept } = changes;
    const restarts = newId?.restart !== undefined;
    const keeps = kept === "all" || kept.size > 0;
    const whole = record && (restarts ? keeps : this.#merged)
      ? merge(record, changes)
      : changes;
    // A session that begins anew with nothing in it is not stored.
    if (restarts && whole.values.size + whole.flashes.size === 0) {
      return "expired";
    }
    const owner = this.#owners
      ? this.#owners.ownerOf(whole)
      : restarts
      ? undefined
      : record?.owner;
    return after(owner, (owner) => {
      const draft = {
        created: life.created,
        saved: life.saved,
        lifetime: life.lifetime,
        span: life.span,
        authenticated: life.authenticated,
        expires: life.expires,
        entries: whole,
        owner,
      };
      return { draft, sends: life.sends, oldOwner: record?.owner };
    });
  }

  async #begin(owners: Owners, plan: Plan): Promise<Owning> {
    const { id, known, changes } = this.#intent;
    const { draft: { owner, expires }, oldOwner } = plan;
    const oldId = changes.newId ? known?.id : undefined;
    this.#begun = plan;
    return await owners.beginSave({ id, oldId, oldOwner, owner }, expires);
  }

  /** Whether the owners know of a plan. */
  #isBegun({ draft, oldOwner }: Plan): boolean {
    const begun = this.#begun;
    return !this.#owners ||
      begun?.draft.owner === draft.owner && begun?.oldOwner === oldOwner;
  }

  /** Writes the session under its id. */
  #update(
    shared: Shared<StoredRecord>,
  ): Awaitable<SaveOutcome | typeof UNLISTED> {
    const { known } = this.#intent;
    const ready = known ? this.#refresh(known, shared) : this.#mustBeFree();
    return after(ready, () => this.#tryUpdate(shared, 1));
  }

  #tryUpdate(
    shared: Shared<StoredRecord>,
    attempt: number,
  ): Awaitable<SaveOutcome | typeof UNLISTED> {
    const { known, id } = this.#intent;
    const source = this.#target = this.#source;
    if (known && !source) return "late";
    return after(this.#plan(), (plan) => {
      if (typeof plan === "string") return plan;
      if (!this.#isBegun(plan)) return UNLISTED;
      const writing = source
        ? this.#records.replace(source, plan.draft)
        : this.#records.create(id, plan.draft);
      // A save that was done at once left no turn to wait for. If this process has made one since the read, this one
      // finds it here, and nobody else was faster.
      const isStale = source && attempt === 1 && !isThenable(writing);
      return after(writing, (written) => {
        shared.newest = written;
        if (written) return this.#saved(written, plan);
        if (!isStale) return this.#updateAgain(shared, attempt);
        return after(this.#reload(source), (newest) => {
          this.#rebase(newest);
          return this.#tryUpdate(shared, attempt + 1);
        });
      });
    });
  }

  /** Another process has changed the record. */
  async #updateAgain(
    shared: Shared<StoredRecord>,
    attempt: number,
  ): Promise<SaveOutcome | typeof UNLISTED> {
    this.#rebase(
      this.#source ? await this.#reload(this.#source) : await this.#findOwn(),
    );
    if (!this.#source) return "late";
    const { id } = this.#intent;
    await this.#records.policy.backOff("save session", attempt, { id });
    return await this.#tryUpdate(shared, attempt + 1);
  }

  /** Makes the newest record the source, if the request's own cannot be the newest, or need not be. */
  #refresh(
    known: StoredRecord,
    { turn, newest }: Shared<StoredRecord>,
  ): Awaitable<void> {
    const { compareAndSet } = this.#records.guarantees;
    // Without compare-and-set, a write does not show whether other requests have changed the record.
    if (turn === 0 && compareAndSet) return;
    return after(
      newest && compareAndSet ? this.#alive(newest) : this.#reload(known),
      (newest) => this.#rebase(newest),
    );
  }

  /**
   * Without compare-and-set, a new record would replace that of a stored session.
   *
   * @throws {TypeError} If it would.
   */
  #mustBeFree(): Awaitable<void> {
    const { id, given } = this.#intent;
    const { engine, guarantees } = this.#records;
    if (!given || !engine || guarantees.compareAndSet) return;
    return after(this.#records.load(id), (found) => {
      if (found) throw idTaken();
    });
  }

  /** The record under the id of a new session, which an earlier save has written. */
  async #findOwn(): Promise<StoredRecord | undefined> {
    const { id, given, again } = this.#intent;
    if (given || !again) throw idTaken();
    return this.#alive(await this.#records.load(id));
  }

  /** Writes the session under its new id and ends the old record: in one step, or in this order. */
  async #takeNewId(
    shared: Shared<StoredRecord>,
  ): Promise<SaveOutcome | typeof UNLISTED> {
    const { id, again, known, changes: { newId, kept } } = this.#intent;
    const old = known as StoredRecord;
    const records = this.#records;
    const restarts = newId?.restart !== undefined;
    const keeps = kept === "all" || kept.size > 0;
    if (again && !restarts) {
      const earlier = this.#alive(await records.load(id));
      const newest = await records.reload(old);
      if (records.leadsTo(newest, id)) {
        // An earlier save failed after the old id was replaced. The session may have been revoked since.
        this.#rebase(earlier);
        return await this.#update({ turn: 0 });
      }
      this.#target = earlier;
      this.#rebase(this.#alive(newest));
      if (!this.#source) return await this.#giveUp("late");
    }
    if (!restarts) {
      await this.#refresh(old, shared);
      if (!this.#source) return await this.#giveUp("late");
    }
    shared.newest = undefined;
    for (let attempt = 1;; attempt++) {
      const plan = await this.#plan();
      if (typeof plan === "string") return await this.#giveUp(plan);
      if (!this.#isBegun(plan)) {
        await this.#giveUp("late");
        return UNLISTED;
      }
      if (attempt === 1 && !this.#target && records.move) {
        const moved = await this.#move(plan);
        if (moved) return moved;
      }
      const written = this.#target
        ? await records.replace(this.#target, plan.draft)
        : await records.create(id, plan.draft);
      if (!written) {
        // Only an earlier save of this session can have written the new id. If it is gone, the session was revoked.
        const had = this.#target !== undefined;
        this.#target = this.#alive(await records.load(id));
        if (had && !this.#target) return "late";
        await records.policy.backOff("save session", attempt, { id });
        continue;
      }
      this.#target = written;
      const last = attempt === MAX_ATTEMPTS || !keeps;
      const ended = restarts && last
        ? await this.#supersede(old)
        : await this.#retire(restarts);
      if (ended) return this.#saved(written, plan);
      const newest = await this.#reload(this.#source ?? old);
      if (restarts) {
        if (!newest) {
          // It is gone already. What the request read stays.
          await this.#supersede(old);
          return this.#saved(written, plan);
        }
      } else if (!newest || attempt === MAX_ATTEMPTS) {
        // The new id was not sent to anybody, so its record must not stay.
        await this.#giveUp("late");
        if (!newest) return "late";
      }
      this.#rebase(newest);
      await records.policy.backOff("save session", attempt, { id: old.id });
    }
  }

  /** Takes the new id in one step; `undefined` if that is not possible, or another request was faster. */
  async #move(plan: Plan): Promise<SaveOutcome | undefined> {
    const { id, changes: { newId } } = this.#intent;
    const old = this.#source as StoredRecord;
    if (!newId || newId.keepOld) return undefined;
    const restarts = newId.restart !== undefined;
    const nextId = restarts ? undefined : id;
    const moved = await this.#records.move?.(old, nextId, id, plan.draft);
    if (moved !== "failed") return moved && this.#saved(moved, plan);
    // A login that begins anew goes on by single steps, however far it came.
    return restarts ? undefined : await this.#afterMove(old, plan);
  }

  /**
   * Finds out whether a move that failed has happened, and prevents that it still does. Otherwise the single steps could
   * bring a session back that was revoked after the move.
   */
  async #afterMove(
    old: StoredRecord,
    plan: Plan,
  ): Promise<SaveOutcome | undefined> {
    const { id } = this.#intent;
    const records = this.#records;
    const renewed = await records.rewrite?.(old);
    if (renewed) {
      this.#source = renewed;
      return undefined;
    }
    if (!records.leadsTo(await records.reload(old), id)) return undefined;
    const moved = this.#alive(await records.load(id));
    return moved ? this.#saved(moved, plan) : "late";
  }

  /** Revokes the old record; `false` if another request has changed or revoked it. */
  async #retire(restarts: boolean): Promise<boolean> {
    const { id, changes } = this.#intent;
    const old = this.#source as StoredRecord;
    if (changes.newId?.keepOld) return await this.#reload(old) !== undefined;
    const retire = () => this.#records.retire(old, restarts ? undefined : id);
    // Repeat once: if the answer was lost, the old id may be revoked, and the visitor does not have the new one.
    return await this.#orGiveUp(() => retire().catch(retire), restarts);
  }

  /** Revokes the old record, whatever its version. */
  async #supersede(old: StoredRecord): Promise<true> {
    const supersede = () => this.#records.supersede(old);
    await this.#orGiveUp(() => supersede().catch(supersede), true);
    return true;
  }

  /** Removes the new record again if the old one could not be ended. */
  async #orGiveUp<T>(end: () => Promise<T>, removes: boolean): Promise<T> {
    try {
      return await end();
    } catch (error) {
      if (removes) await this.#giveUp("late").catch(() => {});
      throw error;
    }
  }

  async #giveUp<T>(outcome: T): Promise<T> {
    if (this.#target) await this.#remove(this.#target);
    this.#target = undefined;
    return outcome;
  }

  #saved(written: StoredRecord, { sends }: Plan): Saved {
    return { written, merged: this.#merged, sends };
  }

  /** Makes the newest record the source. */
  #rebase(newest: StoredRecord | undefined): void {
    this.#source = newest;
    this.#merged = true;
    this.#planned = undefined;
  }

  #alive(stored: StoredRecord | undefined): StoredRecord | undefined {
    const cookie = lifetimeOf(this.#intent.options?.defaultLifetime);
    return alive(stored, this.#records, cookie);
  }

  #reload(stored: StoredRecord): Awaitable<StoredRecord | undefined> {
    return after(this.#records.reload(stored), (found) => this.#alive(found));
  }

  /** Removes the version that this save has written. */
  async #remove(stored: StoredRecord): Promise<boolean> {
    return await this.#records.remove(stored.id, stored);
  }
}

function idTaken(): TypeError {
  return new TypeError(
    "Cannot save session: its id is that of a stored session; create the session without an id, or read it from the storage",
  );
}
