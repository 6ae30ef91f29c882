/**
 * Moves sessions from one storage to another, each when it is read.
 *
 * If the previous storage revokes at once, a session keeps its id. Its copy is marked, and is not a session while it
 * has a mark. It is `copied` until the old record was read again, because a logout may have removed that in between. It
 * is `checked` until the old record is removed. So a revoked session does not come back, and another request can finish
 * a copy if the first one fails.
 *
 * If the previous storage does not revoke at once (a cookie, an engine with eventual reads), or its ids have another
 * form, a session gets a new id. A note in the new storage then says that the old id has moved. The old id leads to the
 * new session until that is revoked or expires.
 *
 * If neither is possible, the session stays in the previous storage until a request changes it; the save creates it in
 * the new one. That is so if the new storage does not have compare-and-set and makes its own ids, or if a cookie does
 * not contain an id. Such a record is `foreign`.
 *
 * @module
 */
import type { Awaitable } from "../../core/awaitable.ts";
import { SessionError } from "../../core/errors.ts";
import { hashId } from "../../core/keys.ts";
import { deadline, isAhead, type StoredLifetime } from "../../core/lifetime.ts";
import {
  type Draft,
  encodeRecordEntries,
  encodeTexts,
  type Entries,
  type SessionRecord,
} from "../../core/record.ts";
import { mintId } from "../../core/session.ts";
import type { AnyEngine, StorageGuarantees } from "../contract.ts";
import type { CookieRecord } from "./cookie_storage.ts";
import type { EngineRecords } from "./engine_records.ts";
import { type Owners, ownersOf } from "./owners.ts";
import type { EnginePolicy } from "./engine_policy.ts";
import { type Policy, usedAt } from "./policy.ts";
import {
  isPreviousNote,
  type PreviousRecord,
  type PreviousStorage,
} from "./previous_storage.ts";
import {
  alive,
  type Records,
  REPLACED,
  type Search,
  type StoredRecord,
} from "./records.ts";
import { type Carried, valuesOf } from "./sessions.ts";

/** The marks of a record that is being moved. */
const COPIED = "?";
const CHECKED = "!";

/**
 * How long, in milliseconds, to keep a note for an id from a cookie: as long as browsers keep a cookie. The deadline in
 * the cookie does not suffice, because another cookie with the same id can have a later one.
 */
const NOTE_LIFETIME = 34_560_000_000;

/** The outcome if another request was faster. */
const AGAIN = /* @__PURE__ */ Symbol("again");

type Found = StoredRecord | undefined;
type Attempt = Found | typeof AGAIN;

/** A record that stays in the previous storage until it is saved. */
interface ForeignRecord extends StoredRecord {
  readonly foreign: true;
}

function isForeign(stored: StoredRecord): stored is ForeignRecord {
  return "foreign" in stored;
}

/** Options of {@linkcode MovingRecords}. */
export interface MovingOptions {
  /** The lifetime of the new cookie, or `null`. */
  readonly cookie: StoredLifetime;
  /** Whether to move nothing, and only find what another server has moved. */
  readonly keepOld: boolean;
}

/** The new storage's records. Those of the previous storage are moved to them. */
export class MovingRecords implements Records {
  readonly guarantees: StorageGuarantees;
  readonly policy: EnginePolicy;
  readonly checksLifetime: boolean;
  readonly engine?: AnyEngine;
  readonly sweep?: () => Promise<number | undefined>;
  readonly close?: () => Promise<void>;
  readonly #to: Records;
  readonly #from: PreviousStorage;
  readonly #owners: Owners | undefined;
  readonly #cookie: StoredLifetime;
  readonly #keepOld: boolean;

