/**
 * Moves sessions from one storage to another, each when a request asks for it.
 *
 * If the previous storage forgets at once what is removed, a session keeps its id. Its copy has two marks, one after the
 * other, and is not a session while it has one: `copied`, until the old record was looked at once more, because it may
 * have ended between reading and copying; and `checked`, while the old record is removed. So nothing is left of a
 * session that could come back, and a request that finds a copy whose maker has died continues.
 *
 * If the previous storage does not forget (a cookie, an engine with eventual reads), or its ids have another shape, a
 * session gets a new id, and a note in the new storage says that the old id has `moved`. The old id then leads to that
 * session, or to none once that has ended.
 *
 * If neither is possible, because the new storage has no compare-and-set and makes its own ids, or because a session in
 * a cookie has no id, the session stays where it is until a request changes it. The save creates it in the new storage.
 * Such a record is `foreign` here.
 *
 * @module
 */
import { SessionError } from "../../core/errors.ts";
import { hashId } from "../../core/keys.ts";
import {
  deadline,
  endOf,
  isAhead,
  LAST_INSTANT,
  type Lifetime,
} from "../../core/lifetime.ts";
import {
  type Draft,
  encodeRecordEntries,
  encodeTexts,
  type Entries,
  type SessionRecord,
} from "../../core/record.ts";
import { mintId } from "../../core/session.ts";
import type { Engine, StorageGuarantees } from "../contract.ts";
import type { CookieRecord } from "./cookie_storage.ts";
import type { EngineRecords } from "./engine_records.ts";
import { type Owners, ownersOf } from "./owners.ts";
import type { Policy } from "./policy.ts";
import type { PreviousRecord, PreviousStorage } from "./previous_storage.ts";
import { alive, type Records, type StoredRecord } from "./records.ts";
import type { Carried } from "./sessions.ts";

/** The marks of a record on its way. */
const COPIED = "?";
const CHECKED = "!";
const MOVED = ">";

/**
 * How long, in milliseconds, a note stays that an id from a cookie has moved. Not until that cookie's deadline: another
 * cookie of the same id may have a later one, and would bring back what has ended. Browsers keep none longer than this.
 */
const NOTE_LIFETIME = 400 * 24 * 60 * 60 * 1000;

/** Another request was faster. */
const AGAIN = Symbol("again");

type Found = StoredRecord | undefined;
type Attempt = Found | typeof AGAIN;

/** A record that stays in the previous storage until it is saved. */
interface ForeignRecord extends StoredRecord {
  readonly foreign: true;
}

function isForeign(stored: StoredRecord): stored is ForeignRecord {
  return "foreign" in stored;
}

/** The new storage's records, which take over those of the previous storage. */
export class MovingRecords implements Records {
  readonly guarantees: StorageGuarantees;
  readonly policy: Policy;
  readonly engine?: Engine;
  readonly sweep?: () => Promise<void>;
  readonly close?: () => Promise<void>;
  readonly #to: Records;
  readonly #from: PreviousStorage;
  readonly #owners: Owners | undefined;
  readonly #lifetime: Lifetime;

  /** @param lifetime The lifetime of a session from a storage that keeps no deadlines: the new cookie's. */
  constructor(to: Records, from: PreviousStorage, lifetime: Lifetime) {
    this.guarantees = to.guarantees;
    this.policy = to.policy;
    if (to.engine) this.engine = to.engine;
    this.#to = to;
    this.#from = from;
    this.#owners = ownersOf(to);
    this.#lifetime = lifetime;
    const { sweep, close } = from.storage;
    if (to.sweep || sweep) this.sweep = () => both(to.sweep, sweep);
    if (to.close || close) this.close = () => both(to.close, close);
  }

  accepts(id: string): boolean {
    const { byValue } = this.#from;
    return this.#to.accepts(id) || byValue && this.#from.accepts(id);
  }

