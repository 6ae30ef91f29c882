/**
 * What ran where, as a table for a terminal.
 *
 * @module
 */
import { rows, type Runtime, RUNTIMES } from "./matrix.ts";
import type { Surroundings } from "./suite.ts";

/** How many tests of one row passed and failed on one runtime. */
export interface Cell {
  readonly passed: number;
  readonly failed: number;
}

/** Runtime × storage, in tests that passed. */
export function formatMatrix(
  tried: ReadonlyMap<Runtime, ReadonlyMap<string, Cell>>,
  ports: Surroundings["ports"],
): string {
  const runtimes = Object.keys(RUNTIMES) as Runtime[];
  const lines = rows.map(([, { title, on, engine }]) => [
    plain(title),
    ...runtimes.map((runtime) => {
      if (!on.includes(runtime)) return "—";
      const cell = tried.get(runtime)?.get(title);
      if (cell?.failed) return `${cell.failed} FAILED`;
      if (cell) return `${cell.passed} ok`;
      return engine && ports[engine] === undefined ? "skipped" : "not run";
    }),
  ]);
  const table = [
    ["tests that passed", ...runtimes.map((name) => plain(RUNTIMES[name]))],
    ...lines,
  ];
  const widths =
    table[0]?.map((_, i) =>
      Math.max(...table.map((line) => line[i]?.length ?? 0))
    ) ?? [];
  const reasons = rows.flatMap(([, { title, why }]) =>
    why ? [`— ${plain(title)}: ${plain(why)}`] : []
  );
  return [
    ...table.map((line) =>
      line.map((text, i) => text.padEnd(widths[i] ?? 0)).join("  ").trimEnd()
    ),
    ...reasons,
  ].join("\n");
}

function plain(markdown: string): string {
  return markdown.replaceAll("`", "");
}
