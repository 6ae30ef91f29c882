/**
 * Moves sessions from one storage to another, each when it is read.
 *
 * If the previous storage revokes at once, a session keeps its id. Its copy is marked, and is not a session while it
 * has a mark. It is `copied` until the old record was read again, because a logout may have removed that in between. It
 * is `checked` until the old record is removed. So a revoked session does not come back, and another request can finish
 * a copy if the first one fails.
 *
 * If the previous storage does not revoke at once (a cookie, an engine with eventual reads), or its ids have another
 * form, a session gets a new id. A note in the new storage then says that the old id has `moved`. The old id leads to
 * the new session until that is revoked or expires.
 *
 * If neither is possible, the session stays in the previous storage until a request changes it; the save creates it in
 * the new one. That is so if the new storage does not have compare-and-set and makes its own ids, or if a cookie does
 * not contain an id. Such a record is `foreign`.
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
import { type Carried, valuesOf } from "./sessions.ts";

/** The marks of a record that is being moved. */
const COPIED = "?";
const CHECKED = "!";
const MOVED = ">";

/**
 * How long, in milliseconds, to keep a note for an id from a cookie: as long as browsers keep a cookie. The deadline in
 * the cookie does not suffice, because another cookie with the same id can have a later one.
 */
const NOTE_LIFETIME = 400 * 24 * 60 * 60 * 1000;

/** The outcome if another request was faster. */
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

