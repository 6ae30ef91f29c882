/**
 * Sessions that are kept as records under an id.
 *
 * @module
 */
import { lifetimeOf } from "../../core/lifetime.ts";
import { Session } from "../../core/session.ts";
import type { SessionState } from "../../core/session_state.ts";
import type {
  DestroySessionsOptions,
  ListSessionsOptions,
  OwnedSession,
  SaveOptions,
  SessionLike,
  StorageGuarantees,
} from "../contract.ts";
import { type Owners, ownersOf } from "./owners.ts";
import type { Policy } from "./policy.ts";
import { alive, type Records, type StoredRecord } from "./records.ts";
import { Save } from "./save.ts";
import {
  type Carried,
  NO_COOKIE,
  requireState,
  type Sessions,
  valuesOf,
} from "./sessions.ts";
import { inTurn } from "./turns.ts";

/**
 * Finds the record of a request's session. A read-through storage uses it to also search the previous storage.
 *
 * @param own Finds the record by the cookie's value.
 */
export type Finder = (
  carried: Carried,
  own: () => Promise<StoredRecord | undefined>,
) => Promise<StoredRecord | undefined>;

/** Keeps sessions in records. */
export class RecordStorage<Data, FlashData>
  implements Sessions<Data, FlashData> {
  readonly guarantees: StorageGuarantees;
  readonly records: Records;
  readonly now: () => number;
  readonly sweep?: () => Promise<void>;
  readonly close?: () => Promise<void>;
  readonly #policy: Policy;
  readonly #owners: Owners | undefined;
  readonly #finder: Finder | undefined;

  /** @throws {TypeError} If the records do not support `owner` or `idleTimeout`, and it is set. */
  constructor(records: Records, finder?: Finder) {
    const { policy } = records;
    checkSlidable(records);
    this.guarantees = records.guarantees;
    this.records = records;
    this.now = policy.now;
    this.#policy = policy;
    this.#owners = ownersOf(records);
    this.#finder = finder;
    if (records.sweep) this.sweep = records.sweep;
    if (records.close) this.close = records.close;
  }

  async read(carried: Carried): Promise<Session<Data, FlashData>> {
    const session = new Session<Data, FlashData>();
    // Most visitors of most sites do not have a session.
    if (carried === NO_COOKIE) return session;
    const stored = this.#finder
      ? await this.#finder(carried, () => this.#find(carried))
      : await this.#find(carried);
    if (!stored) return session;
    const state = requireState(session);
    if (carried.text !== undefined || carried.next || this.#finder) {
      stored.carried = carried;
    }
    state.attach(stored, this);
    const next = this.#policy.nextDeadline(state, stored.expires);
    if (next !== undefined) await this.#slide(state, stored, next);
    return session;
  }

  async save(
    session: SessionLike,
    options?: SaveOptions,
  ): Promise<string | null> {
    const state = requireState(session);
    if (state.blank) return null;
    return await inTurn(state, () => this.#save(state, options));
  }

  reportLate(): void {
    this.#policy.report("late-save");
  }

  async listSessions(
    owner: string,
    options?: ListSessionsOptions,
  ): Promise<OwnedSession<Data>[]> {
    const sessions = await this.#requireOwners("list").list(owner, options);
    return sessions as OwnedSession<Data>[];
  }

  async destroySessions(
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number> {
    return await this.#requireOwners("destroy").destroy(owner, options);
  }

  #requireOwners(verb: string): Owners {
    if (this.#owners) return this.#owners;
    throw new TypeError(
      `Cannot ${verb} an owner's sessions: the storage was created without owner; add the option owner`,
    );
  }

  /** Finds the first live record by the cookies' values. */
  async #find(carried: Carried): Promise<StoredRecord | undefined> {
    if (carried.value === null && !carried.rejected) return undefined;
    let accepted = false;
    for (let at: Carried | undefined = carried; at; at = at.next) {
      const { value, next } = at;
      if (typeof value !== "string" || !this.records.accepts(value)) continue;
      accepted = true;
      const stored = alive(await this.records.load(value), this.#policy);
      // Decoding shows whether the record is corrupt or has expired. Without another cookie, that can wait.
      if (stored && (!next || stored.decode())) return stored;
    }
    if (!accepted) this.#policy.report("rejected-cookie");
    return undefined;
  }

  /** Moves the idle deadline after a read. Reading counts as use, even if the request does not save. */
  async #slide(
    state: SessionState,
    stored: StoredRecord,
    next: number,
  ): Promise<void> {
    try {
      const touched = await this.records.touch(stored, next);
      if (!touched) return;
      touched.carried = stored.carried;
      state.attach(touched, this);
    } catch {
      // The failure was reported, and the request must not fail because of it.
    }
  }

  async #save(
    state: SessionState,
    options: SaveOptions | undefined,
  ): Promise<string | null> {
    if (state.destroyed) return await this.#destroy(state);
    const policy = this.#policy;
    const known = state.originIn(this) as StoredRecord | undefined;
    if (!policy.needsSave(state, known !== undefined, options, known?.unsent)) {
      return null;
    }
    const { id } = state;
    if (!known && !this.records.accepts(id)) {
      throw new TypeError(
        "Cannot save session: its id is not one that this storage makes; create the session without an id",
      );
    }
    const wasStored = state.stored;
    const otherIds = this.#otherIds(state);
    const changes = state.takeChanges(this);
    // From here on the id may be stored, even if the save fails.
    state.know(id);
    try {
      const outcome = await new Save(this.records, this.#owners, {
        id,
        known,
        // A record of another storage is not a base for this one.
        base: known && state.record,
        changes,
        options: withMaxAge(options, changes.maxAge),
      }).run();
      if (outcome === "late") {
        policy.report("late-save");
        return null;
      }
      if (outcome === "expired") {
        state.end();
        return await this.#destroy(state);
      }
      const { written, merged } = outcome;
      policy.report(wasStored ? "committed" : "created");
      written.carried = known?.carried;
      state.committed(written, this, changes, merged);
      if (changes.newId && !changes.newId.keepOld) {
        await this.#endOthers(otherIds, known, [...state.knownIds]);
      }
      return written.id;
    } catch (error) {
      state.restore(changes);
      throw error;
    }
  }

  /** Ends the sessions of the request's other cookies, which the browser may send in front of the new one. */
  async #endOthers(
    others: readonly string[],
    known: StoredRecord | undefined,
    own: readonly string[],
  ): Promise<void> {
    const ends = others.map((id) => () => this.records.remove(id));
    for (const end of [...ends, () => this.#endPrevious(known, own)]) {
      try {
        await end();
      } catch {
        // The failure was reported, and the new id is already stored.
      }
    }
  }

  async #endPrevious(
    known: StoredRecord | undefined,
    own: readonly string[],
  ): Promise<void> {
    if (!known?.carried) return;
    await this.records.endPrevious?.(known.carried, own);
  }

  /** The ids in the other cookies of the session's request. */
  #otherIds(state: SessionState): string[] {
    const known = state.originIn(this) as StoredRecord | undefined;
    if (!known?.carried?.next) return [];
    return valuesOf(known.carried).filter((value): value is string =>
      typeof value === "string" && value !== known.id &&
      this.records.accepts(value)
    );
  }

  async #destroy(state: SessionState): Promise<string> {
    const { records } = this;
    const known = state.originIn(this) as StoredRecord | undefined;
    const ids = [...state.knownIds, ...this.#otherIds(state)];
    for (const id of ids) {
      if (known?.id === id) await records.revoke(known);
      else if (records.accepts(id)) await records.remove(id);
    }
    await this.#endPrevious(known, ids);
    const owner = known && state.record?.owner;
    if (owner !== undefined) await this.#owners?.unlist(owner, ids);
    this.#policy.report("destroyed");
    return "";
  }
}

/** The options of a save. If they do not set a lifetime, the one that the request set is added. */
export function withMaxAge(
  options: SaveOptions | undefined,
  maxAge: number | undefined,
): SaveOptions | undefined {
  return maxAge === undefined || lifetimeOf(options) !== null
    ? options
    : { ...options, maxAge };
}

/**
 * Checks that the engine supports `idleTimeout`: moving a deadline must not overwrite a newer record.
 *
 * @throws {TypeError} If it does not.
 */
function checkSlidable({ guarantees, engine, policy }: Records): void {
  if (policy.timeouts.idleTimeout === undefined || engine?.touch) return;
  if (guarantees.compareAndSet || guarantees.reads === "strong") return;
  throw new TypeError(
    "Cannot create storage: idleTimeout requires an engine with compareAndSet, strong reads or touch(); leave it out, and give the cookie a maxAge",
  );
}
