/** The order of the storages in the table. */
import type { Row } from "./rows.ts";

/** A row with its place. Storages that are equally good share a place. */
export interface Ranked extends Row {
  readonly place: number;
}

const VERDICTS = ["conformant", "partial", "incomplete", "nonconformant"];

/** What a row is compared by, the most important first; less is better. */
function measures({ report, kept, broken }: Row): number[] {
  return [
    VERDICTS.indexOf(report.verdict),
    report.levels.core === "kept" ? 0 : 1,
    broken,
    -kept,
  ];
}

function compare(a: Row, b: Row): number {
  const [left, right] = [measures(a), measures(b)];
  const index = left.findIndex((value, i) => value !== right[i]);
  return index === -1 ? 0 : (left[index] as number) - (right[index] as number);
}

/** The rows in order: by verdict, the core rules, how many rules are broken, how many are kept; then by name. */
export function rank(rows: readonly Row[]): Ranked[] {
  const sorted = rows.toSorted((a, b) =>
    compare(a, b) || (a.report.target < b.report.target ? -1 : 1)
  );
  const ranked: Ranked[] = [];
  for (const [index, row] of sorted.entries()) {
    const before = ranked.at(-1);
    const place = before && compare(before, row) === 0
      ? before.place
      : index + 1;
    ranked.push({ ...row, place });
  }
  return ranked;
}
