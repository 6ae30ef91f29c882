/**
 * Whether a value came back unchanged.
 *
 * @module
 */

/**
 * Whether two values are equal in every detail that a program can see: prototypes, holes, symbols, cycles.
 *
 * `-0` equals `0`, since `JSON.stringify` writes both as `0`. It is not recursive, so that deep values work.
 */
export function alike(got: unknown, want: unknown): boolean {
  const seen = new Map<object, object>();
  const pairs: [unknown, unknown][] = [[got, want]];
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const [a, b] = pair;
    if (Object.is(a, b) || a === b) continue;
    if (!isObject(a) || !isObject(b)) return false;
    if (seen.get(b) === a) continue;
    seen.set(b, a);
    if (prototypeOf(a) !== prototypeOf(b) || inner(a) !== inner(b)) {
      return false;
    }
    const keys = Reflect.ownKeys(b);
    if (Reflect.ownKeys(a).length !== keys.length) return false;
    for (const key of keys) {
      if (!Object.hasOwn(a, key)) return false;
      pairs.push([Reflect.get(a, key), Reflect.get(b, key)]);
    }
    if (a instanceof Map || a instanceof Set) {
      pairs.push([[...a], [...b as Iterable<unknown>]]);
    }
  }
  return true;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** A storage may return objects without a prototype, for safety. */
function prototypeOf(value: object): object | null {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype ? null : prototype;
}

/** The content of an object besides its properties. */
function inner(value: object): unknown {
  if (value instanceof Date) return `${value.getTime()}`;
  if (value instanceof RegExp) return String(value);
  return value instanceof Map || value instanceof Set ? value.size : undefined;
}
