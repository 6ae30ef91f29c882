/**
 * Names a row of a table, for the message of an assertion.
 *
 * @module
 */

/** The values that tell a row from the others, in one short line. */
export function rowName(...values: unknown[]): string {
  return values.map((value) => {
    const text = typeof value === "string"
      ? value
      // Its source says more than its name.
      : typeof value === "function"
      ? String(value).replaceAll(/\s+/g, " ")
      : Deno.inspect(value, { breakLength: Infinity, compact: true, depth: 2 });
    return text.length > 100 ? `${text.slice(0, 100)}…` : text;
  }).join(", ");
}