  constructor(
    to: Records,
    from: PreviousStorage,
    { cookie, keepOld }: MovingOptions,
  ) {
    this.guarantees = to.guarantees;
    this.checksLifetime = to.checksLifetime;
    this.policy = to.policy;
    if (to.engine) this.engine = to.engine;
    this.#to = to;
    this.#from = from;
    this.#owners = ownersOf(to);
    this.#cookie = cookie;
    this.#keepOld = keepOld;
    const { sweep, close } = from.storage;
    if (to.sweep || sweep) {
      this.sweep = async () => sumOf(await both(to.sweep, sweep));
    }
    if (to.close || close) {
      this.close = async () => void await both(to.close, close);
    }
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

  /** Finds the record of this storage's cookies, or else of the previous storage's cookies. */
  async find(carried: Carried, search: Search): Promise<Found> {
    const found = await search.own() ??
      await this.#findPrevious(carried, search.notes);
    if (!found && !this.#keepOld) search.report();
    return found;
  }

  create(id: string, draft: Draft): Awaitable<Found> {
    return this.#to.create(this.#to.accepts(id) ? id : mintId(), draft);
  }

  async replace(stored: StoredRecord, draft: Draft): Promise<Found> {
    if (!isForeign(stored)) return await this.#to.replace(stored, draft);
    const written = await this.create(stored.id, draft);
    if (!written) return undefined;
    await this.#from.shorten(stored);
    return { ...written, sends: true };
  }

  async remove(id: string, stored?: StoredRecord): Promise<boolean> {
    // A session that was not read may not have moved yet. The previous storage first, as in `destroySessions`.
    if (!stored || !this.guarantees.compareAndSet) await this.#from.remove(id);
    return !this.#to.accepts(id) || await this.#to.remove(id, stored);
  }

  async revoke(stored: StoredRecord): Promise<void> {
    if (isPreviousNote(stored)) {
      // In the order of `destroySessions`, because the session may be moving. It has the same key in both engines.
      await this.#from.revoke(stored);
      if (this.engine) await this.#to.revoke(stored);
    } else if (this.guarantees.compareAndSet && !isForeign(stored)) {
      await this.#to.revoke(stored);
    } else await this.remove(stored.id);
  }

  async retire(
    stored: StoredRecord,
    nextId: string | undefined,
  ): Promise<boolean> {
    if (isForeign(stored)) {
      await this.#from.shorten(stored);
      return true;
    }
    return this.guarantees.compareAndSet
      ? await this.#to.retire(stored, nextId)
      : await this.remove(stored.id, stored);
  }

  async supersede(stored: StoredRecord): Promise<void> {
    if (isForeign(stored) || !this.guarantees.compareAndSet) {
      await this.remove(stored.id);
    } else await this.#to.supersede(stored);
  }

  leadsTo(stored: StoredRecord | undefined, nextId: string): boolean {
    return this.#to.leadsTo(stored, nextId);
  }

  async slide(
    stored: StoredRecord,
    record: SessionRecord,
    used: number,
    expires: number,
  ): Promise<Found> {
    if (!isForeign(stored)) {
      return await this.#to.slide(stored, record, used, expires);
    }
    const { records } = this.#from;
    const slid = await records?.slide(stored, record, used, expires);
    return slid && this.#foreign(slid);
  }

  async shorten(stored: StoredRecord, expires: number): Promise<void> {
    await this.#to.shorten(stored, expires);
  }

  async endPrevious(
    { header }: Carried,
    except?: readonly string[],
  ): Promise<void> {
    // Where the new storage's cookie carries the old ids, there are no others.
    if (header === undefined || this.#from.byValue) return;
    const old = await this.#from.storage.decode(header);
    for (let at: Carried | undefined = old; at; at = at.next) {
      const { value } = at;
      if (value === null) continue;
      // Its session may have moved, so only its move leads to it.
      const found = await this.#findOld(at, []);
      // The note that an id was replaced protects the session that stays.
      const stays = except && found &&
        (found.mark !== undefined || except.includes(found.id));
      if (found && !stays) {
        await this.revoke(found);
        // The browser keeps this cookie. With the note, the visitor could not begin a session for a minute.
        const at = isPreviousNote(found) ? this.#from : this.#to;
        if (found.mark) await at.remove(found.id, found);
      }
      if (!this.#keepOld || typeof value !== "string") continue;
      if (!except?.includes(value)) await this.#from.remove(value);
    }
  }

  /** Ends the session of an id of the previous storage, if another server has moved it. */
  async endMoved(id: string): Promise<void> {
    const found = await this.#move(id);
    if (found) await this.revoke(found);
  }

  /** Whether an id of the previous storage has moved, although that storage may still have its session. */
  async hasMoved(id: string): Promise<boolean> {
    if (!this.guarantees.compareAndSet || this.#from.revokesAtOnce) {
      return false;
    }
    const note = await this.#to.load(noteOf(id));
    return note !== undefined && isAhead(note.expires, this.policy.now());
  }

  /** @param notes As in {@linkcode Search}. */
  async #findPrevious(
    carried: Carried,
    notes: StoredRecord[],
  ): Promise<Found> {
    const { header } = carried;
    if (header === undefined || this.#from.byValue) return undefined;
    const old = await this.#from.storage.decode(header);
    if (old.value === null) return undefined;
    const sent = valuesOf(carried);
    for (let at: Carried | undefined = old; at; at = at.next) {
      const found = await this.#findOld(at, sent);
      if (found?.mark && isAhead(found.expires, this.policy.now())) {
        notes.push(found);
      }
      const stored = alive(found, this, this.#cookie);
      if (!stored || at.next && !stored.decode()) continue;
      if (at.outdated || !isForeign(stored) && !isCurrent(carried, stored.id)) {
        stored.unsent = true;
      }
      return stored;
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
      const old = this.#keepOld ? undefined : await this.#from.load(id);
      if (!old || !isPreviousNote(old)) return await this.#moveFound(id, old);
      // The note has to be known here, too: a late request must not come in the way of the session that replaced it, and
      // a logout has to end that.
      return await this.#moveFound(id, undefined) ?? old;
    });
  }

  /** @param old What the previous storage has under the id. */
  async #moveFound(
    id: string,
    old: PreviousRecord | undefined,
  ): Promise<Attempt> {
    const sameId = this.#keepsIds && this.#to.accepts(id);
    if (this.guarantees.compareAndSet && !sameId) {
      return await this.#follow(id, old);
    }
    if (this.#keepOld) return undefined;
    // It may have moved between the two reads.
    if (!old?.stored) return await this.#here(id);
    if (sameId) return await this.#copyWithId(id, old);
    return this.#takesIds(id)
      ? await this.#copy(id, old)
      : this.#foreign(await this.#from.use(old.stored));
  }

  /** A record of the previous storage, which its own settings and this storage's timeouts can end. */
  #foreign(stored: StoredRecord): ForeignRecord {
    return { ...stored, foreign: true };
  }

  /** A session that stays in its cookie. If its use must be written, it moves with the next answer. */
  #foreignCookie(stored: StoredRecord): ForeignRecord {
    const { policy, lifetime } = this.#from;
    const unsent = stored.unsent ||
      mustWrite(stored, policy, lifetime) ||
      mustWrite(stored, this.policy, this.#cookie);
    return this.#foreign({ ...stored, unsent });
  }

  /** The session that this storage has under an id, or the note that the id was replaced. */
  async #here(id: string): Promise<Attempt> {
    const found = this.#to.accepts(id) ? await this.#to.load(id) : undefined;
    return !found?.mark || found.mark === REPLACED
      ? found
      : await this.#finishCopy(found);
  }

  /** Returns the session of a cookie of the previous storage. */
  async #take(origin: CookieRecord): Promise<Found> {
    const { id, expires, unnamed } = origin;
    const record = origin.decode();
    if (!record) return undefined;
    if (!unnamed && this.guarantees.compareAndSet) {
      const old = this.#keepOld ? undefined : { record, expires };
      return await this.#repeat(() => this.#follow(id, old));
    }
    const found = !unnamed && this.#takesIds(id)
      ? await this.#to.load(id)
      : undefined;
    return found || this.#keepOld ? found : this.#foreignCookie(origin);
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
    const draft = this.#draftOf(old);
    if (!draft) return undefined;
    const owner = await this.#owners?.ownerOf(draft.entries);
    const copy = await this.#engineRecords.create(
      id,
      { ...draft, owner },
      COPIED,
    );
    return copy ? await this.#finishCopy(copy) : AGAIN;
  }