/** The new storage's records. Those of the previous storage are moved to them. */
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

  /** @param lifetime The new cookie's lifetime, for sessions from a storage without deadlines. */
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
    // A session from a cookie exists only there.
    return this.#from.records ? await this.#move(stored.id) : stored;
  }

  /**
   * Returns the record of this storage's cookies, or else of the previous storage's cookies.
   *
   * @param own Finds the record of this storage's cookies.
   */
  async find(carried: Carried, own: () => Promise<Found>): Promise<Found> {
    const values = valuesOf(carried);
    // A value of another form can be the previous storage's, so it is not reported as forged.
    const mine = values.some((value) =>
      typeof value === "string" && this.accepts(value)
    );
    if (mine) {
      const stored = await own();
      if (stored) return stored;
    }
    const found = await this.#findPrevious(carried, values);
    if (!found) {
      if (!mine) await own();
      else if (carried.rejected) this.policy.report("rejected-cookie");
      return undefined;
    }
    const unsent = !isForeign(found) && !values.includes(found.id);
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
    // A session that was not read may not have moved yet. The previous storage first, as in `destroySessions`.
    if (!stored || !this.guarantees.compareAndSet) await this.#from.remove(id);
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

  async endPrevious(
    { header }: Carried,
    except: readonly string[],
  ): Promise<void> {
    // Where the new storage's cookie carries the old ids, there are no others.
    if (header === undefined || this.#from.byValue) return;
    const old = await this.#from.storage.decode(header);
    for (let at: Carried | undefined = old; at; at = at.next) {
      if (at.value === null) continue;
      // Its session may have moved, so only its move leads to it.
      const found = await this.#findOld(at, []);
      if (found && !except.includes(found.id)) await this.revoke(found);
    }
  }

  /** @param sent The values of this storage's cookies, which it was searched for. */
  async #findPrevious(
    { header }: Carried,
    sent: readonly unknown[],
  ): Promise<Found> {
    if (header === undefined) return undefined;
    const old = await this.#from.storage.decode(header);
    if (old.value === null) return undefined;
    for (let at: Carried | undefined = old; at; at = at.next) {
      const found = alive(await this.#findOld(at, sent), this.policy);
      if (found && (!at.next || found.decode())) return found;
    }
    return undefined;
  }

  /** Returns the session of one cookie of the previous storage. */
  async #findOld(old: Carried, sent: readonly unknown[]): Promise<Found> {
    const { value } = old;
    const { cookies } = this.#from;
    if (cookies) {
      const record = cookies.open({ ...old, next: undefined });
      return record && await this.#take(record);
    }
    if (typeof value !== "string") return undefined;
    return await this.#move(value, sent.includes(value) && this.accepts(value));
  }

  /**
   * Returns the session under an id, and moves it if it is in the previous storage.
   *
   * @param looked Whether this storage was just searched without success.
   * @throws {SessionError} If it cannot be moved: `store-failed`. The next attempt can continue.
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
      // It may have moved between the two reads.
      if (!old?.stored) return await this.#here(id);
      if (sameId) return await this.#copyWithId(id, old);
      return this.#takesIds(id)
        ? await this.#copy(id, old)
        : this.#foreign(old.stored);
    });
  }

  /** A record of the previous storage, with this storage's timeouts applied too. */
  #foreign(stored: StoredRecord): ForeignRecord {
    const { policy } = this;
    const now = policy.now();
    const decode = () => {
      const record = stored.decode();
      return record && policy.accept(record, now);
    };
    return { ...stored, decode, foreign: true };
  }

  /** The session that this storage has under an id. */
  async #here(id: string): Promise<Attempt> {
    const found = this.#to.accepts(id) ? await this.#to.load(id) : undefined;
    if (!found?.mark) return found;
    return found.mark === MOVED ? undefined : await this.#finishCopy(found);
  }

  /** Returns the session of a cookie of the previous storage. */
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

  /** Whether this storage can create a record under an id of the previous one. */
  #takesIds(id: string): boolean {
    return this.engine !== undefined && this.#to.accepts(id);
  }

  get #keepsIds(): boolean {
    return this.guarantees.compareAndSet && this.#from.revokesAtOnce;
  }

  /** Repeats an attempt while other requests are faster. An error becomes this storage's failure. */
  async #repeat(attempt: () => Promise<Attempt>): Promise<Found> {
    for (let count = 1;; count++) {
      const outcome = await attempt().catch((cause) => {
        if (cause instanceof SessionError && cause.code === "store-failed") {
          throw cause;
        }
        // Not the application's fault: a record can be too large for the new storage, for example.
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

  /** The new storage's records, if they are in an engine: only those can be marked. */
  get #engineRecords(): EngineRecords {
    return this.#to as EngineRecords;
  }

  async #copyWithId(id: string, old: PreviousRecord): Promise<Attempt> {
    const draft = this.#draftOf(old.record);
    if (!draft) return undefined;
    const owner = this.#owners?.ownerOf(draft.entries);
    const saved = this.policy.instant();
    const copy = await this.#engineRecords.create(
      id,
      { ...draft, owner, saved },
      COPIED,
    );
    return copy ? await this.#finishCopy(copy) : AGAIN;
  }

  /** Finishes a marked copy. */
  async #finishCopy(copy: StoredRecord): Promise<Attempt> {
    const { id } = copy;
    const draft = this.#draftOf(copy.decode());
    if (!draft) return undefined;
    // `destroySessions` first revokes in the previous storage, then what is listed here, including copies. The copy is
    // listed before the previous storage is read, so one of the two always finds the session.
    return await this.#writeListed(id, draft, async (owned) => {
      let newest = draft;
      let at = copy;
      const old = await this.#from.load(id);
      if (old) {
        const fresh = this.#draftOf(old.record);
        if (!fresh) return undefined;
        const checked = { ...fresh, ...owned };
        const next = await this.#engineRecords.replace(at, checked, CHECKED);
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

  /** Returns the session that a note for the old id leads to. Without a note, moves the session and writes one. */
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
    // The note has expired, and the engine has not removed it yet.
    if (note) await this.#to.remove(at, note);
    // The new key follows from both: neither the note nor the old id alone is enough to find it.
    const nonce = mintId();
    return await this.#createThen(
      hashId(`${nonce} ${oldId}`),
      old,
      async (written) => {
        const now = this.policy.instant();
        const limit = now + NOTE_LIFETIME;
        const expires = old.stored ? Math.min(old.expires, limit) : limit;
        const values = encodeTexts([["nonce", nonce]]);
        const entries = { values, flashes: new Map() };
        const life = { created: now, ends: expires, lifetime: null };
        const draft = { ...life, entries, expires };
        if (await this.#engineRecords.create(at, draft, MOVED)) {
          await this.#from.forget(old);
          return written;
        }
        await this.#to.remove(written.id);
        return AGAIN;
      },
    );
  }

  /** Copies a session without compare-and-set. */
  async #copy(id: string, old: PreviousRecord): Promise<Attempt> {
    return await this.#createThen(id, old, async (written) => {
      await this.#from.forget(old);
      return written;
    });
  }

  /** Creates a session, and then calls `then`. */
  async #createThen(
    id: string,
    old: PreviousRecord,
    then: (written: StoredRecord) => Promise<Attempt>,
  ): Promise<Attempt> {
    const draft = this.#draftOf(old.record);
    if (!draft) return undefined;
    return await this.#writeListed(id, draft, async (owned) => {
      const written = await this.#to.create(id, { ...draft, ...owned });
      return written ? await then(written) : AGAIN;
    });
  }

  /** Writes a session, and lists it under its owner, as every save does. */
  async #writeListed(
    id: string,
    draft: Draft,
    write: (owned: Pick<Draft, "owner" | "saved">) => Promise<Attempt>,
  ): Promise<Attempt> {
    const owner = this.#owners?.ownerOf(draft.entries);
    const saved = this.policy.instant();
    const save = { id, oldId: undefined, oldOwner: undefined, owner };
    const list = await this.#owners?.beginSave(save, draft.expires);
    const written = await write({ owner, saved });
    if (!written || written === AGAIN) return written;
    if (await this.#owners?.finishSave(save, list, false) !== false) {
      return written;
    }
    await this.#to.remove(written.id);
    return undefined;
  }

  /** The draft of a session that is moved. It keeps its age, and counts as used now. */
  #draftOf(record: SessionRecord | undefined): Draft | undefined {
    if (!record) return undefined;
    const { created, lifetime } = record;
    const { policy } = this;
    const now = policy.instant();
    // Records from a storage without deadlines have the last instant.
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

/** Calls both, even if the first fails. */
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
