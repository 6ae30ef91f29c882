/**
 * Pictures for a README: a badge, and a matrix of targets and groups.
 *
 * @module
 */
import {
  byGroup,
  count,
  countText,
  cut,
  escapeXml,
  groupOf,
  GROUPS,
  levelsOf,
  type Mark,
  markOf,
  MARKS,
  printable,
  worst,
} from "./common.ts";
import { RULE_SET } from "../rules.ts";
import type { Report } from "../types.ts";

const FONT = "font-family:Verdana,DejaVu Sans,Geneva,sans-serif";

const BADGE_COLOURS: Readonly<Record<Report["verdict"], string>> = {
  conformant: "#1a7f37",
  partial: "#7d5f00",
  nonconformant: "#c02626",
  incomplete: "#5a6068",
};

/** A badge: the rule set and the worst verdict. */
export function formatBadge(reports: readonly Report[]): string {
  const left = "session conformance";
  const verdict = worst(reports);
  const ruleSet = reports[0]?.ruleSet ?? RULE_SET;
  const right = escapeXml(`${ruleSet} ${verdict}: ${scope(reports)}`);
  const leftWidth = textWidth(left) + 12;
  const rightWidth = textWidth(right) + 12;
  const width = leftWidth + rightWidth;
  const label = `${left}: ${right}${escapeXml(details(reports))}`;
  // `textLength` keeps the text inside its box with any font.
  const text = (words: string, x: number, length: number) =>
    `<text x="${x}" y="14" textLength="${length}">${words}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="20" viewBox="0 0 ${width} 20" role="img" aria-label="${label}">`,
    `<title>${label}</title>`,
    `<clipPath id="r"><rect width="${width}" height="20" rx="3"/></clipPath>`,
    `<g clip-path="url(#r)"><rect width="${leftWidth}" height="20" fill="#4a4f55"/>`,
    `<rect x="${leftWidth}" width="${rightWidth}" height="20" fill="${
      BADGE_COLOURS[verdict]
    }"/></g>`,
    `<g fill="#fff" style="${FONT}" font-size="11">`,
    text(left, 6, leftWidth - 12),
    text(right, leftWidth + 6, rightWidth - 12),
    "</g></svg>",
    "",
  ].join("\n");
}

/** What was tried where there is one group of rules. */
const ALONE: Readonly<Record<string, string>> = {
  ENGINE: "engine contract",
  HISTORY: "several processes",
};

/** What was tried: the core rules, and how many claims. */
function scope(reports: readonly Report[]): string {
  const groups = new Set(
    reports.flatMap(({ results }) => results.map(({ rule }) => groupOf(rule))),
  );
  const [group = ""] = groups;
  if (groups.size === 1 && group in ALONE) return ALONE[group] ?? "";
  const least = Math.min(...reports.map(({ claims }) => claims.length));
  if (least === 0) return "core only, nothing claimed";
  const claims = `${least} ${least === 1 ? "claim" : "claims"}`;
  return reports.length === 1 ? `core, ${claims}` : `core, ${claims} or more`;
}

/** The claims in full, for a badge's description. */
function details(reports: readonly Report[]): string {
  const [only, ...others] = reports;
  if (!only || others.length > 0) return "";
  return levelsOf(only).map(([title, names]) =>
    `; ${title}: ${names.join(", ")}`
  ).join("");
}

/** The approximate width of text in Verdana at 11 pixels. */
function textWidth(text: string): number {
  const narrow = text.match(/[ ijlt.frI1]/g)?.length ?? 0;
  return Math.round((text.length - narrow) * 7.1 + narrow * 4.6);
}

const CELL = { width: 66, height: 36 } as const;
const LEFT = 190;
const TOP = 34;
const FOOT = 34;

