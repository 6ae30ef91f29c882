/**
 * The record of a session: JSON with its values, its flashes and what its deadline depends on.
 *
 * `[2, check, created, saved, lifetime, span, authenticated, values, flashes, tags, owner]`. `check` is the beginning of
 * the record's key, to detect records that were swapped in an engine. `authenticated` and `owner` can be `null`. `tags`
 * distinguishes flashes with the same text: it has a random text for each of them.
 *
 * @module
 */
import { utf8Length } from "./bytes.ts";
import { SessionError } from "./errors.ts";
import { encodeEntries, encodeJson } from "./json.ts";
import { LAST_INSTANT, type Life, type StoredLifetime } from "./lifetime.ts";

/** A decoded record. */
export interface SessionRecord extends Life {
  /** The key of the owner; absent if the session does not have an owner. */
  readonly owner?: string | undefined;
  /** The deadline, in milliseconds, if its format has one; `Infinity` if this record does not. */
  readonly expires?: number | undefined;
  readonly values: Readonly<Record<string, unknown>>;
  readonly flashes: Readonly<Record<string, unknown>>;
  /** What distinguishes a flash from a later one with the same text; absent if its format has no place for it. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** The JSON texts of values and flashes. */
export interface Entries {
  readonly values: ReadonlyMap<string, string>;
  readonly flashes: ReadonlyMap<string, string>;
  /** As in {@linkcode SessionRecord}. */
  readonly tags?: ReadonlyMap<string, string> | undefined;
}

/** A record to write. */
export interface Draft extends Life {
  readonly entries: Entries;
  /** The deadline, in milliseconds. */
  readonly expires: number;
  /** As in {@linkcode SessionRecord}. */
  readonly owner?: string | undefined;
}

/** The name of a flash among values, in React Router. */
export function flashName(key: string): string {
  return `__flash_${key}__`;
}

const VERSION = 2;

/** The length of `check`. */
const CHECKED = 8;

/** A key: a hash. */
const KEY = /^[\w-]{43}$/;

/**
 * The text of a record.
 *
 * @param key The engine's key; `""` for a record in a cookie.
 */
export function encodeRecord(key: string, draft: Draft): string {
  const { entries: { values, flashes, tags }, owner } = draft;
  const tagged = tags && tags.size > 0
    ? JSON.stringify(Object.fromEntries(tags))
    : "{}";
  return `[${VERSION},"${key.slice(0, CHECKED)}",${encodeLife(draft)},${
    encodeEntries(values)
  },${encodeEntries(flashes)},${tagged},${
    owner === undefined ? null : `"${owner}"`
  }]`;
}

/** Decodes a record; `undefined` if its text was truncated, edited or swapped, or has another version. */
export function decodeRecord(
  key: string,
  text: string,
): SessionRecord | undefined {
  const parts = parseJson(text);
  if (!Array.isArray(parts) || parts.length !== 11) return undefined;
  // By index: this runs in every request, and to destructure an array is slow in older engines.
  const values = parts[7];
  const flashes = parts[8];
  const tags = parts[9];
  const owner = parts[10];
  const life = decodeLife(parts, 2);
  const whole = parts[0] === VERSION && parts[1] === key.slice(0, CHECKED) &&
    isObject(values) && isObject(flashes) && isTexts(tags) &&
    (owner === null || typeof owner === "string" && KEY.test(owner));
  if (!whole || !life) return undefined;
  const { created, saved, lifetime, span, authenticated } = life;
  return {
    created,
    saved,
    lifetime,
    span,
    authenticated,
    owner: owner ?? undefined,
    values,
    flashes,
    tags,
  };
}

/** Decodes only what a record's deadline depends on, without parsing its values; `undefined` if that is damaged. */
export function decodeRecordLife(text: string): Life | undefined {
  // The first brace opens the values.
  const parts = parseJson(`${text.slice(0, text.indexOf("{") - 1)}]`);
  return Array.isArray(parts) && parts[0] === VERSION
    ? decodeLife(parts, 2)
    : undefined;
}

/** The JSON of a life, without brackets: `created,saved,lifetime,span,authenticated`. */
export function encodeLife(
  { created, saved, lifetime, span, authenticated }: Life,
): string {
  const lasts = typeof lifetime === "number" || lifetime === null
    ? lifetime
    : `[${lifetime[0]}]`;
  return `${created},${saved},${lasts},${span},${authenticated ?? null}`;
}

/**
 * Decodes a life; `undefined` if a part is missing or out of range.
 *
 * @param at Where it begins.
 */
export function decodeLife(
  parts: readonly unknown[],
  at = 0,
): Life | undefined {
  const created = parts[at];
  const saved = parts[at + 1];
  const lifetime = parts[at + 2];
  const span = parts[at + 3];
  const authenticated = parts[at + 4];
  const whole = isInstant(created) && isInstant(saved) &&
    isLifetime(lifetime) && isInstant(span) && span >= 0 &&
    (authenticated === null || isInstant(authenticated));
  if (!whole) return undefined;
  return {
    created,
    saved,
    lifetime,
    span,
    authenticated: authenticated ?? undefined,
  };
}

/** The value of a JSON text; `undefined` if it is not JSON, or a number in it is out of range and could not be saved. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isFinite(value, hasAdded()) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether all numbers in a parsed value are finite. `JSON.parse` reads a number that is out of range as `Infinity`.
 *
 * @param added As {@linkcode hasAdded} says.
 */
function isFinite(value: unknown, added: boolean): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (!isFinite(value[i], added)) return false;
    }
    return true;
  }
  for (const key in value) {
    if (added && !Object.hasOwn(value, key)) continue;
    if (!isFinite(value[key as keyof typeof value], added)) return false;
  }
  return true;
}