  async load(id: string): Promise<Found> {
    return this.#from.byValue
      ? await this.#move(id)
      : await this.#repeat(() => this.#here(id));
  }

  async reload(stored: StoredRecord): Promise<Found> {
    if (!isForeign(stored)) return await this.#to.reload(stored);
    // What came in a cookie is nowhere else.
    return this.#from.records ? await this.#move(stored.id) : stored;
  }

  /**
   * The record that the previous storage's own cookie leads to, if this storage's cookie does not lead to one.
   *
   * @param own Finds the record that this storage's cookie leads to.
   */
  async find(carried: Carried, own: () => Promise<Found>): Promise<Found> {
    const { value } = carried;
    // A value that this cookie cannot carry may be the previous one's, and is not reported as forged.
    const mine = typeof value === "string" && this.accepts(value);
    if (mine) {
      const stored = await own();
      if (stored) return stored;
    }
    const found = alive(await this.#findPrevious(carried), this.policy);
    if (!found) {
      if (!mine) await own();
      else if (carried.rejected) this.policy.report("rejected-cookie");
      return undefined;
    }
    const unsent = !isForeign(found) && found.id !== value;
    return unsent ? { ...found, unsent } : found;
  }

  create(id: string, draft: Draft): Promise<Found> {
    return this.#to.create(this.#to.accepts(id) ? id : mintId(), draft);
  }

  async replace(stored: StoredRecord, draft: Draft): Promise<Found> {
    if (!isForeign(stored)) return await this.#to.replace(stored, draft);
    const written = await this.create(stored.id, draft);
    if (written) await this.#from.shorten(stored);
    return written;
  }

  async remove(id: string, stored?: StoredRecord): Promise<boolean> {
    if (!this.guarantees.compareAndSet) await this.#from.remove(id);
    return !this.#to.accepts(id) || await this.#to.remove(id, stored);
  }

  async revoke(stored: StoredRecord): Promise<void> {
    if (this.guarantees.compareAndSet && !isForeign(stored)) {
      await this.#to.revoke(stored);
    } else await this.remove(stored.id);
  }

  async retire(stored: StoredRecord, nextId: string): Promise<boolean> {
    if (isForeign(stored)) {
      await this.#from.shorten(stored);
      return true;
    }
    return this.guarantees.compareAndSet
      ? await this.#to.retire(stored, nextId)
      : await this.remove(stored.id, stored);
  }

  async touch(stored: StoredRecord, expires: number): Promise<Found> {
    if (!isForeign(stored)) return await this.#to.touch(stored, expires);
    const touched = await this.#from.records?.touch(stored, expires);
    return touched && this.#foreign(touched);
  }

  async #findPrevious(carried: Carried): Promise<Found> {
    const { header, value: sent } = carried;
    if (header === undefined) return undefined;
    const old = await this.#from.storage.decode(header);
    if (old.value === null) return undefined;
    const { cookies } = this.#from;
    if (cookies) {
      const record = cookies.open(old);
      return record && await this.#take(record);
    }
    if (typeof old.value !== "string") return undefined;
    const looked = old.value === sent && this.accepts(old.value);
    return await this.#move(old.value, looked);
  }

