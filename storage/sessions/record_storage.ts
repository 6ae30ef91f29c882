/**
 * Sessions kept under an id, somewhere else than in the cookie: reading, saving, destroying, sliding.
 *
 * @module
 */
import type { Changes } from "../../core/changes.ts";
import type { Origin, SessionState } from "../../core/session_state.ts";
import { createSession, type Session, stateOf } from "../../core/session.ts";
import { type Owners, ownersOf } from "./owners.ts";
import { follow, inTurn, type Policy, requireState } from "./policy.ts";
import { findAlive, type RecordStore, type Stored } from "./records.ts";
import { Save } from "./save.ts";
import type {
  DestroySessionsOptions,
  ListSessionsOptions,
  OwnedSession,
  OwnerIndex,
  SaveOptions,
  SessionStorage,
  StorageGuarantees,
} from "../contract.ts";

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
    checkSlidable(store, policy);
    this.guarantees = store.guarantees;
    this.#store = store;
    this.#policy = policy;
    this.#owners = ownersOf(store, policy);
    follow(this, policy);
    const { sweep, close } = store;
    if (sweep) {
      this.sweep = () =>
        policy.patiently("sweep", () => sweep.call(store, policy.instant()));
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
    const stored = await findAlive(this.#policy, find);
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
    const { regenerated, id } = state;
    state.regenerated = false;
    // From here on it may be stored, even if the save fails.
    state.know(id);
    try {
      return await this.#write(state, changes, regenerated, options);
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

  /** Gives the id, and `null` where the session has ended meanwhile. */
  async #write(
    state: SessionState,
    changes: Changes,
    regenerated: boolean,
    options: SaveOptions | undefined,
  ): Promise<string | null> {
    const known = this.#known(state);
    const foreign = this.#foreign(state);
    const home = { store: this.#store, policy: this.#policy };
    const outcome = await new Save(home, this.#owners, {
      id: state.id,
      known,
      foreign,
      // What another storage has read is nothing that this one knows of.
      base: known || foreign ? state.base : undefined,
      changes,
      regenerated,
      keepOld: state.keepOld,
      options,
    }).run();
    if (outcome === "late") {
      this.#policy.tell("late-save");
      return null;
    }
    if (outcome === "over") {
      state.end();
      return await this.#destroy(state);
    }
    const { written, merged } = outcome;
    this.#policy.tell(state.origin ? "committed" : "created");
    state.committed(this.#origin(written), changes, merged);
    return written.id;
  }

  async #destroy(state: SessionState): Promise<string> {
    const store = this.#store;
    const foreign = this.#foreign(state)?.id;
    const known = this.#known(state);
    for (const id of state.knownIds) {
      if (id !== foreign && !store.accepts(id)) continue;
      await this.#policy.engine("destroy", async () => {
        if (known?.id === id) await store.end(known);
        else await store.remove(id);
      });
    }
    const owner = known && state.base?.owned?.owner;
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

/**
 * Refuses an idle timeout where a request that only reads might put an old state in the place of a newer one.
 *
 * @throws {TypeError} If it might.
 */
function checkSlidable(
  { guarantees, engine }: RecordStore,
  { timeouts }: Policy,
): void {
  if (timeouts.idleTimeout === undefined || engine?.touch) return;
  if (guarantees.compareAndSet || guarantees.reads === "strong") return;
  throw new TypeError(
    "Cannot create storage: idleTimeout needs an engine that reads strongly, can compare and set, or has touch(); leave it out, and give the cookie a maxAge",
  );
}
