/**
 * Tables in Markdown, for tests that hold the documentation to the code.
 *
 * @module
 */

/** The rows of the first table under a heading: each cell by the name of its column. */
export async function tableUnder(
  path: string,
  heading: string,
): Promise<Record<string, string>[]> {
  const text = await Deno.readTextFile(new URL(`../${path}`, import.meta.url));
  const [, after] = text.split(`\n${heading}\n`);
  const [table] = after?.match(/^\|.*\|$(\n^\|.*\|$)+/m) ?? [];
  if (!table) throw new Error(`there is no table under "${heading}"`);
  const [names = [], , ...rows] = table.split("\n").map((row) =>
    row.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  return rows.map((row) =>
    Object.fromEntries(names.map((name, i) => [name, row[i] ?? ""]))
  );
}
