/**
 * JSON without its silences: what `JSON.stringify` would drop, bend or turn into `null` is an error here.
 *
 * @module
 */
import { SessionError } from "./errors.ts";

/** Deep enough for any real value, shallow enough for every runtime's stack. */
const MAX_DEPTH = 500;

/** The way to the value at hand, spelt out only where an error names it. */
interface Path {
  readonly key: string | number;
  readonly parent: Path | undefined;
  readonly depth: number;
}

/**
 * The JSON text of one value of a session or cookie.
 *
 * One pass checks and writes, so that a getter cannot answer the check with one thing and the writer with another.
 *
 * @param value The value.
 * @param key The key that it is stored under, for the error's message.
 * @param parent The way to the value, if it is inside another one.
 * @returns Text from which `JSON.parse` makes a deep-equal value, negative zero included.
 * @throws {SessionError} If JSON cannot carry the value: `unserializable`, with the path to what it cannot carry.
 */
export function encodeJson(
  value: unknown,
  key: string | number,
  parent?: Path,
): string {
  switch (typeof value) {
    case "string":
    case "boolean":
      return JSON.stringify(value);
    case "number":
      if (Object.is(value, -0)) return "-0";
      if (Number.isFinite(value)) return String(value);
      return fail(`${value} is not a JSON number`, key, parent);
    case "object": {
      if (value === null) return "null";
      const path = { key, parent, depth: parent ? parent.depth + 1 : 0 };
      if (path.depth >= MAX_DEPTH) {
        return fail(
          `the value is nested deeper than ${MAX_DEPTH} levels, or contains itself`,
          rootOf(path).key,
          undefined,
        );
      }
      return Array.isArray(value)
        ? encodeArray(value, path)
        : encodeObject(value, path);
    }
    case "undefined":
      return fail("undefined is not JSON; leave it out", key, parent);
    default:
      return fail(`a ${typeof value} is not JSON`, key, parent);
  }
}

/** As {@linkcode encodeJson}, for a whole set of keys: a JSON object's text for the values' texts. */
export function encodeEntries(texts: ReadonlyMap<string, string>): string {
  let out = "{";
  for (const [key, text] of texts) {
    out += (out.length > 1 ? "," : "") + JSON.stringify(key) + ":" + text;
  }
  return out + "}";
}

function encodeArray(value: unknown[], path: Path): string {
  // "length" is the one more.
  if (ownKeys(value) !== value.length + 1) {
    return fail(
      "the array has holes or named properties",
      path.key,
      path.parent,
    );
  }
  let out = "[";
  for (let i = 0; i < value.length; i++) {
    out += (i > 0 ? "," : "") + encodeJson(read(value, i, path), i, path);
  }
  return out + "]";
}

function encodeObject(value: object, path: Path): string {
  const prototype = Object.getPrototypeOf(value);
  // A prototype without a prototype is Object.prototype, of this realm or of another.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    const name = prototype.constructor?.name || "a class";
    return fail(
      `an instance of ${name} is not JSON; convert it to a string or a plain object`,
      path.key,
      path.parent,
    );
  }
  const keys = Object.keys(value);
  if (ownKeys(value) !== keys.length) {
    return fail(
      "the object has symbol keys or hidden properties",
      path.key,
      path.parent,
    );
  }
  let out = "{";
  for (const key of keys) {
    out += (out.length > 1 ? "," : "") + JSON.stringify(key) + ":" +
      encodeJson(read(value, key, path), key, path);
  }
  return out + "}";
}

/** How many keys an object has of its own: of every kind. To ask for each kind is faster than for all at once. */
function ownKeys(value: object): number {
  return Object.getOwnPropertyNames(value).length +
    Object.getOwnPropertySymbols(value).length;
}

function rootOf(path: Path): Path {
  let root = path;
  while (root.parent) root = root.parent;
  return root;
}

function read(value: object, key: string | number, path: Path): unknown {
  try {
    return (value as Record<string | number, unknown>)[key];
  } catch (cause) {
    return fail("its getter threw an error", key, path, cause);
  }
}

function fail(
  why: string,
  key: string | number,
  parent: Path | undefined,
  cause?: unknown,
): never {
  let where = "";
  let step: Path | undefined = { key, parent, depth: 0 };
  for (; step.parent; step = step.parent) {
    where = (typeof step.key === "number" ? `[${step.key}]` : `.${step.key}`) +
      where;
  }
  throw new SessionError(
    "unserializable",
    `Cannot store "${step.key}${where}": ${why}`,
    cause === undefined ? undefined : { cause },
  );
}
