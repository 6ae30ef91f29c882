/**
 * Sessions kept under an id, somewhere else than in the cookie: reading, merging, retrying, regenerating, sliding.
 *
 * @module
 */
import { delay } from "../core/_runtime.ts";
import type { Changes, Origin, SessionState } from "../core/_state.ts";
import { SessionError } from "../core/errors.ts";
import { deadline, isAhead, type Life } from "../core/lifetime.ts";
import {
  encodeTexts,
  type EntryTexts,
  type SessionRecord,
} from "../core/record.ts";
import { createSession, type Session, stateOf } from "../core/session.ts";
import { follow, inTurn, type Policy, requireState } from "./_policy.ts";
import type {
  SaveOptions,
  SessionStorage,
  StorageGuarantees,
} from "./contract.ts";

/** A record in its place. */
export interface Stored {
  readonly id: string;
  readonly version: unknown;
  /** The instant at which the place lets go of it, in milliseconds. */
  readonly expires: number;
  /** Decodes the record, afresh each time; `undefined` where it is corrupt. */
  readonly decode: () => SessionRecord | undefined;
}

/** What is to be written. */
export interface Draft {
  readonly life: Life;
  readonly entries: EntryTexts;
  /** The instant from which the record is over, in milliseconds. */
  readonly expires: number;
}

/** A place for records: an engine behind the backend contract, or a database behind four functions. */
export interface RecordStore {
  readonly guarantees: StorageGuarantees;
  /** Whether the store may have minted the id. What it did not mint is never looked up. */
  accepts(id: string): boolean;
  load(id: string): Promise<Stored | null>;
  /** Writes a new record; `null` where the id is taken. The store may choose another id. */
  create(id: string, draft: Draft): Promise<Stored | null>;
  /** Replaces a record; `null` where another version is stored. */
  replace(stored: Stored, draft: Draft): Promise<Stored | null>;
  /** Removes what is stored under the id, or only the version given; `false` where that is another. */
  remove(id: string, stored?: Stored): Promise<boolean>;
  /** Moves the deadline of an unchanged record; `null` where another version is stored. */
  touch(stored: Stored, expires: number): Promise<Stored | null>;
  sweep?(now: number): Promise<void>;
  close?(): Promise<void>;
}

/** Each attempt after the first means that another writer got ahead; dozens on one session get through. */
const MAX_ATTEMPTS = 50;
const MAX_DELAY = 40;

/** Makes a session storage of a place for records. */
export function createRecordStorage<Data, FlashData>(
  store: RecordStore,
  policy: Policy,
): SessionStorage<Data, FlashData> {
  return new RecordStorage<Data, FlashData>(store, policy);
}

class RecordStorage<Data, FlashData>
  implements SessionStorage<Data, FlashData> {
  readonly guarantees: StorageGuarantees;
  readonly #store: RecordStore;
  readonly #policy: Policy;
  /** There only where the store has something to sweep or to close. */
  readonly sweep?: () => Promise<void>;
  readonly close?: () => Promise<void>;

  constructor(store: RecordStore, policy: Policy) {
    this.guarantees = store.guarantees;
    this.#store = store;
    this.#policy = policy;
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
    const session = createSession<Data, FlashData>();
    if (value === null) return session;
    if (typeof value !== "string" || !this.#store.accepts(value)) {
      this.#policy.tell("rejected-cookie");
      return session;
    }
    const stored = await this.#load(value);
    const state = stateOf(session);
    if (!stored || !state) return session;
    state.attach(this.#origin(stored));
    await this.#slide(state, stored);
    return session;
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
    const known = this.#known(state) !== undefined;
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

    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const record = source && (merged ? source.decode() : state.base);
      if (source && !record) return this.#late();
      const life = this.#policy.renew(record, options, now);
      const expires = deadline(life, this.#policy.timeouts, now);
      if (!isAhead(expires, now)) return OVER;
      const entries = record && merged ? merge(record, changes) : changes;
      const draft = { life, entries, expires };
      const place = target;
      const written = await this.#policy.engine(
        "save",
        () => place ? store.replace(place, draft) : store.create(id, draft),
      );
      if (written && (!regenerated || !source)) {
        return this.#committed(state, written, changes, merged);
      }
      if (!written) {
        // Another request has saved first. An id of which no other request can know was written by an earlier save of
        // this session, which failed after that.
        target = await this.#load(id);
        if (!regenerated || !source) {
          if (!target) return this.#late();
          source = target;
          merged = true;
        }
      } else if (source) {
        target = written;
        if (await this.#retire(source, state.keepOld)) {
          return this.#committed(state, written, changes, merged);
        }
        source = await this.#load(source.id);
        if (!source) {
          await this.#remove(written.id);
          return this.#late();
        }
        merged = true;
      }
      this.#policy.tell("conflict");
      // Whoever comes back from waiting finds another request at it already, and loses; the attempt after that begins
      // with everybody else's.
      if (attempt % 2 === 0) {
        await delay(Math.random() * Math.min(MAX_DELAY, 2 ** attempt));
      }
    }
    // A new id that nobody was told of must not leave a second record behind.
    if (regenerated && target) await this.#remove(target.id);
    throw new SessionError(
      "conflict",
      `Cannot save session: other requests saved it first, ${MAX_ATTEMPTS} times in a row`,
    );
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
    for (const id of state.knownIds) {
      if (this.#store.accepts(id)) await this.#remove(id);
    }
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

  async #load(id: string): Promise<Stored | undefined> {
    const now = this.#policy.now();
    const stored = await this.#policy.engine(
      "read",
      () => this.#store.load(id),
    );
    if (!stored) return undefined;
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

  #origin(stored: Stored): RecordOrigin {
    const decode = this.#policy.guard(stored.decode);
    return { ...stored, home: this, decode };
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