/** Whether an application has added something to all objects, which `for … in` finds too. */
function hasAdded(): boolean {
  for (const _key in {}) return true;
  return false;
}

const NONE: ReadonlyMap<string, string> = /* @__PURE__ */ new Map();

/** The texts of a record's entries, as they are stored. */
export interface StoredTexts {
  readonly values: ReadonlyMap<string, string>;
  readonly flashes: ReadonlyMap<string, string>;
}

/**
 * Finds the texts of the entries of a record that could be decoded. Values that a request leaves as they are need not be
 * encoded again.
 *
 * @param expected The texts that some values probably have. Those that have it are found faster.
 * @returns `undefined` if {@linkcode encodeRecord} has not written the text.
 */
export function storedTexts(
  text: string,
  expected: ReadonlyMap<string, string> = NONE,
): StoredTexts | undefined {
  // Some databases write JSON anew, with spaces.
  if (!text.startsWith(`[${VERSION},"`)) return undefined;
  const values = new Map<string, string>();
  const flashes = new Map<string, string>();
  // The first brace opens the values.
  const end = splitObject(text, text.indexOf("{"), values, expected);
  return splitObject(text, end + 1, flashes, NONE) < 0
    ? undefined
    : { values, flashes };
}

/** Splits the object that begins at a position. Returns the position after it, or -1. */
function splitObject(
  text: string,
  begin: number,
  into: Map<string, string>,
  expected: ReadonlyMap<string, string>,
): number {
  let at = begin;
  if (text[at] !== "{") return -1;
  if (text[at + 1] === "}") return at + 2;
  do {
    if (text[at + 1] !== '"') return -1;
    const colon = endOfString(text, at + 1);
    if (text[colon] !== ":") return -1;
    const quoted = text.slice(at + 1, colon);
    const key: string = quoted.includes("\\")
      ? JSON.parse(quoted)
      : quoted.slice(1, -1);
    const value = expected.get(key);
    // Of an object or array, nothing can follow that would belong to it.
    if (value !== undefined && text.startsWith(value, colon + 1)) {
      into.set(key, value);
      at = colon + 1 + value.length;
      continue;
    }
    const end = endOfValue(text, colon + 1);
    into.set(key, text.slice(colon + 1, end));
    at = end;
  } while (text[at] === ",");
  return text[at] === "}" ? at + 1 : -1;
}

/** The position after the string that begins at a position. */
function endOfString(text: string, begin: number): number {
  let end = begin;
  let before: number;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
    before = end;
    while (text.charCodeAt(before - 1) === 0x5c) before--;
    // Each pair of backslashes is one of the string's own. Another one belongs to the quotation mark.
  } while ((end - before) % 2 === 1);
  return end + 1;
}

/** The position after the value that begins at a position: of a comma, or of what closes the object around it. */
function endOfValue(text: string, begin: number): number {
  let at = begin;
  for (let depth = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // a quotation mark
        at = endOfString(text, at) - 1;
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth++;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        if (depth-- === 0) return at;
        break;
      case 0x2c: // a comma
        if (depth === 0) return at;
    }
  }
  return at;
}

/** The JSON texts of a record's entries. */
export function encodeRecordEntries(
  { values, flashes, tags }: Pick<SessionRecord, "values" | "flashes" | "tags">,
): Entries & Record<"values" | "flashes", Map<string, string>> {
  return {
    values: encodeTexts(Object.entries(values)),
    flashes: encodeTexts(Object.entries(flashes)),
    tags: tags && new Map(Object.entries(tags)),
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

function isTexts(value: unknown): value is Record<string, string> {
  return isObject(value) &&
    Object.keys(value).every((key) => typeof value[key] === "string");
}

/** Whether a decoded value is a lifetime. */
function isLifetime(value: unknown): value is StoredLifetime {
  if (value === null) return true;
  return Array.isArray(value)
    ? value.length === 1 && isInstant(value[0])
    : isInstant(value) && value >= 0;
}

/** Whether a decoded value is a number that a Date can hold. */
export function isInstant(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= LAST_INSTANT;
}
