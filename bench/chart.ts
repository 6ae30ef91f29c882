/**
 * The README's chart: what a request costs that reads a session and changes it, on each runtime.
 *
 * @module
 */
import { short } from "./report.ts";
import { OURS } from "./peers.ts";
import type { Results } from "./results.ts";

const GROUPS = [
  ["signed S write", "In a signed cookie"],
  ["sealed S write", "In an encrypted cookie"],
  ["memory S write", "In memory"],
] as const;

/** Bars that are longer end here, in times of this library. */
const LONGEST = 10;
const NAMES = 148;
const COLUMN = 176;
const BAR = 118;
const LINE = 18;

/** Draws it. Its colours follow the reader's light or dark scheme. */
export function chart({ runtimes, date }: Results): string {
  const columns = Object.values(runtimes);
  const width = NAMES + columns.length * COLUMN;
  const parts: string[] = [];
  let y = 18;
  columns.forEach(({ version }, i) => {
    parts.push(text(NAMES + i * COLUMN, y, version, "title"));
  });
  for (const [row, title] of GROUPS) {
    y += LINE + 10;
    parts.push(text(0, y, title, "title"));
    const others = columns[0]?.rows[row]?.others ?? {};
    const names = Object.keys(others).filter((name) => !others[name]?.floor);
    for (const name of [OURS, ...names]) {
      y += LINE;
      parts.push(text(0, y, name, name === OURS ? "ours" : "name"));
      columns.forEach(({ rows }, i) => {
        const there = rows[row];
        const ratio = name === OURS ? 1 : there?.others[name]?.ratio ?? NaN;
        if (!there || Number.isNaN(ratio)) return;
        const x = NAMES + i * COLUMN;
        const length = BAR * Math.min(ratio, LONGEST) / LONGEST;
        const kind = name === OURS ? "bar mine" : "bar";
        parts.push(
          `<rect class="${kind}" x="${x}" y="${y - 10}" ` +
            `width="${length.toFixed(1)}" height="12" rx="2"/>`,
        );
        const label = name === OURS
          ? `${short(there.ours)} µs`
          : `${short(ratio)} ×${ratio > LONGEST ? " →" : ""}`;
        parts.push(text(x + length + 5, y, label, "label"));
      });
    }
  }
  y += LINE + 10;
  parts.push(text(
    0,
    y,
    `CPU time of a request that reads a session of 300 bytes, changes it and ` +
      `saves it. Shorter is faster. ${date}`,
    "label",
  ));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${
    y + 8
  }" width="${width}" height="${
    y + 8
  }" role="img" aria-label="CPU time of a request, of ${OURS} and its peers">
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title, .ours { font-weight: 600 }
.label { fill: #59636e }
.bar { fill: #9aa4af }
.mine { fill: #1a7f37 }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc }
.label { fill: #9198a1 }
.bar { fill: #656c76 }
.mine { fill: #3fb950 }
}
</style>
${parts.join("\n")}
</svg>
`;
}

function text(x: number, y: number, content: string, kind: string): string {
  return `<text x="${x.toFixed(0)}" y="${y}" class="${kind}">${content}</text>`;
}
