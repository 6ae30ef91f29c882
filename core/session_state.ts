/**
 * The state behind a session: what was read, and what the request changed since.
 *
 * @module
 */
import { SessionError } from "./errors.ts";
import {
  type Changes,
  isAny,
  isMutable,
  type Ops,
  sameJson,
  textOf,
} from "./changes.ts";
import { encodeJson } from "./json.ts";
import { checkSeconds } from "./lifetime.ts";
import { encodeTexts, type SessionRecord } from "./record.ts";

/** What a storage read, or saved. */
export interface Origin {
  readonly id: string;
  /** The storage, as an identity: another storage's session is new to this one. */
  readonly home: object;
  /** The engine's version of the record. */
  readonly version: unknown;
  /** Until when the engine holds the record, in milliseconds. */
  readonly expires: number;
  /** Whether the id was made for this read, because what was read has none. */
  readonly unnamed?: boolean;
  /** Decodes the record, afresh each time; `undefined` where it turns out to be corrupt or over. */
  readonly decode: () => SessionRecord | undefined;
}

/** Stands in for flashes until the record is loaded. */
const NONE: Map<string, unknown> = new Map();

export class SessionState {
  /** What is stored; `undefined` for a new session. */
  origin: Origin | undefined;
  destroyed = false;
  /** The request has given the session a new id that is not stored yet. */
  regenerated = false;
  /** Whether the old record outlives the new id. */
  keepOld = false;
  /** The lifetime, in seconds, that the request gives the session for good. */
  maxAge: number | undefined;
  /** The response has gone. */
  closed = false;
  /** Ids that may be stored, and that a destroyed session takes with it. */
  knownIds: readonly string[] = [];
  /** The cookie's value as it came, and in the form that it had there: what has not changed is not signed again. */
  sentBy: { readonly value: unknown; readonly text: string } | undefined;
  /** The visitor's cookie does not lead to what was read: the next save sends one that does. */
  unsent = false;
  /** The save in flight: saves of one session follow each other. */
  saving: Promise<unknown> | undefined;

  readonly #mintId: () => string;
  #id: string | undefined;
  /** The stored record; its keys are read, its values are the application's to change. */
  #base: SessionRecord | undefined;
  #values: Map<string, unknown> | undefined;
  #flashes: Map<string, unknown> = NONE;
  // Made when they are needed: most requests change nothing, and many have no session at all.
  #changes: Ops | undefined;
  /** Keys whose object or array the application holds and may change in place. */
  #handedOut: Set<string> | undefined;

  constructor(mintId: () => string, initialData?: object, id?: string) {
    this.#mintId = mintId;
    this.#id = id;
    if (id !== undefined) this.knownIds = [id];
    if (initialData) {
      const given = Object.entries(initialData);
      this.#values = new Map(given.filter(([, value]) => value !== undefined));
      this.#flashes = new Map();
    }
  }

  /** Makes this the session that a storage has read. */
  attach(origin: Origin): void {
    this.origin = origin;
    this.#id = origin.id;
    this.know(origin.id);
  }

  /** Notes down an id that may be stored. */
  know(id: string): void {
    if (!this.knownIds.includes(id)) this.knownIds = [...this.knownIds, id];
  }

  get id(): string {
    this.#load();
    return this.#id ??= this.#mintId();
  }

  /** The stored record, without regard to what the request changed; `undefined` for a new session. */
  get base(): SessionRecord | undefined {
    this.#load();
    return this.#base ??= this.origin?.decode();
  }

  get size(): number {
    return this.#load().size + this.#flashes.size;
  }

  get dirty(): boolean {
    return this.destroyed || this.regenerated || this.#hasLifetime ||
      this.#changes !== undefined && isAny(this.#changes) ||
      this.#changedInPlace().length > 0;
  }

  /** Whether this is a new session that nobody has touched. */
  get blank(): boolean {
    return !this.origin && !this.#values && !this.destroyed;
  }

  has(key: string): boolean {
    return this.#load().has(key) || this.#flashes.has(key);
  }

