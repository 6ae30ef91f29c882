/**
 * Moves sessions from one store to another, each when it is asked for.
 *
 * Where the old home forgets at once what is deleted, a session keeps its id. Its copy passes through two stages in
 * which nobody is given it: `copied`, after which the old record is looked at once more, for it may have ended between
 * reading and copying; and `checked`, in which the old record is removed. Only then does the copy become a session. So
 * nothing is left of a session in use that could come back, and whoever finds a copy whose maker has died carries on.
 *
 * Where the old home does not forget (a cookie, an eventual store), or where its ids are of another shape, a session
 * gets a new id, and the new home keeps a note that the old one has `moved`: the old id then leads to that session, or,
 * once that has ended, to none.
 *
 * Where that cannot be, because the new home has no compare-and-set and makes its own ids, or because what is in a cookie
 * has no id, a session stays where it is until a request changes it; the save creates it in the new home.
 *
 * @module
 */
import type { Origin } from "../../core/session_state.ts";
import { SessionError } from "../../core/errors.ts";
import { hashId } from "../../core/keys.ts";
import { deadline, endOf, isAhead, LAST_INSTANT } from "../../core/lifetime.ts";
import {
  encodeTexts,
  type EntryTexts,
  type SessionRecord,
} from "../../core/record.ts";
import { mintId } from "../../core/session.ts";
import type { Old, OldHome } from "./previous_storage.ts";
import { type Owners, ownersOf } from "./owners.ts";
import type { Policy } from "./policy.ts";
import type { Draft, Home, RecordStore, Stored } from "./records.ts";
import type { Engine, SaveOptions, StorageGuarantees } from "../contract.ts";

/**
 * For how long, in milliseconds, a note stays that an id from a cookie has moved. Not until that cookie's deadline: another
 * of the same id may have a later one, and would bring back what has ended. Browsers keep none longer than this.
 */
const NOTE_LIFETIME = 400 * 24 * 60 * 60 * 1000;

/** What an attempt comes to that another request has overtaken. */
const AGAIN = Symbol("again");

type Outcome = Stored | null | typeof AGAIN;

/** The new home, which takes sessions over from the old one. */
export class MovingStore implements RecordStore {
  readonly guarantees: StorageGuarantees;
  readonly engine?: Engine;
  readonly sweep?: (now: number) => Promise<void>;
  readonly close?: () => Promise<void>;
  readonly #to: RecordStore;
  readonly #from: OldHome;
  readonly #policy: Policy;
  readonly #owners: Owners | undefined;
  readonly #lasting: SaveOptions | undefined;

  /** @param lasting The lifetime of a session from a home that does not know of any. */
  constructor(
    { store, policy }: Home,
    from: OldHome,
    lasting: SaveOptions | undefined,
  ) {
    this.guarantees = store.guarantees;
    if (store.engine) this.engine = store.engine;
    this.#to = store;
    this.#from = from;
    this.#policy = policy;
    this.#owners = ownersOf(store, policy);
    this.#lasting = lasting;
    if (store.sweep || from.sweep) {
      this.sweep = (now) => both(() => store.sweep?.(now), from.sweep);
    }
    if (store.close || from.close) {
      this.close = () => both(() => store.close?.(), from.close);
    }
  }

  accepts(id: string): boolean {
    const { byValue } = this.#from;
    return this.#to.accepts(id) || byValue && this.#from.accepts(id);
  }

  async load(id: string): Promise<Stored | null> {
    return this.#from.byValue
      ? await this.find(id)
      : await this.#repeat(() => this.#here(id));
  }

