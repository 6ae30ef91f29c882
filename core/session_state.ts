/**
 * The state of a session: the record that it was read from, and what the request has changed.
 *
 * @module
 */
import { type Changes, isMutable, sameJson, textOf } from "./changes.ts";
import { SessionError } from "./errors.ts";
import { encodeJson } from "./json.ts";
import { checkSeconds, type StoredLifetime } from "./lifetime.ts";
import { encodeTexts, type SessionRecord } from "./record.ts";

/** A record that a storage has read or written. */
export interface Origin {
  readonly id: string;
  /** The record's lifetime, if it is known without decoding. */
  readonly lifetime?: StoredLifetime | undefined;
  /** Decodes the record, into new objects each time; `undefined` if it is corrupt or expired. */
  decode(): SessionRecord | undefined;
}

/** The flashes until the record is decoded. */
const NO_FLASHES: Map<string, unknown> = new Map();

/** What a request changed since the last save. */
interface Pending {
  /** Keys set (`true`) and unset (`false`). */
  readonly valueOps: Map<string, boolean>;
  readonly flashed: Set<string>;
  readonly taken: Set<string>;
}

export class SessionState {
  readonly #mintId: () => string;
  #id: string | undefined;
  #origin: Origin | undefined;
  /** The storage that read or wrote the origin. For any other storage the session is new. */
  #storage: object | undefined;
  /** The decoded origin. The application may change its values, but its set of keys stays. */
  #record: SessionRecord | undefined;
  #values: Map<string, unknown> | undefined;
  #flashes: Map<string, unknown> = NO_FLASHES;
  // Created on demand, because most requests do not change the session.
  #pending: Pending | undefined;
  /** Keys of objects and arrays that the application has received and may change in place. */
  #handedOut: Set<string> | undefined;
  /** Whether reading a flash leaves it. */
  #keepsFlashes = false;
  /** Stored flashes that this request does not see. */
  #hidden: Map<string, unknown> = NO_FLASHES;
  #newId: { readonly keepOld: boolean } | undefined;
  #maxAge: number | undefined;
  #knownIds: readonly string[];
  #closed = false;
  /** Called for each later change instead of throwing, after the visitor has left. */
  #onLateChange: (() => void) | undefined;
  #destroyed = false;

  constructor(mintId: () => string, initialData?: object, id?: string) {
    this.#mintId = mintId;
    this.#id = id;
    this.#knownIds = id === undefined ? [] : [id];
    if (initialData) {
      const given = Object.entries(initialData);
      this.#values = new Map(given.filter(([, value]) => value !== undefined));
      this.#flashes = new Map();
    }
  }

  /** Makes this the session that a storage has read. */
  attach(origin: Origin, storage: object): void {
    this.#origin = origin;
    this.#storage = storage;
    this.#id = origin.id;
    this.know(origin.id);
  }

