/**
 * Strict JSON: it throws where `JSON.stringify` would drop a value, convert it, or write `null`.
 *
 * @module
 */
import { SessionError } from "./errors.ts";

/** More than real values need, and less than every runtime's stack allows. */
const MAX_DEPTH = 500;

/** The path to a value. It becomes text only for an error. */
interface Path {
  readonly key: string | number;
  readonly parent: Path | undefined;
  readonly depth: number;
}

/**
 * The JSON text of a value of a session or cookie.
 *
 * One pass checks and writes, so that a getter cannot return one value to the check and another to the writer.
 *
 * @param value The value.
 * @param key Its key, for the error's message.
 * @param parent The path to the value that contains it.
 * @returns A text that `JSON.parse` turns into a deep-equal value, including negative zero.
 * @throws {SessionError} If the value is not JSON: `unserializable`, with the path to the part that is not.
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

/** The text of a JSON object, from the texts of its values. */
export function encodeEntries(texts: ReadonlyMap<string, string>): string {
  let out = "{";
  for (const [key, text] of texts) {
    out += (out.length > 1 ? "," : "") + JSON.stringify(key) + ":" + text;
  }
  return out + "}";
}

/**
 * The JSON text of a value, to compare it with the one from which it was parsed; `undefined` if `JSON.stringify` drops or
 * converts a part. Symbols and hidden properties, which libraries attach to what they are given, do not count. Much
 * faster than {@linkcode encodeJson}.
 */
export function exactText(value: unknown): string | undefined {
  try {
    return isExact(value, 0) ? JSON.stringify(value) : undefined;
  } catch {
    // A getter threw an error. The strict encoder says where.
    return undefined;
  }
}

/** Whether `JSON.stringify` drops or converts nothing. Negative zero and objects of other realms count as converted. */
function isExact(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object": {
      if (value === null) return true;
      if (depth >= MAX_DEPTH) return false;
      if (Array.isArray(value)) {
        // A class of arrays can have its own toJSON.
        if (Object.getPrototypeOf(value) !== Array.prototype) return false;
        for (let i = 0; i < value.length; i++) {
          if (!isExact(value[i], depth + 1)) return false;
        }
        return true;
      }
      const prototype = Object.getPrototypeOf(value);
      if (prototype !== Object.prototype && prototype !== null) return false;
      for (const key in value) {
        if (!isExact(value[key as keyof typeof value], depth + 1)) return false;
      }
      return true;
    }
    default:
      return false;
  }
}

function encodeArray(value: unknown[], path: Path): string {
  // One more for "length".
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
  // Only Object.prototype, of this realm or another, has a null prototype.
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

/** The number of an object's own keys of every kind. Two calls are faster than `Reflect.ownKeys`. */
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
