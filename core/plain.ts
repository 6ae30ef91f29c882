/**
 * Records in the formats of React Router and Remix, for databases behind four functions, and for cookies that an older
 * application also reads.
 *
 * React Router and Remix 1–2 keep one object, `{ ...values, "__flash_NAME__": flash }`; Remix 3 keeps
 * `{ i: id, d: [values, flashes] }`. Neither format has a deadline. If one is needed, it is added as `__satchel__`,
 * which React Router preserves, or as `m`, which Remix 3 drops when it writes the session.
 *
 * @module
 */
import { SessionError } from "./errors.ts";
import { encodeEntries } from "./json.ts";
import type { Life } from "./lifetime.ts";
import {
  decodeLife,
  type Draft,
  encodeLife,
  flashName,
  isInstant,
  isObject,
  type SessionRecord,
} from "./record.ts";

const META = "__satchel__";
const FLASH = /^__flash_([^]*)__$/;

/**
 * The JSON text of a record in React Router's format.
 *
 * @param withDeadline Whether to add the deadline.
 * @throws {SessionError} If this format reserves a value's key: `unserializable`.
 */
export function encodeReactRouter(draft: Draft, withDeadline: boolean): string {
  const texts = new Map<string, string>();
  for (const [key, text] of draft.entries.values) {
    if (key === META || FLASH.test(key)) {
      throw new SessionError(
        "unserializable",
        `Cannot store "${key}": React Router's format reserves this key; choose another key`,
      );
    }
    texts.set(key, text);
  }
  for (const [key, text] of draft.entries.flashes) {
    texts.set(flashName(key), text);
  }
  if (withDeadline) texts.set(META, encodeMeta(draft));
  return encodeEntries(texts);
}

/** Decodes a record in React Router's format; `undefined` if it is in another format. */
export function decodeReactRouter(
  data: unknown,
  now: number,
): SessionRecord | undefined {
  if (!isObject(data)) return undefined;
  const values = new Map<string, unknown>();
  const flashes = new Map<string, unknown>();
  for (const [key, value] of Object.entries(data)) {
    const flash = FLASH.exec(key)?.[1];
    if (flash !== undefined) flashes.set(flash, value);
    else if (key !== META) values.set(key, value);
  }
  const life = decodeMeta(
    Object.hasOwn(data, META) ? data[META] : undefined,
    now,
  );
  return life && {
    ...life,
    values: Object.fromEntries(values),
    flashes: Object.fromEntries(flashes),
  };
}

/**
 * The JSON text of a record in Remix 3's format.
 *
 * @param withDeadline Whether to add the deadline.
 */
export function encodeRemix(
  id: string,
  draft: Draft,
  withDeadline: boolean,
): string {
  const values = encodeEntries(draft.entries.values);
  const flashes = encodeEntries(draft.entries.flashes);
  const meta = withDeadline ? `,"m":${encodeMeta(draft)}` : "";
  return `{"i":${JSON.stringify(id)},"d":[${values},${flashes}]${meta}}`;
}

/** Decodes a record in Remix 3's format, and its id; `undefined` if it is in another format. */
export function decodeRemix(
  data: unknown,
  now: number,
): SessionRecord & { id: unknown } | undefined {
  if (!isObject(data) || !Array.isArray(data["d"])) return undefined;
  const [values, flashes] = data["d"];
  if (!isObject(values) || !isObject(flashes)) return undefined;
  const life = decodeMeta(data["m"], now);
  return life && { ...life, id: data["i"], values, flashes };
}

function encodeMeta(draft: Draft): string {
  return `[${encodeLife(draft)},${draft.expires}]`;
}

/** Decodes the instants that travel in the data; `undefined` if they are damaged. */
function decodeMeta(
  meta: unknown,
  now: number,
): Life & { expires: number } | undefined {
  if (meta === undefined) {
    const life = { created: now, saved: now, lifetime: null, span: 0 };
    return { ...life, expires: Infinity, undated: true };
  }
  if (!Array.isArray(meta) || meta.length !== 6) return undefined;
  const life = decodeLife(meta);
  const expires: unknown = meta[5];
  return life && isInstant(expires) ? { ...life, expires } : undefined;
}