  /** Adds an id that may be stored. */
  know(id: string): void {
    if (!this.#knownIds.includes(id)) this.#knownIds = [...this.#knownIds, id];
  }

  /** Ids that may be stored. Destroying the session revokes all of them. */
  get knownIds(): readonly string[] {
    return this.#knownIds;
  }

  /** The record that a storage has read or written; `undefined` if this session is new to it. */
  originIn(storage: object): Origin | undefined {
    return this.#storage === storage ? this.#origin : undefined;
  }

  /** Whether any storage has read or written the session. */
  get stored(): boolean {
    return this.#origin !== undefined;
  }

  get id(): string {
    this.#load();
    return this.#id ??= this.#mintId();
  }

  /** The stored record, without the request's changes; `undefined` for a new session. */
  get record(): SessionRecord | undefined {
    this.#load();
    return this.#record ??= this.#origin?.decode();
  }

  /** The lifetime that a commit set for the stored session, or `null`. */
  get lifetime(): StoredLifetime {
    const known = this.#origin?.lifetime;
    return known === undefined ? this.record?.lifetime ?? null : known;
  }

  get size(): number {
    return this.#load().size + this.#flashes.size;
  }

  get destroyed(): boolean {
    return this.#destroyed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get dirty(): boolean {
    if (this.#destroyed || this.#newId) return true;
    // A session without entries is not stored, and its lifetime neither.
    if (this.#maxAge !== undefined && this.size > 0) return true;
    const pending = this.#pending;
    if (
      pending &&
      pending.valueOps.size + pending.flashed.size + pending.taken.size > 0
    ) return true;
    return this.#handedOut !== undefined && this.#changedInPlace().length > 0;
  }

  /** Whether this is a new session that has not been read or changed. */
  get blank(): boolean {
    return !this.#origin && !this.#values && !this.#destroyed;
  }

  /** Leaves flashes when they are read. */
  keepFlashes(): void {
    this.#keepsFlashes = true;
  }

  /** Hides the stored flashes from this request. They stay stored. */
  hideFlashes(): void {
    this.#load();
    this.#hidden = this.#flashes;
    this.#flashes = new Map();
  }

  has(key: string): boolean {
    return this.#load().has(key) || this.#flashes.has(key);
  }

  get(key: string): unknown {
    const values = this.#load();
    const value = values.get(key);
    if (value !== undefined) {
      if (isMutable(value)) this.#handOut(key);
      return value;
    }
    if (!this.#flashes.has(key)) return undefined;
    const flash = this.#flashes.get(key);
    if (this.#keepsFlashes) return flash;
    this.#mustBeOpen("read a flash of");
    this.#takeFlash(key);
    return flash;
  }

  entries(): Record<string, unknown> {
    const values = this.#load();
    for (const [key, value] of values) {
      if (isMutable(value)) this.#handOut(key);
    }
    return Object.fromEntries(values);
  }

  set(key: string, value: unknown): void {
    if (value === undefined) return this.unset(key);
    this.#mustBeOpen("change");
    this.#load().set(key, value);
    this.#changes.valueOps.set(key, true);
  }

  unset(key: string): void {
    this.#mustBeOpen("change");
    if (this.#load().delete(key)) {
      // A value that was never stored need not be removed from the record.
      if (this.record && Object.hasOwn(this.record.values, key)) {
        this.#changes.valueOps.set(key, false);
      } else this.#changes.valueOps.delete(key);
    }
    this.#takeFlash(key);
  }

  flash(key: string, value: unknown): void {
    this.#mustBeOpen("change");
    this.#load();
    this.#takeFlash(key);
    if (value === undefined) return;
    this.#flashes.set(key, value);
    this.#changes.flashed.add(key);
  }

  regenerate(keepOld: boolean): void {
    this.#mustBeOpen("change");
    this.#load();
    // After several calls, the old id is kept only if every call keeps it.
    this.#newId = { keepOld: keepOld && this.#newId?.keepOld !== false };
    this.#id = undefined;
  }

  setMaxAge(seconds: number): void {
    this.#mustBeOpen("change");
    this.#load();
    this.#maxAge = checkSeconds("maxAge", seconds);
  }

  destroy(): void {
    if (this.#destroyed) return;
    if (this.#closed && !this.#onLateChange) throw lateChange("destroy");
    this.end();
    this.#onLateChange?.();
  }

  /** Empties the session and marks it as destroyed. A save calls this if the lifetime has already expired. */
  end(): void {
    this.#destroyed = true;
    this.#values = new Map();
    this.#flashes = new Map();
    this.#hidden = NO_FLASHES;
    this.#pending = undefined;
  }

  /** Makes later changes throw, because the response was sent and they would not be saved. */
  close(): void {
    this.#closed = true;
  }

  /** The lifetime that the request set, in seconds. */
  get maxAge(): number | undefined {
    return this.#maxAge;
  }

  /**
   * Returns the changes for one save by a storage, and resets them. If another storage read the session, every entry is
   * a change.
   *
   * @throws {SessionError} If a value is not JSON: `unserializable`. The changes are then not reset.
   */
  takeChanges(storage: object): Changes {
    const entries = this.#load();
    const values = encodeTexts(entries);
    const flashes = encodeTexts([...this.#hidden, ...this.#flashes]);
    const origin = this.originIn(storage);
    const pending = this.#changes;
    const taken = new Map<string, string>();
    if (origin && pending.taken.size > 0) {
      const pristine = origin.decode()?.flashes ?? {};
      for (const key of pending.taken) {
        if (!Object.hasOwn(pristine, key)) continue;
        taken.set(key, encodeJson(pristine[key], key));
      }
    }
    for (const key of origin ? this.#changedInPlace() : values.keys()) {
      pending.valueOps.set(key, true);
    }
    for (const key of pending.valueOps.keys()) {
      if (isMutable(entries.get(key))) this.#handOut(key);
    }
    const newId = this.#newId;
    this.#newId = undefined;
    this.#pending = undefined;
    return {
      values,
      flashes,
      valueOps: pending.valueOps,
      flashed: origin ? pending.flashed : new Set(flashes.keys()),
      taken,
      maxAge: this.#maxAge,
      newId,
    };
  }

  /** Restores changes whose save failed, so that the next save stores them. */
  restore(changes: Changes): void {
    this.#newId ??= changes.newId;
    if (this.#destroyed) return;
    const pending = this.#changes;
    for (const [key, isSet] of changes.valueOps) {
      if (!pending.valueOps.has(key)) pending.valueOps.set(key, isSet);
    }
    for (const key of changes.flashed) {
      if (this.#flashes.has(key)) pending.flashed.add(key);
    }
    for (const key of changes.taken.keys()) pending.taken.add(key);
  }

  /**
   * Makes the record that a save has written the new origin.
   *
   * @param merged Whether the record includes changes of other requests. The session then shows them.
   */
  committed(
    origin: Origin,
    storage: object,
    changes: Changes,
    merged: boolean,
  ): void {
    if (this.#maxAge === changes.maxAge) this.#maxAge = undefined;
    this.attach(origin, storage);
    if (this.#newId) this.#id = undefined; // called again while the save ran
    this.#record = undefined;
    if (this.#destroyed) return;
    // Keys removed while the save ran are stored now, so their removal is a change.
    const values = this.#load();
    for (const key of changes.values.keys()) {
      if (!values.has(key)) this.#changes.valueOps.set(key, false);
    }
    for (const key of changes.flashes.keys()) {
      if (!this.#flashes.has(key) && !this.#hidden.has(key)) {
        this.#changes.taken.add(key);
      }
    }
    if (merged) this.#showMerged(origin.decode(), changes);
  }

  #showMerged(record: SessionRecord | undefined, changes: Changes): void {
    const mine = this.#load();
    const values = new Map(Object.entries(record?.values ?? {}));
    for (const key of this.#handedOut ?? []) {
      // Keep the object that the application has, unless another request changed it.
      const text = changes.values.get(key);
      if (text !== undefined && text === textOf(values.get(key))) {
        values.set(key, mine.get(key));
      }
    }
    for (const ops of [changes.valueOps, this.#changes.valueOps]) {
      for (const key of ops.keys()) {
        if (mine.has(key)) values.set(key, mine.get(key));
        else values.delete(key);
      }
    }
    this.#values = values;
    const flashes = new Map(Object.entries(record?.flashes ?? {}));
    for (const key of this.#changes.taken) flashes.delete(key);
    for (const key of this.#changes.flashed) {
      flashes.set(key, this.#flashes.get(key));
    }
    this.#flashes = flashes;
  }

  #load(): Map<string, unknown> {
    if (this.#values) return this.#values;
    if (this.#origin) {
      this.#record = this.#origin.decode();
      if (!this.#record) {
        this.#origin = undefined;
        this.#id = undefined;
      }
    }
    this.#flashes = new Map(Object.entries(this.#record?.flashes ?? {}));
    return this.#values = new Map(Object.entries(this.#record?.values ?? {}));
  }

  #changedInPlace(): string[] {
    if (!this.#handedOut || !this.#origin) return [];
    const pristine = this.#origin.decode()?.values ?? {};
    return [...this.#handedOut].filter((key) => {
      const value = this.#values?.get(key);
      return isMutable(value) && !this.#changes.valueOps.has(key) &&
        !sameJson(value, pristine[key]);
    });
  }

  #takeFlash(key: string): void {
    this.#flashes.delete(key);
    this.#hidden.delete(key);
    this.#pending?.flashed.delete(key);
    if (this.record && Object.hasOwn(this.record.flashes, key)) {
      this.#changes.taken.add(key);
    }
  }

  get #changes(): Pending {
    return this.#pending ??= {
      valueOps: new Map(),
      flashed: new Set(),
      taken: new Set(),
    };
  }

  #handOut(key: string): void {
    (this.#handedOut ??= new Set()).add(key);
  }

  #mustBeOpen(verb: string): void {
    if (this.#closed && !this.#onLateChange) throw lateChange(verb);
    if (this.#destroyed) {
      throw new SessionError(
        "destroyed",
        `Cannot ${verb} session: it was destroyed`,
      );
    }
    this.#onLateChange?.();
  }

  /**
   * Closes the session, because the visitor has left. Later changes do not throw, since the handler could not know.
   *
   * @param onLateChange Called for each later change. `destroyed` says whether it was a logout, which must be saved;
   * other changes must not be saved.
   */
  abandon(onLateChange: () => void): void {
    this.#closed = true;
    this.#onLateChange = onLateChange;
  }
}

function lateChange(verb: string): SessionError {
  return new SessionError(
    "late-change",
    `Cannot ${verb} session: its response has already been sent, so the change would be lost`,
  );
}
