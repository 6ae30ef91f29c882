/**
 * What is stored of a session: a line of JSON that holds its values, its flashes and what its deadline depends on.
 *
 * `[1, check, created, ends, lifetime, values, flashes]`, where `check` ties the record to the place it was written
 * to, so that records swapped in an engine are found out. Where sessions are indexed by owner, `owner, saved` follow.
 *
 * @module
 */
import { utf8Length } from "./bytes.ts";
import { SessionError } from "./errors.ts";
import { encodeEntries, encodeJson } from "./json.ts";
import type { Life, StoredLifetime } from "./lifetime.ts";

/** In whose index a session stands, and since when nothing was changed in it. */
export interface Owned {
  /** The key of the owner's index. */
  readonly owner: string;
  /** The instant of the last save, in milliseconds. */
  readonly saved: number;
}

/** A record, decoded. */
export interface SessionRecord extends Life {
  /** `undefined` where nobody owns the session, or the storage asks nobody who does. */
  readonly owned?: Owned | undefined;
  readonly values: Readonly<Record<string, unknown>>;
  readonly flashes: Readonly<Record<string, unknown>>;
}

/** A session's entries, each as JSON text. */
export interface EntryTexts {
  readonly values: Map<string, string>;
  readonly flashes: Map<string, string>;
}

const VERSION = 1;

/** The text of a record. */
export function encodeRecord(
  check: string,
  life: Life,
  entries: EntryTexts,
  owned?: Owned | undefined,
): string {
  const { created, ends, lifetime } = life;
  const tail = owned ? `,"${owned.owner}",${owned.saved}` : "";
  return `[${VERSION},"${check}",${created},${ends},${
    JSON.stringify(lifetime)
  },${encodeEntries(entries.values)},${encodeEntries(entries.flashes)}${tail}]`;
}

/** The record that a text holds; `undefined` where it was truncated, edited, swapped or is of another version. */
export function decodeRecord(
  check: string,
  text: string,
): SessionRecord | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [version, place, created, ends, lifetime, values, flashes] = parts;
  const whole = version === VERSION && place === check &&
    typeof created === "number" && typeof ends === "number" &&
    isLifetime(lifetime) && isObject(values) && isObject(flashes);
  if (!whole) return undefined;
  const record = { created, ends, lifetime, values, flashes };
  if (parts.length === 7) return record;
  const [owner, saved] = parts.slice(7);
  return parts.length === 9 && typeof owner === "string" &&
      typeof saved === "number"
    ? { ...record, owned: { owner, saved } }
    : undefined;
}

/** The texts of decoded entries. */
export function encodeTexts(
  entries: Iterable<readonly [string, unknown]>,
): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, value] of entries) texts.set(key, encodeJson(value, key));
  return texts;
}

/** The values that texts stand for, on an object whose keys are all its own. */
export function decodeTexts(
  texts: ReadonlyMap<string, string>,
): Record<string, unknown> {
  return JSON.parse(encodeEntries(texts));
}

/**
 * Makes sure that what is stored fits.
 *
 * @param place What is too small, as the error's message names it.
 * @throws {SessionError} If it does not: `too-large`, with the largest keys.
 */
export function checkSize(
  place: string,
  size: number,
  limit: number,
  entries: EntryTexts,
): void {
  if (size <= limit) return;
  const largest = [...entries.values, ...entries.flashes]
    .map(([key, text]) => ({ key, bytes: utf8Length(text) }))
    .sort((a, b) => b.bytes - a.bytes)
    .slice(0, 3)
    .map(({ key, bytes }) => `"${key}" (${bytes} bytes)`);
  throw new SessionError(
    "too-large",
    `Cannot save session: it takes ${size} bytes, and ${place} holds ${limit}; the largest keys are ${
      largest.join(", ")
    }`,
  );
}

/** Whether a decoded value is an object and no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a decoded value is a lifetime. */
export function isLifetime(value: unknown): value is StoredLifetime {
  return value === null || typeof value === "number" ||
    Array.isArray(value) && value.length === 1 && typeof value[0] === "number";
}
