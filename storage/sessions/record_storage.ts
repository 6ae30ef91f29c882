/**
 * Sessions that are kept as records under an id.
 *
 * @module
 */
import { after, attempt, type Awaitable } from "../../core/awaitable.ts";
import {
  isAhead,
  lifetimeOf,
  type StoredLifetime,
} from "../../core/lifetime.ts";
import { encodeRecordEntries } from "../../core/record.ts";
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
import type { EnginePolicy } from "./engine_policy.ts";
import type { Use } from "./policy.ts";
import {
  alive,
  type Records,
  REPLACED,
  type Search,
  type StoredRecord,
} from "./records.ts";
import { Save, type SaveOutcome } from "./save.ts";
import {
  type Carried,
  NO_COOKIE,
  requireState,
  type Sessions,
  valuesOf,
} from "./sessions.ts";
import { inTurn } from "./turns.ts";

/** Keeps sessions in records. */
export class RecordStorage<Data, FlashData>
  implements Sessions<Data, FlashData> {
  readonly guarantees: StorageGuarantees;
  readonly records: Records;
  readonly now: () => number;
  readonly sweep?: () => Promise<number | undefined>;
  readonly close?: () => Promise<void>;
  readonly #policy: EnginePolicy;
  readonly #owners: Owners | undefined;

  /** @throws {TypeError} If the records do not support `owner`, `idleTimeout` or `rolling`, and it is set. */
  constructor(records: Records) {
    const { policy } = records;
    checkSlidable(records);
    this.guarantees = records.guarantees;
    this.records = records;
    this.now = policy.now;
    this.#policy = policy;
    this.#owners = ownersOf(records);
    if (records.sweep) this.sweep = records.sweep;
    if (records.close) this.close = records.close;
  }

  read(carried: Carried): Awaitable<Session<Data, FlashData>> {
    const session = new Session<Data, FlashData>();
    const state = requireState(session);
    state.keepTime(this.now);
    // Most visitors of most sites do not have a session.
    if (carried === NO_COOKIE) return session;
    return after(this.#find(carried, state), (stored) => {
      if (!stored) return session;
      if (isMultiple(carried) || this.records.find) stored.carried = carried;
      state.attach(stored, this);
      const used = this.#policy.schema
        ? this.#show(state, stored, carried)
        : this.#use(state, stored, carried);
      return used ? used.then(() => session) : session;
    });
  }

  /** Shows the session as the schema converts it. One that does not fit is not used. */
  async #show(
    state: SessionState,
    stored: StoredRecord,
    carried: Carried,
  ): Promise<void> {
    const fits = await this.#policy.schema?.show(state, { id: stored.id });
    if (fits) await this.#use(state, stored, carried);
  }

  /** Moves the deadline of the session that was read, if its use is to be written. */
  #use(
    state: SessionState,
    stored: StoredRecord,
    carried: Carried,
  ): Promise<void> | undefined {
    const terms = this.#policy.terms(carried.lifetime ?? null);
    const life = stored.life?.() ?? state.record;
    const use = this.#policy.nextUse(life, stored.expires, terms);
    return use && this.#slide(state, stored, use);
  }

  save(
    session: SessionLike,
    options?: SaveOptions,
  ): Awaitable<string | null> {
    const state = requireState(session);
    if (state.blank) return null;
    return inTurn(state, () => this.#save(state, options));
  }

  reportLate(session: SessionLike): void {
    const known = this.#knownTo(requireState(session));
    this.#policy.report("late-save", { id: known?.id });
  }

  async listSessions(
    owner: string,
    options: ListSessionsOptions | undefined,
    cookie: StoredLifetime,
  ): Promise<OwnedSession<Data>[]> {
    const owners = this.#requireOwners("list");
    const sessions = await owners.list(owner, options, cookie);
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

  /** Finds the record of a request's session. Without one, keeps the note that its id was replaced. */
  #find(
    carried: Carried,
    state: SessionState,
  ): Awaitable<StoredRecord | undefined> {
    const { records } = this;
    const search = this.#search(carried);
    const found = records.find?.(carried, search) ?? search.own();
    return after(found, (stored) => {
      if (stored) return stored;
      if (!records.find) search.report();
      const [note] = search.notes;
      if (note) state.replacedBy(note, this);
      return undefined;
    });
  }

  #search(carried: Carried): Search {
    const { lifetime = null, signed = false } = carried;
    const notes: StoredRecord[] = [];
    let missing: string | undefined;
    let accepted = false;
    const from = (at: Carried | undefined): Awaitable<
      StoredRecord | undefined
    > => {
      if (!at) return undefined;
      const { value, next, outdated } = at;
      if (typeof value !== "string" || !this.records.accepts(value)) {
        return from(next);
      }
      accepted = true;
      return after(this.records.load(value), (found) => {
        if (!found) missing ??= value;
        if (found?.mark === REPLACED && isAhead(found.expires, this.now())) {
          notes.push(found);
        }
        const stored = alive(found, this.records, lifetime);
        // Decoding shows whether the record is corrupt or has expired. Without another cookie, that can wait.
        const record = next && stored?.decode();
        if (!stored || next && !record) return from(next);
        if (outdated) stored.unsent = true;
        const { schema } = this.#policy;
        return record && schema
          ? schema.shown(record, { id: value })
            .then((shown) => shown ? stored : from(next))
          : stored;
      });
    };
    const own = () => from(carried);
    const report = () => {
      if (carried.value === null && !carried.rejected) return;
      if (!accepted) this.#policy.report("rejected-cookie");
      else if (missing !== undefined) {
        this.#policy.report("missing", { id: missing, signed });
      }
    };
    return { own, notes, report };
  }

  /** Moves the deadline after a read. Reading counts as use, even if the request does not save. */
  async #slide(
    state: SessionState,
    stored: StoredRecord,
    { used, expires, slides }: Use,
  ): Promise<void> {
    const { record } = state;
    const { engine, guarantees } = this.records;
    // Without compare-and-set, rewriting the record could undo a newer one. Longer settings then apply from the next
    // save.
    const rewrites = !engine || guarantees.compareAndSet;
    if (!record || !slides && !rewrites) return;
    try {
      const slid = await this.records.slide(stored, record, used, expires);
      if (!slid) return;
      // Without instants, it was not known how long the browser still keeps the cookie.
      const unsent = stored.unsent || record.undated;
      this.#attach(state, { ...stored, unsent }, slid);
    } catch {
      // The failure was reported, and the request must not fail because of it.
    }
  }

  /** Attaches the record that replaced the one that was read, with what is known of the request. */
  #attach(
    state: SessionState,
    read: StoredRecord,
    written: StoredRecord,
  ): void {
    written.carried = read.carried;
    written.unsent = read.unsent;
    state.attach(written, this);
  }

  #save(
    state: SessionState,
    options: SaveOptions | undefined,
  ): Awaitable<string | null> {
    if (state.destroyed) return this.#destroy(state);
    const policy = this.#policy;
    const note = state.noteIn(this) as StoredRecord | undefined;
    if (note && !state.restarts) {
      // The id was just replaced: what this request sets must not come in the way of the new session.
      if (state.dirty) policy.report("late-save", { id: note.id });
      return null;
    }
    const known = state.originIn(this) as StoredRecord | undefined;
    if (policy.needsSave(state, known !== undefined, options)) {
      return this.#write(state, options, known, note);
    }
    if (!known) return null;
    const newer = this.#unsetsNewer(state, known, options);
    return after(
      newer,
      (newer) =>
        newer
          ? this.#write(state, options, known, note)
          : this.#renew(state, known, options),
    );
  }

  /**
   * Writes a session.
   *
   * @param known The record that the request has read.
   * @param note The note that the request's id was replaced.
   */
  #write(
    state: SessionState,
    options: SaveOptions | undefined,
    known: StoredRecord | undefined,
    note: StoredRecord | undefined,
  ): Awaitable<string | null> {
    const policy = this.#policy;
    const { id } = state;
    if (!known && !this.records.accepts(id)) {
      throw new TypeError(
        "Cannot save session: its id is not one that this storage makes; create the session without an id",
      );
    }
    const wasStored = state.stored;
    const otherIds = this.#otherIds(state);
    const base = known && state.record;
    const changes = state.takeChanges(this);
    const { newId } = changes;
    const save = new Save(this.records, this.#owners, {
      id,
      given: !state.minted(id),
      again: state.tried(id),
      known,
      // A record of another storage is not a base for this one.
      base,
      changes,
      options: withMaxAge(options, changes.maxAge),
    });
    const finish = (outcome: SaveOutcome): Awaitable<string | null> => {
      if (outcome === "late") {
        policy.report("late-save", { id: known?.id });
        return null;
      }
      if (outcome === "expired") {
        state.end();
        return this.#destroy(state);
      }
      const { written, merged, sends } = outcome;
      policy.report(wasStored ? "committed" : "created", { id: written.id });
      written.carried = known?.carried;
      written.sends ||= sends || known?.unsent === true ||
        written.id !== known?.id;
      const misfit = state.misfitIn(this) as StoredRecord | undefined;
      state.committed(written, this, changes, merged);
      const replaces = newId !== undefined && !newId.keepOld;
      const end = async (): Promise<string> => {
        // Only as it was read: a server of another release may have saved it.
        if (misfit) {
          await this.#quietly(() => this.records.remove(misfit.id, misfit));
        }
        if (replaces) {
          // A login that began under a replaced id leaves nothing of the session that it was replaced by.
          if (note) await this.#quietly(() => this.records.revoke(note));
          await this.#endOthers(otherIds, known, [...state.knownIds]);
        }
        return written.id;
      };
      return misfit || replaces ? end() : written.id;
    };
    return attempt(() => after(save.run(), finish), (error) => {
      state.restore(changes);
      throw error;
    });
  }

  /** Whether the request unset a key that another request has set, or revoked, since the session was read. */
  #unsetsNewer(
    state: SessionState,
    known: StoredRecord,
    options: SaveOptions | undefined,
  ): Awaitable<boolean> {
    const keys = state.unsetUnread;
    if (keys.length === 0) return false;
    const cookie = lifetimeOf(options?.defaultLifetime);
    return after(this.records.reload(known), (reloaded) => {
      const newest = alive(reloaded, this.records, cookie)?.decode();
      return newest === undefined ||
        keys.some((key) =>
          Object.hasOwn(newest.values, key) ||
          Object.hasOwn(newest.flashes, key)
        );
    });
  }

  /**
   * Renews an unchanged session: its cookie is an older one, or its lifetime counts from its last use. Only if the
   * visitor sees the answer, and no other request has changed the session since it was read.
   */
  #renew(
    state: SessionState,
    known: StoredRecord,
    options: SaveOptions | undefined,
  ): Awaitable<string | null> {
    const cookie = lifetimeOf(options?.defaultLifetime);
    const due = known.unsent || this.#policy.mustRoll(state, cookie);
    return state.seen && due
      ? this.#renewNow(state, known, options, cookie)
      : null;
  }

  async #renewNow(
    state: SessionState,
    known: StoredRecord,
    options: SaveOptions | undefined,
    cookie: StoredLifetime,
  ): Promise<string | null> {
    try {
      // Without compare-and-set, the record must be read again to see changes of other requests.
      const { compareAndSet } = this.records.guarantees;
      const from = compareAndSet
        ? known
        : alive(await this.records.reload(known), this.records, cookie);
      const record = from?.decode();
      if (!from || !record || !isAhead(from.expires, this.#policy.now())) {
        return null;
      }
      const { expires } = from;
      const { sends, ...life } = this.#policy.renew(
        this.#policy.instant(),
        { record, expires },
        { ...options, renew: true },
        { newId: undefined, maxAge: undefined },
      );
      const entries = encodeRecordEntries(record);
      const draft = { ...life, entries, owner: record.owner };
      const written = await this.records.replace(from, draft);
      if (!written) return null;
      written.carried = known.carried;
      written.sends = sends || known.unsent === true;
      state.attach(written, this);
      return written.id;
    } catch {
      // The failure was reported, and the next request renews it.
      return null;
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
      await this.#quietly(end);
    }
  }

  /** Ends a session after the new id was stored. The failure is reported, and the save does not fail because of it. */
  async #quietly(end: () => unknown): Promise<void> {
    try {
      await end();
    } catch {
      // It was reported.
    }
  }

  async #endPrevious(
    known: StoredRecord | undefined,
    own?: readonly string[],
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

  /** The record that the request has read, or the note that its id was replaced. */
  #knownTo(state: SessionState): StoredRecord | undefined {
    const known = state.originIn(this) ?? state.noteIn(this);
    return known as StoredRecord | undefined;
  }

  async #destroy(state: SessionState): Promise<string> {
    const { records } = this;
    const known = this.#knownTo(state);
    const ids = [
      ...new Set([
        ...state.knownIds,
        ...known ? [known.id] : [],
        ...this.#otherIds(state),
      ]),
    ];
    for (const id of ids) {
      if (known?.id === id) await records.revoke(known);
      else if (records.accepts(id)) await records.remove(id);
    }
    await this.#endPrevious(known);
    const owner = known && state.record?.owner;
    if (owner !== undefined) await this.#owners?.unlist(owner, ids);
    this.#policy.report("destroyed", { id: known?.id ?? ids[0] });
    return "";
  }
}

