/**
 * The state of a session: the record that it was read from, and what the request has changed.
 *
 * @module
 */
import { toBase64Url } from "./bytes.ts";
import {
  type Changes,
  isMutable,
  isToken,
  type Kept,
  type NewId,
  type Taken,
  textOf,
} from "./changes.ts";
import { SessionError } from "./errors.ts";
import { encodeJson, exactText } from "./json.ts";
import { checkSeconds, type StoredLifetime } from "./lifetime.ts";
import {
  encodeRecordEntries,
  encodeTexts,
  flashName,
  type SessionRecord,
  type StoredTexts,
} from "./record.ts";
import { randomBytes } from "./runtime.ts";
import type { Shown } from "./shown.ts";

/** A record that a storage has read or written. */
export interface Origin {
  readonly id: string;
  /** The record's lifetime, if it is known without decoding. */
  readonly lifetime?: StoredLifetime | undefined;
  /** Decodes the record, into new objects each time; `undefined` if it is corrupt or expired. */
  decode(): SessionRecord | undefined;
  /** As {@linkcode storedTexts}, of a record that could be decoded. */
  readonly texts?:
    | ((
      expected: ReadonlyMap<string, string> | undefined,
    ) => StoredTexts | undefined)
    | undefined;
}

// Most sessions have none of these, and most requests change none. Nobody adds to them.
const NO_FLASHES: Map<string, unknown> = /* @__PURE__ */ new Map();
const NO_TEXTS: ReadonlyMap<string, never> = /* @__PURE__ */ new Map<
  string,
  never
>();
const NO_IDS: readonly string[] = [];

/** What a request changed since the last save. */
interface Pending {
  /** Keys set (`true`) and unset (`false`), whether they are stored or not. */
  readonly valueOps: Map<string, boolean>;
  /** Keys flashed, each with a tag that tells the flash from another one with the same text. */
  readonly flashed: Map<string, string>;
  /** Flashes removed: `read` for one that the request has seen, `any` for whatever is stored. */
  readonly taken: Map<string, "read" | "any">;
}

/** The bytes of a flash's tag. Two flashes of one key are mistaken for each other only if both text and tag are equal. */
const TAG_BYTES = 3;

export class SessionState {
  /** The last save that others must wait for; `now` for one that is running and does not wait for anything so far. */
  saving: Promise<unknown> | "now" | undefined;
  readonly #mintId: () => string;
  #id: string | undefined;
  #origin: Origin | undefined;
  /** The storage that read or wrote the origin. For any other storage the session is new. */
  #storage: object | undefined;
  /** The decoded origin. The application may change its values, but its set of keys stays. */
  #record: SessionRecord | undefined;
  #values: Map<string, unknown> | undefined;
  #flashes: Map<string, unknown> = NO_FLASHES;
  /** How the values that the application receives differ from the stored ones, if a schema converts them. */
  #shown: Shown | undefined;
  /** The record that did not fit the schema, and the storage that read it. */
  #misfit: { readonly record: Origin; readonly storage: object } | undefined;
  // Created on demand, because most requests do not change the session.
  #pending: Pending | undefined;
  /** The texts of the origin's entries, once they were needed. */
  #texts: StoredTexts | undefined;
  /** Keys of objects and arrays that the application has received and may change in place. */
  #handedOut: Set<string> | undefined;
  /** The texts of those that were changed in place, when that was last looked for; `undefined` for one that is not JSON. */
  #inPlace: ReadonlyMap<string, string | undefined> | undefined;
  /** Whether reading a flash leaves it. */
  #keepsFlashes = false;
  /** Whether the request's answer is not shown to the visitor now, or not at all. */
  #unseen = false;
  /** The clock of the storage that read the session. */
  #now: (() => number) | undefined;
  /** The note that the request's id was replaced, and the storage that found it. */
  #replaced: { readonly note: Origin; readonly storage: object } | undefined;
  /** Stored flashes that this request does not see. */
  #hidden: Map<string, unknown> = NO_FLASHES;
  #newId: NewId | undefined;
  #authenticatedAt: number | undefined;
  #kept: Kept = "all";
  #maxAge: number | null | undefined;
  /** The last id that this session made for itself. */
  #mintedId: string | undefined;
  #knownIds: readonly string[] = NO_IDS;
  /** Ids under which a save has tried to store the session. */
  #tried: readonly string[] = NO_IDS;
  #closed = false;
  /** Called for each later change instead of throwing, after the visitor has left. */
  #onLateChange: (() => void) | undefined;
  #destroyed = false;

