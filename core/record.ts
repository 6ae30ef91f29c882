/**
 * The record of a session: JSON with its values, its flashes and what its deadline depends on.
 *
 * `[1, check, created, ends, lifetime, values, flashes]`. `check` is the beginning of the record's key, to detect
 * records that were swapped in an engine. If the session has an owner, `owner, saved` follow.
 *
 * @module
 */
import { utf8Length } from "./bytes.ts";
import { SessionError } from "./errors.ts";
import { encodeEntries, encodeJson } from "./json.ts";
import type { Life, StoredLifetime } from "./lifetime.ts";

/** A decoded record. */
export interface SessionRecord extends Life {
  /** The key of the owner's list; absent if the session does not have an owner. */
  readonly owner?: string | undefined;
  /** When the session was last saved, in milliseconds; absent without an owner. */
  readonly saved?: number | undefined;
  /** The deadline, in milliseconds, if its format has one; `Infinity` if this record does not. */
  readonly expires?: number | undefined;
  readonly values: Readonly<Record<string, unknown>>;
  readonly flashes: Readonly<Record<string, unknown>>;
}

/** The JSON texts of values and flashes. */
export interface Entries {
  readonly values: Map<string, string>;
  readonly flashes: Map<string, string>;
}

/** A record to write. */
export interface Draft extends Life {
  readonly entries: Entries;
  /** The deadline, in milliseconds. */
  readonly expires: number;
  /** As in {@linkcode SessionRecord}. */
  readonly owner?: string | undefined;
  /** As in {@linkcode SessionRecord}. */
  readonly saved?: number | undefined;
}

const VERSION = 1;

/** The length of `check`. */
const CHECKED = 8;

/**
 * The text of a record.
 *
 * @param key The engine's key; `""` for a record in a cookie.
 */
export function encodeRecord(key: string, draft: Draft): string {
  const { created, ends, lifetime, entries, owner, saved } = draft;
  const tail = owner === undefined ? "" : `,"${owner}",${saved}`;
  return `[${VERSION},"${key.slice(0, CHECKED)}",${created},${ends},${
    JSON.stringify(lifetime)
  },${encodeEntries(entries.values)},${encodeEntries(entries.flashes)}${tail}]`;
}

/** Decodes a record; `undefined` if its text was truncated, edited or swapped, or has another version. */
export function decodeRecord(
  key: string,
  text: string,
): SessionRecord | undefined {
  const parts = parseJson(text);
  if (!Array.isArray(parts)) return undefined;
  const [version, tied, created, ends, lifetime, values, flashes] = parts;
  const whole = version === VERSION && tied === key.slice(0, CHECKED) &&
    typeof created === "number" && typeof ends === "number" &&
    isLifetime(lifetime) && isObject(values) && isObject(flashes);
  if (!whole) return undefined;
  const record = { created, ends, lifetime, values, flashes };
  if (parts.length === 7) return record;
  const [owner, saved] = parts.slice(7);
  return parts.length === 9 && typeof owner === "string" &&
      typeof saved === "number"
    ? { ...record, owner, saved }
    : undefined;
}

/** The value of a JSON text; `undefined` if it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The JSON texts of a record's entries. */
export function encodeRecordEntries(
  { values, flashes }: Pick<SessionRecord, "values" | "flashes">,
): Entries {
  return {
    values: encodeTexts(Object.entries(values)),
    flashes: encodeTexts(Object.entries(flashes)),
  };
}

/** The JSON texts of values. */
export function encodeTexts(
  entries: Iterable<readonly [string, unknown]>,
): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, value] of entries) texts.set(key, encodeJson(value, key));
  return texts;
}

/** The values of JSON texts. `__proto__` is an ordinary key of the object. */
export function decodeTexts(
  texts: ReadonlyMap<string, string>,
): Record<string, unknown> {
  return JSON.parse(encodeEntries(texts));
}

/**
 * Checks the size of a record.
 *
 * @param container What sets the limit, for the error's message.
 * @throws {SessionError} If it is too large: `too-large`, with the largest keys.
 */
export function checkSize(
  container: string,
  size: number,
  limit: number,
  entries: Entries,
): void {
  if (size <= limit) return;
  const largest = [...entries.values, ...entries.flashes]
    .map(([key, text]) => ({ key, bytes: utf8Length(text) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map(({ key, bytes }) => `"${key}" (${bytes} bytes)`);
  throw new SessionError(
    "too-large",
    `Cannot save session: it takes ${size} bytes, and the limit of ${container} is ${limit}; the largest keys are ${
      largest.join(", ")
    }`,
  );
}

/** Whether a decoded value is an object and not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a decoded value is a lifetime. */
export function isLifetime(value: unknown): value is StoredLifetime {
  return value === null || typeof value === "number" ||
    Array.isArray(value) && value.length === 1 && typeof value[0] === "number";
}
