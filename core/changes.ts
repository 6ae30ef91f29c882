/**
 * What a request changed in a session.
 *
 * @module
 */
import { encodeJson } from "./json.ts";
import {
  encodeRecordEntries,
  type Entries,
  type SessionRecord,
} from "./record.ts";

/** Which keys a session keeps: all, or those. */
export type Kept = ReadonlySet<string> | "all";

/** What a request changed, and all entries as of the start of its save. */
export interface Changes extends Entries {
  /** The stored entries that the session keeps. */
  readonly kept: Kept;
  /** Keys that were set (`true`) or unset (`false`). */
  readonly valueOps: ReadonlyMap<string, boolean>;
  /** Keys that were flashed. */
  readonly flashed: readonly string[];
  /** Stored flashes that were read, replaced or unset. */
  readonly taken: ReadonlyMap<string, Taken>;
  /** The lifetime that the request set, in seconds; `null` if it took the session's own lifetime back. */
  readonly maxAge: number | null | undefined;
  /** Set if the session takes a new id. */
  readonly newId: NewId | undefined;
  /** The stored values to replace, because they are in an older shape; `undefined` if there are none. */
  readonly migration?: Migration | undefined;
}

/** The text of a value as it was read, and after a migration; `undefined` if there is no value. */
export type MigratedText = readonly [
  before: string | undefined,
  after: string | undefined,
];

/** The values that a migration changes. */
export type Migration = ReadonlyMap<string, MigratedText>;

/** A session takes a new id. */
export interface NewId {
  /** Keeps the record under the old id. */
  readonly keepOld: boolean;
  /** Set if the session begins anew, because the visitor signs in. */
  readonly restart?: Restart | undefined;
}

/** A session begins anew. */
export interface Restart {
  /** Whether its lifetime stays. */
  readonly keepsLifetime: boolean;
  /** When the visitor signed in, in milliseconds; `undefined` for when the session is saved. */
  readonly at: number | undefined;
}

/** A flash that was removed: as it was stored, or `any` if the request removed whatever is stored under the key. */
export type Taken =
  | { readonly text: string; readonly tag: string | undefined }
  | "any";

/** The newest record's entries with a request's changes applied. */
export function merge(newest: SessionRecord, changes: Changes): Entries {
  const { values, flashes, tags } = encodeRecordEntries(newest);
  const tagged = new Map(tags);
  const migration = [...changes.migration ?? []];
  // All or nothing: another request may have migrated the record, or an older release has changed it.
  if (migration.every(([key, [before]]) => values.get(key) === before)) {
    for (const [key, [, after]] of migration) {
      if (after === undefined) values.delete(key);
      else values.set(key, after);
    }
  }
  if (changes.newId) {
    for (const key of values.keys()) {
      if (isToken(key) && !changes.valueOps.get(key)) values.delete(key);
    }
  }
  if (changes.kept !== "all") {
    for (const key of values.keys()) {
      if (!changes.kept.has(key)) values.delete(key);
    }
    for (const key of flashes.keys()) {
      if (!changes.kept.has(key)) flashes.delete(key);
    }
  }
  for (const [key, isSet] of changes.valueOps) {
    const text = changes.values.get(key);
    if (isSet && text !== undefined) values.set(key, text);
    else values.delete(key);
  }
  for (const [key, taken] of changes.taken) {
    // A flash with another tag was set by another request after this one read it.
    const same = taken === "any" ||
      taken.text === flashes.get(key) && taken.tag === tagged.get(key);
    if (same) flashes.delete(key);
  }
  for (const key of changes.flashed) {
    const text = changes.flashes.get(key);
    const tag = changes.tags?.get(key);
    if (text !== undefined) flashes.set(key, text);
    if (tag !== undefined) tagged.set(key, tag);
  }
  for (const key of tagged.keys()) {
    if (!flashes.has(key)) tagged.delete(key);
  }
  return { values, flashes, tags: tagged };
}

/** What the keys of CSRF tokens begin with. */
export const TOKEN = "__csrf_";

/** Whether a key is that of a CSRF token. They do not survive a new id: whoever knew the old id may know them. */
export function isToken(key: string): boolean {
  return key.startsWith(TOKEN);
}

/** Whether a value can be changed in place. */
export function isMutable(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** A value's JSON text; `undefined` if it is not JSON, which the save reports. */
export function textOf(value: unknown): string | undefined {
  try {
    return encodeJson(value, "");
  } catch {
    return undefined;
  }
}