/** A matrix: one row for each target, one column for each group. */
export function formatMatrix(reports: readonly Report[]): string {
  const results = reports.flatMap((report) => report.results);
  const groups = [...new Set(results.map(({ rule }) => groupOf(rule)))]
    .sort((a, b) => rank(a) - rank(b));
  const width = LEFT + groups.length * CELL.width + 8;
  const height = TOP + reports.length * CELL.height + FOOT;
  const shown = new Set<Mark>();
  const rows = reports.flatMap((report, index) =>
    row(report, groups, TOP + index * CELL.height, shown)
  );
  const summary = reports
    .map((r) => `${r.target}: ${r.verdict}, ${countText(r.results)}`)
    .join(". ");
  const legend = (Object.keys(MARKS) as Mark[])
    .filter((mark) => shown.has(mark))
    .map((mark) => `${MARKS[mark].symbol} ${MARKS[mark].word}`)
    .join(" · ");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="t d">`,
    `<title id="t">Session conformance, rules ${
      escapeXml(reports[0]?.ruleSet ?? RULE_SET)
    }</title>`,
    `<desc id="d">${escapeXml(summary)}</desc>`,
    `<style>${MATRIX_STYLE}</style>`,
    `<rect class="page" width="${width}" height="${height}" rx="6"/>`,
    ...groups.map((group, index) =>
      `<text class="head" x="${LEFT + (index + 0.5) * CELL.width}" y="22">${
        escapeXml(cut(group, 9))
      }</text>`
    ),
    ...rows,
    `<text class="foot" x="12" y="${height - 12}">${
      escapeXml(
        `rules ${
          reports[0]?.ruleSet ?? RULE_SET
        } · ${legend} · counted among the rules that apply`,
      )
    }</text>`,
    "</svg>",
    "",
  ].join("\n");
}

const MATRIX_STYLE =
  `text{${FONT};font-size:12px}.page{fill:#fff}.head,.foot,.sub{fill:#57606a;font-size:11px}` +
  `.head,.cell{text-anchor:middle}.name{fill:#1f2328;font-weight:bold}.cell{fill:#1f2328}` +
  `.good{fill:#d4f3dc}.bad{fill:#ffd9d6}.mixed{fill:#fbedc0}.none{fill:#eef0f2}` +
  `@media(prefers-color-scheme:dark){.page{fill:#0d1117}.head,.foot,.sub{fill:#9aa4af}.name,.cell{fill:#e6edf3}` +
  `.good{fill:#14432a}.bad{fill:#67201f}.mixed{fill:#4d3c05}.none{fill:#21262d}}`;

function row(
  report: Report,
  groups: readonly string[],
  y: number,
  shown: Set<Mark>,
): string[] {
  const results = byGroup(report.results);
  const cells = groups.map((group, index) => {
    const members = results.get(group) ?? [];
    const counts = count(members).filter(([mark]) => mark !== "not-applicable");
    const [mark] = counts[0] ?? ["not-applicable" as const];
    shown.add(mark);
    const tried = counts.reduce((sum, [, many]) => sum + many, 0);
    const kept = members.filter((r) => markOf(r) === "pass").length;
    const words = tried === 0
      ? MARKS[mark].symbol
      : mark === "pass"
      ? `${MARKS.pass.symbol} ${kept}`
      : `${MARKS[mark].symbol} ${kept}/${tried}`;
    const x = LEFT + index * CELL.width;
    const detail = `${report.target}, ${GROUPS[group] ?? group}: ${
      countText(members) || "no rules"
    }`;
    return `<g><title>${escapeXml(detail)}</title><rect class="${
      tone(mark)
    }" x="${x + 2}" y="${y + 2}" width="${CELL.width - 4}" height="${
      CELL.height - 4
    }" rx="4"/><text class="cell" x="${x + CELL.width / 2}" y="${
      y + 22
    }">${words}</text></g>`;
  });
  return [
    `<text class="name" x="12" y="${y + 16}">${
      escapeXml(cut(printable(report.target), 21))
    }</text>`,
    `<text class="sub" x="12" y="${y + 29}">${report.verdict}</text>`,
    ...cells,
  ];
}

function tone(mark: Mark): string {
  if (mark === "pass") return "good";
  if (mark === "not-applicable") return "none";
  return mark === "fail" || mark === "stale" || mark === "error"
    ? "bad"
    : "mixed";
}

function rank(group: string): number {
  const index = Object.keys(GROUPS).indexOf(group);
  return index === -1 ? Infinity : index;
}