/** Whether the end or a save of the session may need to know the request's cookies. */
function isMultiple({ text, next }: Carried): boolean {
  return text !== undefined || next !== undefined;
}

/** The options of a save. If they do not set a lifetime, the one that the request set is added. */
export function withMaxAge(
  options: SaveOptions | undefined,
  maxAge: number | null | undefined,
): SaveOptions | undefined {
  return typeof maxAge !== "number" || lifetimeOf(options) !== null
    ? options
    : { ...options, maxAge };
}

/**
 * Checks that the engine supports `idleTimeout` and `rolling`: moving a deadline must not overwrite a newer record.
 *
 * @throws {TypeError} If it does not.
 */
function checkSlidable({ guarantees, engine, policy }: Records): void {
  if (guarantees.compareAndSet || guarantees.reads === "strong") return;
  const { idleTimeout, rolling } = policy.timeouts;
  if (rolling) {
    throw new TypeError(
      "Cannot create storage: rolling requires an engine with compareAndSet or strong reads; leave it out, and give the cookie a longer maxAge",
    );
  }
  if (idleTimeout === undefined || engine?.touch) return;
  throw new TypeError(
    "Cannot create storage: idleTimeout requires an engine with compareAndSet, strong reads or touch(); leave it out, and give the cookie a maxAge",
  );
}