  /**
   * The session under an id, here or in the old home.
   *
   * @param isNotHere Whether somebody has just looked here.
   * @throws {SessionError} If it cannot be moved: `store-failed`. Both homes then have what a next attempt needs.
   */
  async find(id: string, isNotHere = false): Promise<Stored | null> {
    return await this.#repeat(async () => {
      const found = isNotHere ? null : await this.#here(id);
      if (found !== null) return found;
      isNotHere = false;
      const old = await this.#from.load(id);
      const sameId = this.#keepsIds && this.#to.accepts(id);
      if (this.guarantees.compareAndSet && !sameId) {
        return await this.#follow(id, old);
      }
      // It may have moved between both looks.
      if (!old?.stored) return await this.#here(id);
      if (sameId) {
        const copy = await this.#create(id, old, "copied");
        return copy ? await this.#carryOn(copy) : copy === null ? AGAIN : null;
      }
      return this.#takesIds(id)
        ? await this.#copy(id, old)
        : { ...old.stored, foreign: true };
    });
  }

  /** What the new home has under an id. */
  async #here(id: string): Promise<Outcome> {
    const found = this.#to.accepts(id) ? await this.#to.load(id) : null;
    if (!found?.stage) return found;
    return found.stage === "moved" ? null : await this.#carryOn(found);
  }

  /** The session that came in a cookie of the old home. */
  async take(origin: Origin): Promise<Stored | null> {
    const { id, version, expires, decode, unnamed } = origin;
    const record = decode();
    if (!record) return null;
    if (!unnamed && this.guarantees.compareAndSet) {
      return await this.#repeat(() => this.#follow(id, { record, expires }));
    }
    const found = !unnamed && this.#takesIds(id) && await this.#to.load(id);
    return found || { id, version, expires, decode, foreign: true };
  }

  create(id: string, draft: Draft): Promise<Stored | null> {
    return this.#to.create(this.#to.accepts(id) ? id : mintId(), draft);
  }

  async adopt(
    foreign: Stored,
    id: string,
    draft: Draft,
  ): Promise<Stored | null> {
    const inCookie = this.#from.store === undefined;
    const old = await this.#from.load(foreign.id);
    if (!old && !inCookie) return null;
    const written = await this.create(id, draft);
    if (old && written) await this.#from.shorten(old);
    return written;
  }

  replace(stored: Stored, draft: Draft): Promise<Stored | null> {
    return this.#to.replace(stored, draft);
  }

  async remove(id: string, stored?: Stored): Promise<boolean> {
    if (!this.guarantees.compareAndSet) await this.#from.remove(id);
    return !this.#to.accepts(id) || await this.#to.remove(id, stored);
  }

  async end(stored: Stored): Promise<void> {
    if (this.guarantees.compareAndSet) await this.#to.end(stored);
    else await this.remove(stored.id);
  }

  async retire(stored: Stored, nextId: string, now: number): Promise<boolean> {
    return this.guarantees.compareAndSet
      ? await this.#to.retire(stored, nextId, now)
      : await this.remove(stored.id, stored);
  }

  async touch(stored: Stored, expires: number): Promise<Stored | null> {
    if (!stored.foreign) return await this.#to.touch(stored, expires);
    const touched = await this.#from.touch(stored, expires);
    return touched ? { ...touched, foreign: true } : null;
  }

  /** Whether a record can be created under an id of the old home. */
  #takesIds(id: string): boolean {
    return this.engine !== undefined && this.#to.accepts(id);
  }

  get #keepsIds(): boolean {
    return this.guarantees.compareAndSet && this.#from.forgets;
  }

  /** Repeats what another request has overtaken; what it throws is this store's failure. */
  async #repeat(attempt: () => Promise<Outcome>): Promise<Stored | null> {
    for (let count = 1;; count++) {
      const outcome = await attempt().catch((cause) => {
        // That a record is too large for its new home, say, is nothing that the application has done.
        throw new SessionError(
          "store-failed",
          "Cannot read session: moving it from one storage to another failed",
          { cause },
        );
      });
      if (outcome !== AGAIN) return outcome;
      await this.#policy.giveWay("move session", count);
    }
  }

  /** Brings a copy through its stages. */
  async #carryOn(copy: Stored): Promise<Outcome> {
    const { id } = copy;
    const draft = this.#draftOf(copy.decode());
    if (!draft) return null;
    // An owner who signs out everywhere ends what the old home still has, and then what is listed here, copies too. One
    // that is listed before the look at the old home is missed by neither.
    return await this.#listed(id, draft, async (owned) => {
      let newest = draft;
      let at = copy;
      const old = await this.#from.load(id);
      if (old) {
        const fresh = this.#draftOf(old.record);
        if (!fresh) return null;
        const checked = { ...fresh, owned, stage: "checked" } as const;
        const next = await this.#to.replace(at, checked);
        if (!next || !await this.#from.forget(old)) return AGAIN;
        newest = fresh;
        at = next;
      } else if (copy.stage === "copied") {
        return await this.#to.remove(id, copy) ? null : AGAIN;
      }
      if (this.#ownerOf(newest.entries) !== owned?.owner) return AGAIN;
      return await this.#to.replace(at, { ...newest, owned }) ?? AGAIN;
    });
  }

  /** Follows the note that an old id has moved, or leaves one. */
  async #follow(oldId: string, old: Old | undefined): Promise<Outcome> {
    const at = hashId(`moved ${oldId}`);
    const note = await this.#to.load(at);
    if (note && isAhead(note.expires, this.#policy.now())) {
      const nonce = note.decode()?.values["nonce"];
      const moved = await this.#to.load(hashId(`${nonce} ${oldId}`));
      if (old) await this.#from.forget(old);
      return moved?.stage ? null : moved;
    }
    if (!old) return null;
    // One that is over, and that the engine still holds.
    if (note) await this.#to.remove(at, note);
    // Neither the note by itself nor the old id by itself leads to the new one.
    const nonce = mintId();
    return await this.#settled(
      hashId(`${nonce} ${oldId}`),
      old,
      async (written) => {
        const now = this.#policy.instant();
        const lasts = now + NOTE_LIFETIME;
        const expires = old.stored ? Math.min(old.expires, lasts) : lasts;
        const left = await this.#to.create(at, {
          life: { created: now, ends: expires, lifetime: null },
          entries: {
            values: encodeTexts([["nonce", nonce]]),
            flashes: new Map(),
          },
          expires,
          stage: "moved",
        });
        if (left) {
          await this.#from.forget(old);
          return written;
        }
        await this.#to.remove(written.id);
        return AGAIN;
      },
    );
  }

  /** Without compare-and-set, a copy is all there can be. */
  async #copy(id: string, old: Old): Promise<Outcome> {
    return await this.#settled(id, old, async (written) => {
      await this.#from.forget(old);
      return written;
    });
  }

  /** Creates a session at once, and does what is left to do. */
  async #settled(
    id: string,
    old: Old,
    then: (written: Stored) => Promise<Outcome>,
  ): Promise<Outcome> {
    const draft = this.#draftOf(old.record);
    if (!draft) return null;
    return await this.#listed(id, draft, async (owned) => {
      const written = await this.#to.create(id, { ...draft, owned });
      if (!written) return AGAIN;
      return await then(written);
    });
  }

  /** Lists what is about to be stored under its owner, as every save does. */
  async #listed(
    id: string,
    draft: Draft,
    write: (owned: Draft["owned"]) => Promise<Outcome>,
  ): Promise<Outcome> {
    const owned = this.#owners?.ownedBy(
      draft.entries,
      this.#policy.instant(),
    );
    const passage = {
      id,
      replaced: undefined,
      from: undefined,
      to: owned?.owner,
    };
    const list = await this.#owners?.enter(passage, draft.expires);
    const written = await write(owned);
    if (!written || written === AGAIN) return written;
    if (await this.#owners?.settle(passage, list, false) !== false) {
      return written;
    }
    await this.#to.remove(written.id);
    return null;
  }

  #ownerOf(entries: EntryTexts): string | undefined {
    return this.#owners?.ownedBy(entries, this.#policy.instant())?.owner;
  }

  async #create(
    id: string,
    { record }: Old,
    stage: Draft["stage"],
  ): Promise<Stored | null | undefined> {
    const draft = this.#draftOf(record);
    if (!draft) return undefined;
    const owned = this.#owners?.ownedBy(draft.entries, this.#policy.instant());
    return await this.#to.create(id, { ...draft, owned, stage });
  }

  /** What is written of a session: it has lived as long as it has, and is used now. */
  #draftOf(record: SessionRecord | undefined): Draft | undefined {
    if (!record) return undefined;
    const { created, lifetime, values, flashes } = record;
    const now = this.#policy.instant();
    // A home that keeps no deadlines gives the last instant there is.
    const ends = record.ends < LAST_INSTANT
      ? record.ends
      : endOf(lifetime ?? this.#policy.lastingOf(this.#lasting), now);
    const life = { created, ends, lifetime };
    const expires = deadline(life, this.#policy.timeouts, now);
    if (!isAhead(expires, now)) {
      this.#policy.tell("expired");
      return undefined;
    }
    const entries = {
      values: encodeTexts(Object.entries(values)),
      flashes: encodeTexts(Object.entries(flashes)),
    };
    return { life, entries, expires };
  }
}

/** Does both, the second also where the first fails. */
async function both(
  first: () => Promise<void> | undefined,
  second: (() => Promise<void>) | undefined,
): Promise<void> {
  try {
    await first();
  } finally {
    await second?.();
  }
}
