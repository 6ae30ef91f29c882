/**
 * Line coverage per top-level folder, from `deno coverage --lcov`.
 *
 * `deno run -A tools/coverage.ts .coverage`
 */
// deno-lint-ignore-file no-console -- a command
import { fileURLToPath } from "node:url";
import { deno, root } from "./project.ts";

/** What must be covered, in percent of lines. */
export const thresholds: Record<string, number> = { core: 95, storage: 95 };

/** Lines found and lines run. */
export interface Lines {
  /** Lines that can run. */
  found: number;
  /** Lines that did. */
  hit: number;
}

/** Lines per file, from an lcov report; a file named twice is merged. */
export function parseLcov(report: string): Map<string, Lines> {
  const hits = new Map<string, Map<number, number>>();
  let lines = new Map<number, number>();
  for (const row of report.split(/\r?\n/)) {
    if (row.startsWith("SF:")) {
      const file = row.slice(3).replaceAll("\\", "/");
      lines = hits.get(file) ?? new Map();
      hits.set(file, lines);
    } else if (row.startsWith("DA:")) {
      const [line = 0, count = 0] = row.slice(3).split(",").map(Number);
      lines.set(line, (lines.get(line) ?? 0) + count);
    }
  }
  return new Map([...hits].map(([file, counts]) => [file, {
    found: counts.size,
    hit: [...counts.values()].filter((count) => count > 0).length,
  }]));
}

/** Adds the files under a root up by their first folder. */
export function byFolder(
  files: Map<string, Lines>,
  base: string,
): Map<string, Lines> {
  const sums = new Map<string, Lines>();
  for (const [file, lines] of files) {
    if (!file.startsWith(base)) continue;
    const [folder = ""] = file.slice(base.length).split("/");
    const sum = sums.get(folder) ?? { found: 0, hit: 0 };
    sum.found += lines.found;
    sum.hit += lines.hit;
    sums.set(folder, sum);
  }
  return sums;
}

/** Percent of the lines that ran; a folder without lines has none. */
export function percent(lines: Lines | undefined): number {
  return lines && lines.found > 0 ? 100 * lines.hit / lines.found : 0;
}

if (import.meta.main) {
  const [folder = ".coverage"] = Deno.args;
  const { ok, stdout, text } = await deno(["coverage", "--lcov", folder]);
  if (!ok) {
    console.error(text);
    Deno.exit(1);
  }
  const base = fileURLToPath(root).replaceAll("\\", "/");
  const files = parseLcov(stdout);
  const sums = byFolder(files, base);
  let failed = false;
  for (const [name, least] of Object.entries(thresholds)) {
    const got = percent(sums.get(name));
    console.log(`${name}/ ${got.toFixed(1)} % of lines, at least ${least} %`);
    if (got >= least) continue;
    failed = true;
    for (const [file, lines] of files) {
      if (!file.startsWith(`${base}${name}/`) || lines.hit === lines.found) {
        continue;
      }
      console.log(`  ${file.slice(base.length)} ${lines.hit}/${lines.found}`);
    }
  }
  if (failed) Deno.exit(1);
}