  get(key: string): unknown {
    const values = this.#load();
    if (values.has(key)) {
      const value = values.get(key);
      if (isMutable(value)) this.#handOut(key);
      return value;
    }
    if (!this.#flashes.has(key)) return undefined;
    this.#mustBeOpen("read a flash of");
    const value = this.#flashes.get(key);
    this.#takeFlash(key);
    return value;
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
    this.#ops.valueOps.set(key, true);
  }

  unset(key: string): void {
    this.#mustBeOpen("change");
    if (this.#load().delete(key)) {
      // What this request set and nobody stored leaves no trace.
      if (this.base && Object.hasOwn(this.base.values, key)) {
        this.#ops.valueOps.set(key, false);
      } else this.#ops.valueOps.delete(key);
    }
    this.#takeFlash(key);
  }

  flash(key: string, value: unknown): void {
    this.#mustBeOpen("change");
    this.#load();
    this.#takeFlash(key);
    if (value === undefined) return;
    this.#flashes.set(key, value);
    this.#ops.flashed.add(key);
  }

  regenerate(keepOld: boolean): void {
    this.#mustBeOpen("change");
    this.#load();
    // Of several calls in one request, one that lets the old id die is enough.
    this.keepOld = keepOld && (this.keepOld || !this.regenerated);
    this.regenerated = true;
    this.#id = undefined;
  }

  setMaxAge(seconds: number): void {
    this.#mustBeOpen("change");
    this.#load();
    this.maxAge = checkSeconds("maxAge", seconds);
  }

  destroy(): void {
    if (this.destroyed) return;
    if (this.closed) throw lateChange("destroy");
    this.end();
  }

  /** Empties the session for good, also where a save finds that its lifetime is over. */
  end(): void {
    this.destroyed = true;
    this.#values = new Map();
    this.#flashes.clear();
    this.#takeOps();
  }

  /**
   * Hands over what the request changed, for one save. A session from elsewhere is all change to the storage `home`.
   *
   * @throws {SessionError} If a value is not JSON: `unserializable`. Nothing is handed over then.
   */
  takeChanges(home: object): Changes {
    const values = encodeTexts(this.#load());
    const flashes = encodeTexts(this.#flashes);
    const stored = this.origin?.home === home;
    const taken = new Map<string, string>();
    if (stored && this.#ops.taken.size > 0) {
      const pristine = this.origin?.decode()?.flashes ?? {};
      for (const key of this.#ops.taken) {
        if (!Object.hasOwn(pristine, key)) continue;
        taken.set(key, encodeJson(pristine[key], key));
      }
    }
    for (const key of stored ? this.#changedInPlace() : values.keys()) {
      this.#ops.valueOps.set(key, true);
    }
    for (const [key, value] of this.#load()) {
      if (this.#ops.valueOps.has(key) && isMutable(value)) this.#handOut(key);
    }
    const { valueOps, flashed } = this.#takeOps();
    return {
      values,
      flashes,
      valueOps,
      flashed: stored ? flashed : new Set(flashes.keys()),
      taken,
      maxAge: this.maxAge,
    };
  }

  /** Takes changes back whose save failed, so that the next save makes up for it. */
  restore(changes: Changes): void {
    if (this.destroyed) return;
    for (const [key, isSet] of changes.valueOps) {
      if (!this.#ops.valueOps.has(key)) this.#ops.valueOps.set(key, isSet);
    }
    for (const key of changes.flashed) {
      if (this.#flashes.has(key)) this.#ops.flashed.add(key);
    }
    for (const key of changes.taken.keys()) this.#ops.taken.add(key);
  }

  /**
   * Makes a saved record what the session is based on.
   *
   * @param merged Whether it holds other requests' changes too, which this session then shows.
   */
  committed(origin: Origin, changes: Changes, merged: boolean): void {
    if (this.maxAge === changes.maxAge) this.maxAge = undefined;
    this.unsent = false;
    this.attach(origin);
    if (this.regenerated) this.#id = undefined; // again, while the save ran
    this.#base = undefined;
    if (this.destroyed) return;
    this.#noteRemovals(changes);
    if (merged) this.#showMerged(origin.decode(), changes);
  }

  /** Removing what was not stored leaves no trace; while a save ran, it was about to be. */
  #noteRemovals({ values, flashes }: Changes): void {
    const mine = this.#load();
    for (const key of values.keys()) {
      if (!mine.has(key)) this.#ops.valueOps.set(key, false);
    }
    for (const key of flashes.keys()) {
      if (!this.#flashes.has(key)) this.#ops.taken.add(key);
    }
  }

  #showMerged(record: SessionRecord | undefined, changes: Changes): void {
    const mine = this.#load();
    const values = new Map(Object.entries(record?.values ?? {}));
    for (const key of this.#handedOut ?? []) {
      // Where nobody else has changed it, it stays the very object that the application holds, and may change again.
      const text = changes.values.get(key);
      if (text !== undefined && text === textOf(values.get(key))) {
        values.set(key, mine.get(key));
      }
    }
    for (const ops of [changes.valueOps, this.#ops.valueOps]) {
      for (const key of ops.keys()) {
        if (mine.has(key)) values.set(key, mine.get(key));
        else values.delete(key);
      }
    }
    this.#values = values;
    const flashes = new Map(Object.entries(record?.flashes ?? {}));
    for (const key of this.#ops.taken) flashes.delete(key);
    for (const key of this.#ops.flashed) {
      flashes.set(key, this.#flashes.get(key));
    }
    this.#flashes = flashes;
  }

  #load(): Map<string, unknown> {
    if (this.#values) return this.#values;
    if (this.origin) {
      this.#base = this.origin.decode();
      if (!this.#base) {
        this.origin = undefined;
        this.#id = undefined;
      }
    }
    this.#flashes = new Map(Object.entries(this.#base?.flashes ?? {}));
    return this.#values = new Map(Object.entries(this.#base?.values ?? {}));
  }

  #changedInPlace(): string[] {
    if (!this.#handedOut || !this.origin) return [];
    const pristine = this.origin.decode()?.values ?? {};
    return [...this.#handedOut].filter((key) => {
      const value = this.#values?.get(key);
      return isMutable(value) && !this.#ops.valueOps.has(key) &&
        !sameJson(value, pristine[key]);
    });
  }

  #takeFlash(key: string): void {
    this.#flashes.delete(key);
    this.#ops.flashed.delete(key);
    if (this.base && Object.hasOwn(this.base.flashes, key)) {
      this.#ops.taken.add(key);
    }
  }

  /** A lifetime alone is nothing to keep. */
  get #hasLifetime(): boolean {
    return this.maxAge !== undefined && this.size > 0;
  }

  get #ops(): Ops {
    return this.#changes ??= {
      valueOps: new Map(),
      flashed: new Set(),
      taken: new Set(),
    };
  }

  #takeOps(): Ops {
    const ops = this.#ops;
    this.#changes = undefined;
    return ops;
  }

  #handOut(key: string): void {
    (this.#handedOut ??= new Set()).add(key);
  }

  #mustBeOpen(verb: string): void {
    if (this.closed) throw lateChange(verb);
    if (this.destroyed) {
      throw new SessionError(
        "destroyed",
        `Cannot ${verb} session: it was destroyed`,
      );
    }
  }
}

function lateChange(verb: string): SessionError {
  return new SessionError(
    "late-change",
    `Cannot ${verb} session: its response has gone, and nothing would save the change`,
  );
}