  constructor(mintId: () => string, initialData?: object, id?: string) {
    this.#mintId = mintId;
    this.#id = id;
    if (id !== undefined) this.know(id);
    if (initialData) {
      const given = Object.entries(initialData);
      this.#values = new Map(given.filter(([, value]) => value !== undefined));
    }
  }

  /** Makes this the session that a storage has read. */
  attach(origin: Origin, storage: object): void {
    this.#origin = origin;
    this.#record = undefined;
    this.#texts = undefined;
    this.#inPlace = undefined;
    this.#storage = storage;
    this.#id = origin.id;
    this.know(origin.id);
  }

  /** Shows the values of the record that was read as a schema converts them. */
  show(shown: Shown): void {
    this.#load();
    this.#shown = shown;
    this.#values = shown.values;
  }

  /** Makes this a new session, because the record that was read does not fit the schema. */
  detach(): void {
    if (!this.#origin || !this.#storage) return;
    this.#misfit = { record: this.#origin, storage: this.#storage };
    this.#origin = undefined;
    this.#record = undefined;
    this.#values = undefined;
    this.#flashes = NO_FLASHES;
    this.#id = undefined;
  }

  /** The record that did not fit, if the storage read it. The session replaces it once it is saved. */
  misfitIn(storage: object): Origin | undefined {
    return this.#misfit?.storage === storage ? this.#misfit.record : undefined;
  }

  /** Sets the clock. */
  keepTime(now: () => number): void {
    this.#now = now;
  }

  /** Makes this the empty session of a request whose id was just replaced. */
  replacedBy(note: Origin, storage: object): void {
    this.#replaced = { note, storage };
  }

  /** The note that the request's id was replaced, if the storage found it. */
  noteIn(storage: object): Origin | undefined {
    return this.#replaced?.storage === storage
      ? this.#replaced.note
      : undefined;
  }

  /** Whether the session is to begin anew under a new id. */
  get restarts(): boolean {
    return this.#newId?.restart !== undefined;
  }

  /** Whether the next save replaces the id, so that the old one must not work any more. */
  get replacesId(): boolean {
    return this.#newId?.keepOld === false;
  }

  /** Adds an id that may be stored. */
  know(id: string): void {
    const known = this.#knownIds;
    if (!known.includes(id)) this.#knownIds = [...known, id];
  }

  /** Whether the session made the id for itself. Otherwise another session may have it. */
  minted(id: string): boolean {
    return id === this.#mintedId;
  }

  /** Whether an earlier save may have stored the session under the id. From now on it may. */
  tried(id: string): boolean {
    const again = this.#tried.includes(id);
    if (!again) this.#tried = [...this.#tried, id];
    this.know(id);
    return again;
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
    return this.#id ??= this.#mintedId = this.#mintId();
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
    // What changes in place after the response was made counts no more.
    if (!this.#closed) this.#inPlace = undefined;
    if (this.#destroyed || this.#newId) return true;
    // A session without entries is not stored, and its lifetime neither.
    if (this.#maxAge !== undefined && this.size > 0) return true;
    if (this.#kept !== "all" && this.#drops(this.#kept)) return true;
    if (this.#pending && this.#matters(this.#pending)) return true;
    return this.#changedInPlace().size > 0;
  }

  /** Keys that were unset and that the stored record does not have. Another request may have set them since. */
  get unsetUnread(): string[] {
    const { values = {} } = this.record ?? {};
    return [...this.#pending?.valueOps ?? []].flatMap(([key, isSet]) =>
      isSet || Object.hasOwn(values, key) ? [] : [key]
    );
  }

  /** When the visitor last signed in, in milliseconds. */
  get authenticatedAt(): number | undefined {
    return this.#authenticatedAt ?? this.record?.authenticated;
  }

  /** Whether the visitor sees the answer, so that the request may renew the session and its cookie. */
  get seen(): boolean {
    return !this.#unseen;
  }

  /** Whether removing all but the kept entries changes the stored record. */
  #drops(kept: ReadonlySet<string>): boolean {
    const { values = {}, flashes = {} } = this.record ?? {};
    return [...Object.keys(values), ...Object.keys(flashes)]
      .some((key) => !kept.has(key));
  }

  /** Whether there is more than keys unset that the stored record does not have. */
  #matters({ valueOps, flashed, taken }: Pending): boolean {
    if (flashed.size > 0) return true;
    const { values = {}, flashes = {} } = this.record ?? {};
    for (const [key, isSet] of valueOps) {
      if (isSet || Object.hasOwn(values, key)) return true;
      if (this.#shown?.migration?.has(key)) return true;
    }
    for (const key of taken.keys()) {
      if (Object.hasOwn(flashes, key)) return true;
    }
    return false;
  }

  /** Whether this is a new session in which nothing was changed. */
  get blank(): boolean {
    return !this.#origin && !this.#destroyed && !this.#newId &&
      !this.#pending && this.#kept === "all" && !this.#values?.size;
  }

  /** Leaves flashes when they are read. */
  keepFlashes(): void {
    this.#keepsFlashes = true;
    this.#unseen = true;
  }

  /** Hides the stored flashes from this request. They stay stored. */
  hideFlashes(): void {
    this.#load();
    this.#hidden = this.#flashes;
    this.#flashes = NO_FLASHES;
    this.#unseen = true;
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
    this.#takeFlash(key, "read");
    return flash;
  }

  /** The values, and the unread flashes under their names in React Router's format. */
  entries(): Record<string, unknown> {
    const values = this.#load();
    for (const [key, value] of values) {
      if (isMutable(value)) this.#handOut(key);
    }
    const entries = Object.fromEntries(values);
    for (const [key, flash] of this.#flashes) entries[flashName(key)] = flash;
    return entries;
  }

  set(key: string, value: unknown): void {
    if (value === undefined) return this.unset(key);
    this.#mustBeOpen("change");
    this.#load().set(key, value);
    this.#changes.valueOps.set(key, true);
  }

  unset(key: string): void {
    this.#mustBeOpen("change");
    this.#load().delete(key);
    // Even if the record does not have the key: another request may set it before this one is saved.
    this.#changes.valueOps.set(key, false);
    this.#takeFlash(key, "any");
  }

  /** Removes all entries. */
  clear(): void {
    this.#mustBeOpen("change");
    this.#keepOnly(new Set());
  }

  #keepOnly(kept: ReadonlySet<string>): void {
    const before = this.#kept;
    const entries = [
      this.#load(),
      this.#flashes,
      this.#hidden,
      this.#handedOut,
      ...Object.values(this.#pending ?? {}),
    ];
    for (const keyed of entries) {
      for (const key of keyed?.keys() ?? []) {
        if (!kept.has(key)) keyed.delete(key);
      }
    }
    this.#kept = before === "all"
      ? kept
      : new Set([...before].filter((key) => kept.has(key)));
  }

  flash(key: string, value: unknown): void {
    this.#mustBeOpen("change");
    this.#load();
    this.#takeFlash(key, "any");
    if (value === undefined) return;
    if (this.#flashes === NO_FLASHES) this.#flashes = new Map();
    this.#flashes.set(key, value);
    this.#changes.flashed.set(key, newTag());
  }

  regenerate(keepOld: boolean): void {
    this.#mustBeOpen("change");
    this.#dropTokens();
    const before = this.#newId;
    // After several calls, the old id is kept only if every call keeps it.
    this.#newId = {
      ...before,
      keepOld: keepOld && before?.keepOld !== false,
    };
    this.#id = undefined;
  }

  /** Begins anew, under a new id. */
  restart(kept: Kept): void {
    this.#mustBeOpen("change");
    if (kept === "all") this.#dropTokens();
    else {
      this.#keepOnly(kept);
      this.#maxAge = undefined;
    }
    const keepsLifetime = kept === "all" &&
      this.#newId?.restart?.keepsLifetime !== false;
    const at = this.#now?.();
    this.#newId = { keepOld: false, restart: { keepsLifetime, at } };
    this.#authenticatedAt = at ?? Date.now();
    this.#id = undefined;
  }

  #dropTokens(): void {
    for (const key of [...this.#load().keys()]) {
      if (isToken(key)) this.unset(key);
    }
  }

  setMaxAge(seconds: number | undefined): void {
    this.#mustBeOpen("change");
    this.#load();
    if (seconds !== undefined) {
      this.#maxAge = checkSeconds("maxAge", seconds);
    } else this.#maxAge = this.lifetime === null ? undefined : null;
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
    this.#flashes = NO_FLASHES;
    this.#hidden = NO_FLASHES;
    this.#pending = undefined;
  }

  /** Makes later changes throw, because the response was sent and they would not be saved. */
  close(): void {
    this.#closed = true;
  }

  /** The lifetime that the request set, in seconds; `null` if it took the session's own lifetime back. */
  get maxAge(): number | null | undefined {
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
    const origin = this.originIn(storage);
    const pending = this.#changes;
    const inPlace = this.#changedInPlace();
    // Found on demand: a login sets all values anew.
    const texts = () => origin && this.#storedTexts();
    // For another storage, all that the session shows is new.
    const shown = origin && this.#shown;
    const values = new Map<string, string>();
    for (const [key, value] of entries) {
      const isChanged = inPlace.has(key) || pending.valueOps.has(key);
      if (!isChanged && shown?.isAdded(key)) continue;
      const text = isChanged
        ? inPlace.get(key)
        : shown?.migratedText(key) ?? texts()?.values.get(key);
      values.set(key, text ?? encodeJson(value, key));
    }
    const { tags: stored = {} } = origin && this.record || {};
    const tagOf = (key: string) =>
      Object.hasOwn(stored, key) ? stored[key] : undefined;
    const taken = new Map<string, Taken>();
    for (const [key, which] of pending.taken) {
      if (which === "any") {
        taken.set(key, "any");
        continue;
      }
      const text = texts()?.flashes.get(key);
      if (text !== undefined) {
        taken.set(key, { text: encodedAgain(text), tag: tagOf(key) });
      }
    }
    let flashes: ReadonlyMap<string, string> = NO_TEXTS;
    const tags = new Map<string, string>();
    if (this.#hidden.size + this.#flashes.size > 0) {
      flashes = encodeTexts([...this.#hidden, ...this.#flashes]);
      for (const key of flashes.keys()) {
        const tag = pending.flashed.get(key) ??
          (origin ? tagOf(key) : newTag());
        if (tag !== undefined) tags.set(key, tag);
      }
    }
    for (const key of (origin ? inPlace : values).keys()) {
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
      tags,
      kept: this.#kept,
      valueOps: pending.valueOps,
      flashed: [...(origin ? pending.flashed : flashes).keys()],
      taken,
      maxAge: this.#maxAge,
      newId,
      migration: shown?.migration,
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
      const tag = changes.tags?.get(key);
      if (this.#flashes.has(key) && tag !== undefined) {
        pending.flashed.set(key, tag);
      }
    }
    for (const [key, taken] of changes.taken) {
      pending.taken.set(key, taken === "any" ? taken : "read");
    }
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
    if (this.#kept === changes.kept) this.#kept = "all";
    if (!this.#newId?.restart) this.#authenticatedAt = undefined;
    this.#replaced = undefined;
    this.#misfit = undefined;
    this.attach(origin, storage);
    this.#shown?.saved(changes.valueOps.keys());
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
        this.#changes.taken.set(key, "read");
      }
    }
    if (merged) this.#showMerged(origin.decode(), changes);
  }

  #showMerged(record: SessionRecord | undefined, changes: Changes): void {
    const mine = this.#load();
    const values = mapOf(record?.values);
    this.#shown?.convert(values, mine);
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
    const flashes = mapOf(record?.flashes);
    for (const key of this.#changes.taken.keys()) flashes.delete(key);
    for (const key of this.#changes.flashed.keys()) {
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
    const { values, flashes = {} } = this.#record ?? {};
    if (Object.keys(flashes).length > 0) this.#flashes = mapOf(flashes);
    return this.#values = mapOf(values);
  }

  /** The values that the application has changed in place, with their texts as in {@linkcode SessionState.#inPlace}. */
  #changedInPlace(): ReadonlyMap<string, string | undefined> {
    if (this.#inPlace) return this.#inPlace;
    if (!this.#handedOut || !this.#origin) return this.#inPlace = NO_TEXTS;
    const changed = new Map<string, string | undefined>();
    this.#inPlace = changed;
    const texts = new Map<string, string>();
    for (const key of this.#handedOut) {
      const value = this.#values?.get(key);
      if (!isMutable(value) || this.#pending?.valueOps.has(key)) continue;
      if (this.#shown?.isOpaque(key)) continue;
      const text = exactText(value);
      if (text === undefined) changed.set(key, undefined);
      else texts.set(key, text);
    }
    const stored = this.#storedTexts(texts)?.values;
    const received = (key: string) =>
      this.#shown?.textOf(key) ?? stored?.get(key);
    for (const [key, text] of texts) {
      if (text !== received(key)) changed.set(key, undefined);
    }
    for (const key of changed.keys()) {
      const text = textOf(this.#values?.get(key));
      const before = received(key);
      const same = text !== undefined && before !== undefined &&
        (text === before || text === encodedAgain(before));
      if (same) changed.delete(key);
      else changed.set(key, text);
    }
    return changed;
  }

  /**
   * The texts of the origin's entries.
   *
   * @param expected The texts that objects and arrays have now.
   */
  #storedTexts(
    expected?: ReadonlyMap<string, string>,
  ): StoredTexts | undefined {
    if (this.#texts) return this.#texts;
    const known = this.#origin?.texts?.(expected);
    if (known) return this.#texts = known;
    const record = this.#origin?.decode();
    return this.#texts = record && encodeRecordEntries(record);
  }

  #takeFlash(key: string, which: "read" | "any"): void {
    this.#flashes.delete(key);
    this.#hidden.delete(key);
    this.#pending?.flashed.delete(key);
    this.#changes.taken.set(key, which);
  }

  get #changes(): Pending {
    return this.#pending ??= {
      valueOps: new Map(),
      flashed: new Map(),
      taken: new Map(),
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

/** The entries of an object. A loop takes a third of the time of `Object.entries`. */
function mapOf(
  object: Readonly<Record<string, unknown>> = {},
): Map<string, unknown> {
  const map = new Map<string, unknown>();
  for (const key of Object.keys(object)) map.set(key, object[key]);
  return map;
}

/** A stored text as this library writes it: a database can write JSON anew, with other escapes and numbers. */
function encodedAgain(text: string): string {
  return encodeJson(JSON.parse(text), "");
}

function newTag(): string {
  return toBase64Url(randomBytes(TAG_BYTES));
}

function lateChange(verb: string): SessionError {
  return new SessionError(
    "late-change",
    `Cannot ${verb} session: its response has already been sent, so the change would be lost`,
  );
}
