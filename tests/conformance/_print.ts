/**
 * Tables that the tests of the suite print.
 */
// deno-lint-ignore-file no-console -- the tables are printed for the developer
import { byGroup, GROUPS, MARKS } from "../../conformance/formats/common.ts";
import type { Report } from "../../conformance/mod.ts";

/** Prints lines. */
export function printed(lines: readonly string[]): void {
  console.log(lines.join("\n"));
}

/** Runs something without its output at `console.debug`. */
export async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const { debug } = console;
  console.debug = () => {};
  try {
    return await run();
  } finally {
    console.debug = debug;
  }
}

/** Storages × groups of rules: how many of those that apply are kept. */
export function matrix(reports: readonly Report[]): string[] {
  const groups = Object.keys(GROUPS);
  const width = Math.max(...reports.map(({ target }) => target.length));
  const rows = reports.map(({ target, results }) => {
    const all = byGroup(results);
    const cells = groups.map((group) => {
      const own = (all.get(group) ?? [])
        .filter(({ outcome }) => outcome !== "not-applicable");
      const kept = own.filter(({ outcome }) => outcome === "pass");
      const mark = own.length === 0
        ? MARKS["not-applicable"].symbol
        : kept.length === own.length
        ? `${kept.length} ${MARKS.pass.symbol}`
        : `${kept.length}/${own.length} ${MARKS.fail.symbol}`;
      return mark.padStart(Math.max(group.length, 4));
    });
    return `${target.padEnd(width)}  ${cells.join("  ")}`;
  });
  const head = groups.map((group) => group.padStart(Math.max(group.length, 4)));
  return [`${"".padEnd(width)}  ${head.join("  ")}`, ...rows];
}
