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

/** What a request changed, and all entries as of the start of its save. */
export interface Changes extends Entries {
  /** Keys that were set (`true`) or unset (`false`). */
  readonly valueOps: ReadonlyMap<string, boolean>;
  /** Keys that were flashed. */
  readonly flashed: ReadonlySet<string>;
  /** Stored flashes that were read, replaced or unset, with their texts. */
  readonly taken: ReadonlyMap<string, string>;
  /** The lifetime that the request set, in seconds. */
  readonly maxAge: number | undefined;
  /** Set if the session takes a new id. `keepOld` keeps the record under the old id. */
  readonly newId: { readonly keepOld: boolean } | undefined;
}

/** The newest record's entries with a request's changes applied. */
export function merge(newest: SessionRecord, changes: Changes): Entries {
  const { values, flashes } = encodeRecordEntries(newest);
  for (const [key, isSet] of changes.valueOps) {
    const text = changes.values.get(key);
    if (isSet && text !== undefined) values.set(key, text);
    else values.delete(key);
  }
  for (const [key, text] of changes.taken) {
    // A flash with another text was set by another request after this one read it.
    if (flashes.get(key) === text) flashes.delete(key);
  }
  for (const key of changes.flashed) {
    const text = changes.flashes.get(key);
    if (text !== undefined) flashes.set(key, text);
  }
  return { values, flashes };
}

/** Whether a value can be changed in place. */
export function isMutable(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Whether two values have the same JSON text. */
export function sameJson(value: unknown, stored: unknown): boolean {
  const text = textOf(value);
  return text !== undefined && text === textOf(stored);
}

/** A value's JSON text; `undefined` if it is not JSON, which the save reports. */
export function textOf(value: unknown): string | undefined {
  try {
    return encodeJson(value, "");
  } catch {
    return undefined;
  }
}
