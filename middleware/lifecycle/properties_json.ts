/**
 * Values of sessions as `JSON.stringify` writes them, because users of express-session rely on it: a Date becomes a
 * string, and an instance of a class a plain object.
 *
 * What `JSON.stringify` would lose stays as it is, so that the save names it in an error: functions, maps, `NaN`.
 *
 * @module
 */
import { exactText } from "../../core/json.ts";

/** Deeper values are refused by the save. */
const MAX_DEPTH = 500;

/** A value that can be saved, and its text to compare it by; `undefined` if the save will refuse it. */
export interface Storable {
  readonly value: unknown;
  readonly text: string | undefined;
}

/** Converts what `JSON.stringify` would convert without a loss. */
export function storable(value: unknown, key: string): Storable {
  const text = exactText(value);
  if (text !== undefined) return { value, text };
  try {
    const converted = convert(value, key, 0);
    return { value: converted, text: exactText(converted) };
  } catch {
    // A getter or a toJSON() threw an error. The save says where.
    return { value, text: undefined };
  }
}

function convert(value: unknown, key: string, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) {
    return value;
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") {
    return convert(toJSON.call(value, key), key, depth + 1);
  }
  if (Array.isArray(value)) {
    return value.map((each, i) => convert(each, String(i), depth + 1));
  }
  if (Object.prototype.toString.call(value) !== "[object Object]") return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([name, each]) => [name, convert(each, name, depth + 1)]),
  );
}
