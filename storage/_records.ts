/**
 * Sessions kept under an id, somewhere else than in the cookie: reading, merging, retrying, regenerating, sliding.
 *
 * @module
 */
import type { Changes, Origin, SessionState } from "../core/_state.ts";
import { deadline, isAhead, type Life } from "../core/lifetime.ts";
import {
  encodeTexts,
  type EntryTexts,
  type Owned,
  type SessionRecord,
} from "../core/record.ts";
import { createSession, type Session, stateOf } from "../core/session.ts";
import { type Owners, ownersOf } from "./_owners.ts";
import {
  follow,
  inTurn,
  MAX_ATTEMPTS,
  type Policy,
  requireState,
} from "./_policy.ts";
import type {
  Backend,
  DestroySessionsOptions,
  ListSessionsOptions,
  OwnedSession,
  OwnerIndex,
  SaveOptions,
  SessionStorage,
  StorageGuarantees,
} from "./contract.ts";

/** What a record is that is no session yet, or none any more: see `_moving.ts`. */
export type Stage = "copied" | "checked" | "moved";

/** A record in its place. */
export interface Stored {
  readonly id: string;
  readonly version: unknown;
  /** The instant at which the place lets go of it, in milliseconds. */
  readonly expires: number;
  /** Decodes the record, afresh each time; `undefined` where it is corrupt. */
  readonly decode: () => SessionRecord | undefined;
  /** There only while the record is no session. */
  readonly stage?: Stage;
  /** Whether it is in the home that a store takes sessions over from, and stays there until it is saved. */
  readonly foreign?: boolean;
}

/** What is to be written. */
export interface Draft {
  readonly life: Life;
  readonly entries: EntryTexts;
  /** The instant from which the record is over, in milliseconds. */
  readonly expires: number;
  /** Whose the session is. */
  readonly owned?: Owned | undefined;
  readonly stage?: Stage | undefined;
}

/** A place for records: an engine behind the backend contract, or a database behind four functions. */
export interface RecordStore {
  readonly guarantees: StorageGuarantees;
  /** The engine, where the store is one behind the backend contract, with the hash of an id for its key. */
  readonly backend?: Backend;
  /** Whether the store may have minted the id. What it did not mint is never looked up. */
  accepts(id: string): boolean;
  load(id: string): Promise<Stored | null>;
  /** Writes a new record; `null` where the id is taken. The store may choose another id. */
  create(id: string, draft: Draft): Promise<Stored | null>;
  /** Writes a new record in place of a foreign one; `null` where that is gone. */
  adopt?(foreign: Stored, id: string, draft: Draft): Promise<Stored | null>;
  /** Replaces a record; `null` where another version is stored. */
  replace(stored: Stored, draft: Draft): Promise<Stored | null>;
  /** Removes what is stored under the id, or only the version given; `false` where that is another. */
  remove(id: string, stored?: Stored): Promise<boolean>;
  /** Moves the deadline of an unchanged record; `null` where another version is stored. */
  touch(stored: Stored, expires: number): Promise<Stored | null>;
  sweep?(now: number): Promise<void>;
  close?(): Promise<void>;
}

/** Makes a session storage of a place for records. */
export function createRecordStorage<Data, FlashData>(
  store: RecordStore,
  policy: Policy,
): RecordStorage<Data, FlashData> {
  return new RecordStorage<Data, FlashData>(store, policy);
}

