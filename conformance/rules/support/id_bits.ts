/**
 * About how many random bits the ids of a storage have.
 *
 * @module
 */

/** What a list of ids shows. */
export interface IdEstimate {
  /** About how many random bits an id has. */
  readonly bits: number;
  /** What was seen: how many ids, their length, their characters. */
  readonly seen: string;
}

/**
 * Estimates the random bits of ids, in the order in which they were made.
 *
 * Each position counts by itself. A position counts in full if its characters are as evenly spread as random ones, and
 * else by the spread that was seen. Positions whose text only grows from id to id, such as a time or a counter, do not
 * count: an attacker who has one id can guess the next.
 */
export function estimateBits(ids: readonly string[]): IdEstimate {
  const columns = columnsOf(ids);
  const ordered = orderedColumns(ids, columns.length);
  const random = columns.filter((column, i) =>
    !ordered.has(i) && new Set(column).size > 1
  );
  const alphabet = new Set(random.flat());
  alphabet.delete("");
  let bits = 0;
  for (const column of random) bits += bitsOf(column, alphabet.size);
  const lengths = ids.map((id) => id.length);
  const [least, most] = [Math.min(...lengths), Math.max(...lengths)];
  const length = least === most ? `${most}` : `${least} to ${most}`;
  const seen = `${ids.length} ids of ${length} characters, ` +
    `with ${alphabet.size} different characters at ${random.length} positions that look random`;
  return { bits, seen: isUuid(ids) ? `${seen} (UUIDs)` : seen };
}

/** The characters at each position; an empty text if an id is shorter. */
function columnsOf(ids: readonly string[]): string[][] {
  const longest = Math.max(...ids.map((id) => id.length));
  return Array.from(
    { length: longest },
    (_, i) => ids.map((id) => id.charAt(i)),
  );
}

/** The bits of one position. */
function bitsOf(column: readonly string[], alphabet: number): number {
  const present = column.filter((character) => character !== "");
  const counts = new Map<string, number>();
  for (const character of present) {
    counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  const n = present.length;
  const most = Math.log2(alphabet);
  // Pearson's statistic against an even spread over the whole alphabet; six standard deviations are never luck.
  const each = n / alphabet;
  let chi = (alphabet - counts.size) * each;
  for (const count of counts.values()) chi += (count - each) ** 2 / each;
  const degrees = alphabet - 1;
  const even = chi <= degrees + 6 * Math.sqrt(2 * degrees);
  // Shannon's entropy, with the correction of Miller and Madow for a small sample.
  let spread = (counts.size - 1) / (2 * n * Math.LN2);
  for (const count of counts.values()) {
    spread -= count / n * Math.log2(count / n);
  }
  return (even ? most : Math.min(most, spread)) * n / column.length;
}

/** The positions that belong to a field which only grows: a time or a counter. */
function orderedColumns(ids: readonly string[], width: number): Set<number> {
  const ordered = new Set<number>();
  for (let start = 0; start < width; start++) {
    const end = endOfField(ids, start, width);
    for (let i = start; i < end; i++) ordered.add(i);
    start = Math.max(start, end - 1);
  }
  return ordered;
}

/** Where the field that begins at a position ends; at its own beginning if it does not grow. */
function endOfField(
  ids: readonly string[],
  start: number,
  width: number,
): number {
  let end = start;
  // Once no two neighbours are alike, any further position would look as if it were in order.
  while (end < width && !allDiffer(ids, start, end)) {
    if (descents(ids, start, end + 1) > WRAPS) break;
    end++;
  }
  return end;
}

/** How often a counter may begin again from its least value. */
const WRAPS = 2;

function descents(ids: readonly string[], start: number, end: number): number {
  let found = 0;
  for (let i = 1; i < ids.length; i++) {
    const [before, after] = [ids[i - 1], ids[i]].map((id) =>
      id?.slice(start, end) ?? ""
    );
    if ((after ?? "") < (before ?? "")) found++;
  }
  return found;
}

function allDiffer(
  ids: readonly string[],
  start: number,
  end: number,
): boolean {
  return ids.every((id, i) =>
    i === 0 || id.slice(start, end) !== ids[i - 1]?.slice(start, end)
  );
}

function isUuid(ids: readonly string[]): boolean {
  return ids.every((id) =>
    /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)
  );
}
