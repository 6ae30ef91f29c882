/**
 * Records in the shapes of the predecessors, for databases behind four functions and for cookies that an older
 * application reads too.
 *
 * React Router and Remix 1–2 keep one object, `{ ...values, "__flash_NAME__": flash }`; Remix 3 keeps
 * `{ i: id, d: [values, flashes] }`. Neither has room for a deadline, so that one travels beside the data where it is
 * needed: under `__satchel__`, which React Router keeps, and as `m`, which Remix 3 drops when it writes the session.
 *
 * @module
 */
import { SessionError } from "./errors.ts";
import { encodeEntries } from "./json.ts";
import { LAST_INSTANT, type Life } from "./lifetime.ts";
import {
  type EntryTexts,
  isLifetime,
  isObject,
  type SessionRecord,
} from "./record.ts";

const META = "__satchel__";
const FLASH = /^__flash_([^]*)__$/;

/** A record and the deadline that travels with it; `Infinity` where none does. */
export interface PlainRecord extends SessionRecord {
  readonly expires: number;
}

/** A record to write; `expires` only where the deadline has to travel with it. */
export interface PlainDraft {
  readonly life: Life;
  readonly entries: EntryTexts;
  readonly expires?: number | undefined;
}

/** The JSON text of React Router's shape. */
export function toReactRouter({ life, entries, expires }: PlainDraft): string {
  const texts = new Map<string, string>();
  for (const [key, text] of entries.values) {
    if (key === META || FLASH.test(key)) {
      throw new SessionError(
        "unserializable",
        `Cannot store "${key}": this shape of record keeps the name for itself`,
      );
    }
    texts.set(key, text);
  }
  for (const [key, text] of entries.flashes) {
    texts.set(`__flash_${key}__`, text);
  }
  if (expires !== undefined) texts.set(META, encodeMeta(life, expires));
  return encodeEntries(texts);
}

/** The record in React Router's shape; `undefined` where it is none. */
export function fromReactRouter(
  data: unknown,
  now: number,
): PlainRecord | undefined {
  if (!isObject(data)) return undefined;
  const values = new Map<string, unknown>();
  const flashes = new Map<string, unknown>();
  for (const [key, value] of Object.entries(data)) {
    const flash = FLASH.exec(key)?.[1];
    if (flash !== undefined) flashes.set(flash, value);
    else if (key !== META) values.set(key, value);
  }
  return {
    ...decodeMeta(Object.hasOwn(data, META) ? data[META] : undefined, now),
    values: Object.fromEntries(values),
    flashes: Object.fromEntries(flashes),
  };
}

/** The JSON text of Remix 3's shape. */
export function toRemix(
  id: string,
  { life, entries, expires }: PlainDraft,
): string {
  const values = encodeEntries(entries.values);
  const flashes = encodeEntries(entries.flashes);
  const meta = expires === undefined ? "" : `,"m":${encodeMeta(life, expires)}`;
  return `{"i":${JSON.stringify(id)},"d":[${values},${flashes}]${meta}}`;
}

/** The record in Remix 3's shape, with its id; `undefined` where it is none. */
export function fromRemix(
  data: unknown,
  now: number,
): PlainRecord & { id: unknown } | undefined {
  if (!isObject(data) || !Array.isArray(data["d"])) return undefined;
  const [values, flashes] = data["d"];
  if (!isObject(values) || !isObject(flashes)) return undefined;
  return { ...decodeMeta(data["m"], now), id: data["i"], values, flashes };
}

function encodeMeta(
  { created, ends, lifetime }: Life,
  expires: number,
): string {
  return JSON.stringify([created, ends, lifetime, expires]);
}

function decodeMeta(
  meta: unknown,
  now: number,
): Life & { expires: number } {
  if (Array.isArray(meta) && meta.length === 4) {
    const [created, ends, lifetime, expires] = meta;
    const numbers = [created, ends, expires];
    if (numbers.every(Number.isFinite) && isLifetime(lifetime)) {
      return { created, ends, lifetime, expires };
    }
  }
  return {
    created: now,
    ends: LAST_INSTANT,
    lifetime: null,
    expires: Infinity,
  };
}
