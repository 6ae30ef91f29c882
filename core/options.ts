/**
 * Checks the names of options, because a misspelled option could silently disable a protection.
 *
 * @module
 */

/** The names of all options. The compiler checks that none is missing. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/**
 * Checks that all options are known. An option with the value `undefined` counts as left out.
 *
 * @param attempt What is attempted, for the error's message: `create storage`.
 * @throws {TypeError} If the options are not an object, or one is unknown. The message names the most similar known
 * option.
 */
export function checkOptions(
  attempt: string,
  options: unknown,
  known: Readonly<Record<string, true>>,
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot ${attempt}: options must be an object, received ${
        typeOf(options)
      }`,
    );
  }
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, name)) continue;
    throw new TypeError(
      `Cannot ${attempt}: unknown option "${name}"; the nearest known one is "${
        nearest(name, Object.keys(known))
      }"`,
    );
  }
}

/** A value's type, for an error's message. Not the value: it could be an id or a secret. */
export function typeOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const type = Object.prototype.toString.call(value).slice(8, -1).toLowerCase();
  return `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}`;
}

/** What was received instead of a valid number, for an error's message: a number, or another value's type. */
export function numberOrType(value: unknown): string {
  return typeof value === "number" ? String(value) : typeOf(value);
}

function nearest(name: string, known: readonly string[]): string {
  const [best = ""] = known
    .map((other) => ({ other, distance: distanceOf(name, other) }))
    .sort((a, b) => a.distance - b.distance)
    .map(({ other }) => other);
  return best;
}

/** The edit distance (Levenshtein), ignoring case. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase();
      next.push(Math.min(
        (row[j] ?? 0) + 1,
        (next[j - 1] ?? 0) + 1,
        (row[j - 1] ?? 0) + (same ? 0 : 1),
      ));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