/** Keeps sessions in a store. */
export class RecordStorage<Data, FlashData>
  implements SessionStorage<Data, FlashData>, OwnerIndex<Data> {
  readonly guarantees: StorageGuarantees;
  readonly #store: RecordStore;
  readonly #policy: Policy;
  readonly #owners: Owners | undefined;
  /** There only where the store has something to sweep or to close. */
  readonly sweep?: () => Promise<void>;
  readonly close?: () => Promise<void>;

  constructor(store: RecordStore, policy: Policy) {
    this.guarantees = store.guarantees;
    this.#store = store;
    this.#policy = policy;
    this.#owners = ownersOf(store, policy);
    follow(this, policy);
    const { sweep, close } = store;
    if (sweep) {
      this.sweep = () =>
        policy.engine("sweep", () => sweep.call(store, policy.instant()));
    }
    if (close) {
      this.close = () => policy.engine("close", () => close.call(store));
    }
  }

  async read(value: string | null): Promise<Session<Data, FlashData>> {
    if (value === null) return createSession<Data, FlashData>();
    if (typeof value !== "string" || !this.#store.accepts(value)) {
      this.#policy.tell("rejected-cookie");
      return createSession<Data, FlashData>();
    }
    return await this.open(value, () => this.#store.load(value));
  }

  /**
   * The session of the record that `find` finds in the store, or a new one.
   *
   * @param sent What the visitor's cookie carries.
   */
  async open(
    sent: unknown,
    find: () => Promise<Stored | null>,
  ): Promise<Session<Data, FlashData>> {
    const session = createSession<Data, FlashData>();
    const stored = await this.#find(find);
    const state = stateOf(session);
    if (!stored || !state) return session;
    state.attach(this.#origin(stored));
    state.unsent = !stored.foreign && stored.id !== sent;
    await this.#slide(state, stored);
    return session;
  }

  /** The store of a storage that keeps its sessions in one. */
  static storeOf(storage: object): RecordStore | undefined {
    return #store in storage ? storage.#store : undefined;
  }

  async save(
    session: Session<Data, FlashData>,
    options?: SaveOptions,
  ): Promise<string | null> {
    const state = requireState(session);
    if (state.blank) return null;
    return await inTurn(
      state,
      options,
      (options) => this.#save(state, options),
    );
  }

  async #save(
    state: SessionState,
    options: SaveOptions | undefined,
  ): Promise<string | null> {
    if (state.destroyed) return await this.#destroy(state);
    const known = (this.#known(state) ?? this.#foreign(state)) !== undefined;
    if (!this.#policy.asksToSave(state, known, options)) {
      return null;
    }
    if (!known && !this.#store.accepts(state.id)) {
      throw new TypeError(
        "Cannot save session: its id is not one that this storage could have made; leave it out",
      );
    }
    const changes = state.takeChanges(this);
    const { regenerated } = state;
    state.regenerated = false;
    try {
      const saved = await this.#write(state, changes, regenerated, options);
      if (saved !== OVER) return saved;
      state.end();
      return await this.#destroy(state);
    } catch (error) {
      state.restore(changes);
      state.regenerated ||= regenerated;
      throw error;
    }
  }

  async listSessions(
    owner: string,
    options?: ListSessionsOptions,
  ): Promise<OwnedSession<Data>[]> {
    const sessions = await this.#mustKnowOwners("list").list(owner, options);
    return sessions as OwnedSession<Data>[];
  }

  async destroySessions(
    owner: string,
    options?: DestroySessionsOptions,
  ): Promise<number> {
    return await this.#mustKnowOwners("destroy").destroy(owner, options);
  }

  #mustKnowOwners(verb: string): Owners {
    if (this.#owners) return this.#owners;
    throw new TypeError(
      `Cannot ${verb} an owner's sessions: create the storage with owner, which tells whose a session is`,
    );
  }

  /** Gives the id, `null` where the session is gone, and `OVER` where the lifetime given ends at once. */
  async #write(
    state: SessionState,
    changes: Changes,
    regenerated: boolean,
    options: SaveOptions | undefined,
  ): Promise<string | null | typeof OVER> {
    const store = this.#store;
    const now = this.#policy.instant();
    const id = state.id;
    const known = this.#known(state);
    const foreign = this.#foreign(state);
    if (foreign && !isAhead(foreign.expires, now)) return this.#late();
    // The record that the changes go on top of, and the one that is replaced: two only while an id is regenerated.
    let source: Stored | undefined = known;
    let merged = false;
    // Without compare-and-set only a look can tell what other requests have left; and whether a session whose deadline
    // has passed since it was read has ended, or was used by others meanwhile.
    if (
      known &&
      (!store.guarantees.compareAndSet || !isAhead(known.expires, now))
    ) {
      source = await this.#load(known.id);
      if (!source) return this.#late();
      merged = true;
    }
    let target = regenerated ? undefined : source;

    for (let attempt = 1;; attempt++) {
      const record = source && (merged ? source.decode() : state.base);
      if (source && !record) return this.#late();
      const life = this.#policy.renew(
        foreign ? state.base : record,
        options,
        now,
      );
      const expires = deadline(life, this.#policy.timeouts, now);
      if (!isAhead(expires, now)) return OVER;
      const entries = record && merged ? merge(record, changes) : changes;
      const owned = this.#owners?.ownedBy(entries, now);
      const replaced = regenerated ? source : undefined;
      const passage = {
        id,
        replaced: replaced?.id,
        from: record?.owned?.owner,
        to: owned?.owner,
      };
      const list = await this.#owners?.enter(passage, expires);
      const draft = { life, entries, expires, owned };
      const place = target;
      const written = await this.#policy.engine(
        "save",
        async () =>
          place
            ? await store.replace(place, draft)
            : foreign && store.adopt
            ? await store.adopt(foreign, id, draft)
            : await store.create(id, draft),
      );
      if (!written && foreign) return this.#late();
      const conclude = async (written: Stored) => {
        if (
          await this.#owners?.settle(passage, list, state.keepOld) === false
        ) {
          await this.#remove(written.id);
          return this.#late();
        }
        return this.#committed(state, written, changes, merged);
      };
      if (written && !replaced) return await conclude(written);
      if (!written) {
        // Another request has saved first. An id of which no other request can know was written by an earlier save of
        // this session, which failed after that.
        target = await this.#load(id);
        if (!replaced) {
          if (!target) return this.#late();
          source = target;
          merged = true;
        }
      } else if (replaced) {
        target = written;
        if (await this.#retire(replaced, state.keepOld)) {
          return await conclude(written);
        }
        source = await this.#load(replaced.id);
        if (!source) {
          await this.#remove(written.id);
          return this.#late();
        }
        merged = true;
      }
      if (attempt === MAX_ATTEMPTS && regenerated && target) {
        // A new id that nobody was told of must not leave a second record behind.
        await this.#remove(target.id);
      }
      await this.#policy.giveWay("save session", attempt);
    }
  }

  /** Ends the old record of a regenerated session, unless another request changed it meanwhile. */
  async #retire(old: Stored, keep: boolean): Promise<boolean> {
    if (keep) return await this.#load(old.id) !== undefined;
    return await this.#policy.engine(
      "save",
      () => this.#store.remove(old.id, old),
    );
  }

  async #remove(id: string): Promise<void> {
    await this.#policy.engine("destroy", () => this.#store.remove(id));
  }

  async #destroy(state: SessionState): Promise<string> {
    const foreign = this.#foreign(state)?.id;
    for (const id of state.knownIds) {
      if (id === foreign || this.#store.accepts(id)) await this.#remove(id);
    }
    const owner = this.#known(state) && state.base?.owned?.owner;
    if (owner !== undefined) await this.#owners?.leave(owner, state.knownIds);
    this.#policy.tell("destroyed");
    return "";
  }

  /** Moves the idle deadline of a session that was read: reading is use, whether or not the request saves. */
  async #slide(state: SessionState, stored: Stored): Promise<void> {
    const next = this.#policy.slide(() => state.base, stored.expires);
    if (next === undefined) return;
    try {
      const touched = await this.#policy.engine(
        "touch",
        () => this.#store.touch(stored, next),
      );
      if (touched) state.origin = this.#origin(touched);
    } catch {
      // The request has read its session; that its deadline did not move has been told, and is no reason to fail it.
    }
  }

  #load(id: string): Promise<Stored | undefined> {
    return this.#find(() => this.#store.load(id));
  }

  async #find(
    find: () => Promise<Stored | null>,
  ): Promise<Stored | undefined> {
    const now = this.#policy.now();
    const stored = await this.#policy.engine("read", find);
    if (!stored || stored.stage) return undefined;
    if (isAhead(stored.expires, now)) return stored;
    this.#policy.tell("expired");
    return undefined;
  }

  #committed(
    state: SessionState,
    written: Stored,
    changes: Changes,
    merged: boolean,
  ): string {
    this.#policy.tell(state.origin ? "committed" : "created");
    state.committed(this.#origin(written), changes, merged);
    return written.id;
  }

  #late(): null {
    this.#policy.tell("late-save");
    return null;
  }

  /** What this storage knows of a session; a session of another storage is new to it. */
  #known(state: SessionState): RecordOrigin | undefined {
    return state.origin?.home === this
      ? state.origin as RecordOrigin
      : undefined;
  }

  /** What the store has found in the home that it takes sessions over from. */
  #foreign(state: SessionState): RecordOrigin | undefined {
    return state.origin?.home === this.#store
      ? state.origin as RecordOrigin
      : undefined;
  }

  #origin(stored: Stored): RecordOrigin {
    const decode = this.#policy.guard(stored.decode);
    const home = stored.foreign ? this.#store : this;
    return { ...stored, home, decode };
  }
}

type RecordOrigin = Origin & Stored;

/** What a save comes to whose lifetime ends at once. */
const OVER = Symbol("over");

/** The newest record's entries with this request's changes on top. */
function merge(newest: SessionRecord, changes: Changes): EntryTexts {
  const values = encodeTexts(Object.entries(newest.values));
  for (const [key, isSet] of changes.valueOps) {
    const text = changes.values.get(key);
    if (isSet && text !== undefined) values.set(key, text);
    else values.delete(key);
  }
  const flashes = encodeTexts(Object.entries(newest.flashes));
  for (const [key, text] of changes.taken) {
    // A flash that another request has set since is not the one that was read.
    if (flashes.get(key) === text) flashes.delete(key);
  }
  for (const key of changes.flashed) {
    const text = changes.flashes.get(key);
    if (text !== undefined) flashes.set(key, text);
  }
  return { values, flashes };
}