  /**
   * The session under an id, here or in the previous storage.
   *
   * @param looked Whether it was looked for here just now, and not found.
   * @throws {SessionError} If it cannot be moved: `store-failed`. Both storages then have what the next attempt needs.
   */
  async #move(id: string, looked = false): Promise<Found> {
    return await this.#repeat(async () => {
      const found = looked ? undefined : await this.#here(id);
      if (found) return found;
      looked = false;
      const old = await this.#from.load(id);
      const sameId = this.#keepsIds && this.#to.accepts(id);
      if (this.guarantees.compareAndSet && !sameId) {
        return await this.#follow(id, old);
      }
      // It may have moved between the two looks.
      if (!old?.stored) return await this.#here(id);
      if (sameId) return await this.#copyWithId(id, old);
      return this.#takesIds(id)
        ? await this.#copy(id, old)
        : this.#foreign(old.stored);
    });
  }

  /** A record of the previous storage, held to this storage's timeouts too. */
  #foreign(stored: StoredRecord): ForeignRecord {
    const { policy } = this;
    const now = policy.now();
    const decode = () => {
      const record = stored.decode();
      return record && policy.accept(record, now);
    };
    return { ...stored, decode, foreign: true };
  }

  /** What this storage has under an id. */
  async #here(id: string): Promise<Attempt> {
    const found = this.#to.accepts(id) ? await this.#to.load(id) : undefined;
    if (!found?.mark) return found;
    return found.mark === MOVED ? undefined : await this.#carryOn(found);
  }

  /** The session that came in a cookie of the previous storage. */
  async #take(origin: CookieRecord): Promise<Found> {
    const { id, expires, unnamed } = origin;
    const record = origin.decode();
    if (!record) return undefined;
    if (!unnamed && this.guarantees.compareAndSet) {
      return await this.#repeat(() => this.#follow(id, { record, expires }));
    }
    const found = !unnamed && this.#takesIds(id)
      ? await this.#to.load(id)
      : undefined;
    return found ?? this.#foreign(origin);
  }

  /** Whether a record can be created under an id of the previous storage. */
  #takesIds(id: string): boolean {
    return this.engine !== undefined && this.#to.accepts(id);
  }

  get #keepsIds(): boolean {
    return this.guarantees.compareAndSet && this.#from.forgets;
  }

  /** Repeats what another request was faster in. An error is this storage's failure. */
  async #repeat(attempt: () => Promise<Attempt>): Promise<Found> {
    for (let count = 1;; count++) {
      const outcome = await attempt().catch((cause) => {
        if (cause instanceof SessionError && cause.code === "store-failed") {
          throw cause;
        }
        // That a record is too large for the new storage, say, is not the application's fault.
        throw this.policy.failure(
          "read session",
          new SessionError(
            "store-failed",
            "Cannot read session: it could not be moved to the new storage",
            { cause },
          ),
        );
      });
      if (outcome !== AGAIN) return outcome;
      await this.policy.backOff("move session", count);
    }
  }

  /** The new storage's records, if it can mark them: an engine's. */
  get #marking(): EngineRecords {
    return this.#to as EngineRecords;
  }

  async #copyWithId(id: string, old: PreviousRecord): Promise<Attempt> {
    const draft = this.#draftOf(old.record);
    if (!draft) return undefined;
    const owner = this.#owners?.ownerOf(draft.entries);
    const saved = this.policy.instant();
    const copy = await this.#marking.create(
      id,
      { ...draft, owner, saved },
      COPIED,
    );
    return copy ? await this.#carryOn(copy) : AGAIN;
  }

  /** Finishes a copy. */
  async #carryOn(copy: StoredRecord): Promise<Attempt> {
    const { id } = copy;
    const draft = this.#draftOf(copy.decode());
    if (!draft) return undefined;
    // To sign out everywhere revokes what the previous storage still has, and then what is listed here, copies too. A
    // session that is listed before the look at the previous storage is missed by neither.
    return await this.#listed(id, draft, async (owned) => {
      let newest = draft;
      let at = copy;
      const old = await this.#from.load(id);
      if (old) {
        const fresh = this.#draftOf(old.record);
        if (!fresh) return undefined;
        const checked = { ...fresh, ...owned };
        const next = await this.#marking.replace(at, checked, CHECKED);
        if (!next || !await this.#from.forget(old)) return AGAIN;
        newest = fresh;
        at = next;
      } else if (copy.mark === COPIED) {
        return await this.#to.remove(id, copy) ? undefined : AGAIN;
      }
      const owner = this.#owners?.ownerOf(newest.entries);
      if (owner !== owned.owner) return AGAIN;
      return await this.#to.replace(at, { ...newest, ...owned }) ?? AGAIN;
    });
  }

  /** Follows the note that an old id has moved, or leaves one. */
  async #follow(
    oldId: string,
    old: PreviousRecord | undefined,
  ): Promise<Attempt> {
    const at = hashId(`moved ${oldId}`);
    const note = await this.#to.load(at);
    if (note && isAhead(note.expires, this.policy.now())) {
      const nonce = note.decode()?.values["nonce"];
      const moved = await this.#to.load(hashId(`${nonce} ${oldId}`));
      if (old) await this.#from.forget(old);
      return moved?.mark ? undefined : moved;
    }
    if (!old) return undefined;
    // A note that has expired, and that the engine still holds.
    if (note) await this.#to.remove(at, note);
    // Neither the note alone nor the old id alone leads to the new one.
    const nonce = mintId();
    return await this.#settled(
      hashId(`${nonce} ${oldId}`),
      old,
      async (written) => {
        const now = this.policy.instant();
        const lasts = now + NOTE_LIFETIME;
        const expires = old.stored ? Math.min(old.expires, lasts) : lasts;
        const values = encodeTexts([["nonce", nonce]]);
        const entries = { values, flashes: new Map() };
        const life = { created: now, ends: expires, lifetime: null };
        const draft = { ...life, entries, expires };
        if (await this.#marking.create(at, draft, MOVED)) {
          await this.#from.forget(old);
          return written;
        }
        await this.#to.remove(written.id);
        return AGAIN;
      },
    );
  }

  /** Without compare-and-set, a copy is all that is possible. */
  async #copy(id: string, old: PreviousRecord): Promise<Attempt> {
    return await this.#settled(id, old, async (written) => {
      await this.#from.forget(old);
      return written;
    });
  }

  /** Creates a session at once, and then does the rest. */
  async #settled(
    id: string,
    old: PreviousRecord,
    then: (written: StoredRecord) => Promise<Attempt>,
  ): Promise<Attempt> {
    const draft = this.#draftOf(old.record);
    if (!draft) return undefined;
    return await this.#listed(id, draft, async (owned) => {
      const written = await this.#to.create(id, { ...draft, ...owned });
      return written ? await then(written) : AGAIN;
    });
  }

  /** Lists what is about to be stored under its owner, as every save does. */
  async #listed(
    id: string,
    draft: Draft,
    write: (owned: Pick<Draft, "owner" | "saved">) => Promise<Attempt>,
  ): Promise<Attempt> {
    const owner = this.#owners?.ownerOf(draft.entries);
    const saved = this.policy.instant();
    const passage = { id, replaced: undefined, from: undefined, to: owner };
    const list = await this.#owners?.enter(passage, draft.expires);
    const written = await write({ owner, saved });
    if (!written || written === AGAIN) return written;
    if (await this.#owners?.settle(passage, list, false) !== false) {
      return written;
    }
    await this.#to.remove(written.id);
    return undefined;
  }

  /** What is written of a session: it keeps its age, and is used now. */
  #draftOf(record: SessionRecord | undefined): Draft | undefined {
    if (!record) return undefined;
    const { created, lifetime } = record;
    const { policy } = this;
    const now = policy.instant();
    // A storage that keeps no deadlines gives its records the last instant there is.
    const ends = record.ends < LAST_INSTANT
      ? record.ends
      : lifetime !== null
      ? endOf(lifetime, now)
      : policy.renew(undefined, { defaultLifetime: this.#lifetime }, now).ends;
    const life = { created, ends, lifetime };
    const expires = deadline(life, policy.timeouts, now);
    if (!isAhead(expires, now)) {
      policy.report("expired");
      return undefined;
    }
    const entries: Entries = encodeRecordEntries(record);
    return { ...life, entries, expires };
  }
}

/** Calls both, the second also if the first fails. */
async function both(
  first: (() => Promise<void>) | undefined,
  second: (() => Promise<void>) | undefined,
): Promise<void> {
  try {
    await first?.();
  } finally {
    await second?.();
  }
}
