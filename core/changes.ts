/**
 * What a request changed in a session.
 *
 * @module
 */
import { encodeJson } from "./json.ts";
import { encodeTexts, type EntryTexts, type SessionRecord } from "./record.ts";

/** What a request changed, and all entries as they stood when its save began, as JSON text. */
export interface Changes extends EntryTexts {
  /** Keys set (`true`) and unset (`false`). */
  readonly valueOps: ReadonlyMap<string, boolean>;
  /** Keys flashed. */
  readonly flashed: ReadonlySet<string>;
  /** Stored flashes that were consumed, replaced or unset, with their text. */
  readonly taken: ReadonlyMap<string, string>;
  /** The lifetime that the request gave the session, in seconds. */
  readonly maxAge: number | undefined;
}

/** What happened since the last save. */
export interface Ops {
  readonly valueOps: Map<string, boolean>;
  readonly flashed: Set<string>;
  readonly taken: Set<string>;
}

/** The newest record's entries with this request's changes on top. */
export function merge(newest: SessionRecord, changes: Changes): EntryTexts {
  const values = encodeTexts(Object.entries(newest.values));
  for (const [key, isSet] of changes.valueOps) {
    const text = changes.values.get(key);
    if (isSet && text !== undefined) values.set(key, text);
    else values.delete(key);
  }
  const flashes = encodeTexts(Object.entries(newest.flashes));
  for (const [key, text] of changes.taken) {
    // A flash that another request has set since is not the one that was read.
    if (flashes.get(key) === text) flashes.delete(key);
  }
  for (const key of changes.flashed) {
    const text = changes.flashes.get(key);
    if (text !== undefined) flashes.set(key, text);
  }
  return { values, flashes };
}

/** Whether anything happened. */
export function isAny({ valueOps, flashed, taken }: Ops): boolean {
  return valueOps.size > 0 || flashed.size > 0 || taken.size > 0;
}

/** Whether a value can be changed in place. */
export function isMutable(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Whether two values have one JSON text. */
export function sameJson(value: unknown, stored: unknown): boolean {
  const text = textOf(value);
  return text !== undefined && text === textOf(stored);
}

/** A value's JSON text; `undefined` where it has none, and saving it will say why. */
export function textOf(value: unknown): string | undefined {
  try {
    return encodeJson(value, "");
  } catch {
    return undefined;
  }
}