  /** Finishes a marked copy. */
  async #finishCopy(copy: StoredRecord): Promise<Attempt> {
    const { id } = copy;
    const record = copy.decode();
    const draft = record && this.#draftOf({ record, expires: copy.expires });
    if (!draft) return undefined;
    // `destroySessions` first revokes in the previous storage, then what is listed here, including copies. The copy is
    // listed before the previous storage is read, so one of the two always finds the session.
    return await this.#writeListed(id, draft, async (owned) => {
      let newest = draft;
      let at = copy;
      const old = await this.#from.load(id);
      if (old && isPreviousNote(old)) {
        // An older server was faster: the session goes on under another id.
        await this.#to.remove(id, copy);
        return AGAIN;
      }
      if (old) {
        const fresh = this.#draftOf(old);
        if (!fresh) return undefined;
        const checked = { ...fresh, ...owned };
        const next = await this.#engineRecords.replace(at, checked, CHECKED);
        if (!next || !await this.#from.forget(old)) return AGAIN;
        newest = fresh;
        at = next;
      } else if (copy.mark === COPIED) {
        return await this.#to.remove(id, copy) ? undefined : AGAIN;
      }
      const owner = await this.#owners?.ownerOf(newest.entries);
      if (owner !== owned.owner) return AGAIN;
      return await this.#to.replace(at, { ...newest, ...owned }) ?? AGAIN;
    });
  }

  /** Returns the session that a note for the old id leads to. Without a note, moves the session and writes one. */
  async #follow(
    oldId: string,
    old: PreviousRecord | undefined,
  ): Promise<Attempt> {
    const at = noteOf(oldId);
    const note = await this.#to.load(at);
    if (note && isAhead(note.expires, this.policy.now())) {
      const nonce = note.decode()?.values["nonce"];
      const moved = await this.#to.load(hashId(`${nonce} ${oldId}`));
      if (old) await this.#from.forget(old);
      return moved;
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
        const life = { created: now, saved: now, lifetime: null };
        const draft = { ...life, span: expires - now, entries, expires };
        if (await this.#engineRecords.create(at, draft, REPLACED)) {
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
    const draft = this.#draftOf(old);
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
    write: (owned: Pick<Draft, "owner">) => Promise<Attempt>,
  ): Promise<Attempt> {
    const owner = await this.#owners?.ownerOf(draft.entries);
    const save = { id, oldId: undefined, oldOwner: undefined, owner };
    const owning = await this.#owners?.beginSave(save, draft.expires);
    const written = await write({ owner });
    if (!written || written === AGAIN || !owning) return written;
    if (await this.#owners?.finishSave(owning, false)) return written;
    await this.#to.remove(written.id, written);
    return undefined;
  }

  /** The draft of a session that is moved. It keeps its age, and counts as used now. */
  #draftOf(
    { record, expires: before }: PreviousRecord,
  ): Draft | undefined {
    const { policy } = this;
    const now = policy.instant();
    // A clock that is behind must not end a session.
    const last = record.undated ? now : usedAt(record, before);
    const used = Number.isFinite(last) ? Math.max(now, last) : now;
    const { created, saved, lifetime, authenticated } = record;
    const life = { created, saved, lifetime, authenticated, span: 0 };
    const expires = deadline(life, policy.terms(this.#cookie), used);
    if (!isAhead(expires, now)) {
      policy.report("expired");
      return undefined;
    }
    const entries: Entries = encodeRecordEntries(record);
    return { ...life, entries, span: expires - used, expires };
  }
}

/** The id of the note that an old id has moved. It has a space, so no cookie can carry it. */
function noteOf(oldId: string): string {
  return `moved ${oldId}`;
}

/** Whether a cookie of this storage carries the id, as today's settings write it. */
function isCurrent(carried: Carried, id: string): boolean {
  for (let at: Carried | undefined = carried; at; at = at.next) {
    if (at.value === id) return !at.outdated;
  }
  return false;
}

/**
 * Whether a request that changes nothing must write the session, because of its timeouts.
 *
 * @param cookie The lifetime of the session's cookie, or `null`.
 */
function mustWrite(
  stored: StoredRecord,
  policy: Policy,
  cookie: StoredLifetime,
): boolean {
  const record = stored.decode();
  if (!record) return false;
  return record.undated
    ? policy.needsInstants(record, cookie)
    : policy.mustRoll({ record }, cookie) ||
      policy.nextUse(record, stored.expires, policy.terms(cookie)) !==
        undefined;
}

/** Calls both, even if the first fails. */
async function both<T>(
  first: (() => Promise<T>) | undefined,
  second: (() => Promise<T>) | undefined,
): Promise<T[]> {
  const answers: T[] = [];
  try {
    if (first) answers.push(await first());
  } finally {
    if (second) answers.push(await second());
  }
  return answers;
}

/** The sum of counts; `undefined` if one of them is not known. */
function sumOf(counts: readonly (number | undefined)[]): number | undefined {
  let sum = 0;
  for (const count of counts) {
    if (count === undefined) return undefined;
    sum += count;
  }
  return sum;
}
