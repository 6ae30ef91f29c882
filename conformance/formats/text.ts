/**
 * A report for people, in a terminal or a log.
 *
 * @module
 */
import {
  byGroup,
  countText,
  cutShort,
  GROUPS,
  levelsOf,
  listIds,
  type Mark,
  markOf,
  MARKS,
  printable,
  ruleOf,
  staleText,
  worst,
} from "./common.ts";
import { rules } from "../rules.ts";
import type { Report, RuleResult } from "../types.ts";

/** How text is laid out. */
export interface TextLayout {
  /** Whether to colour it. */
  readonly colour: boolean;
  /** Columns. */
  readonly width: number;
  /** Returns the command that repeats a rule. */
  readonly again: (report: Report, rule: string) => string;
}

/** How many lines of a trace are shown: the last ones, of which the last is what failed. */
const TRACE_LINES = 16;

/** The reports as text, each with its verdict in the last line. */
export function formatText(
  reports: readonly Report[],
  layout: TextLayout,
): string {
  const blocks = reports.map((report) => reportLines(report, layout));
  if (reports.length > 1) {
    const verdicts = Map.groupBy(reports, (report) => report.verdict);
    const counts = [...verdicts].map(([verdict, of]) =>
      `${of.length} ${verdict}`
    );
    blocks.push([
      paint(`${reports.length} targets: ${counts.join(", ")}`, layout, [
        1,
        verdictCode(worst(reports)),
      ]),
    ]);
  }
  return blocks.map((lines) => lines.join("\n") + "\n").join("\n");
}

function reportLines(report: Report, layout: TextLayout): string[] {
  const { results, notes, verdict } = report;
  const of = (...marks: Mark[]) =>
    results.filter((result) => marks.includes(markOf(result)));
  const lines = [
    paint(
      `${
        printable(report.target)
      } · rules ${report.ruleSet} · seed ${report.seed}`,
      layout,
      [1],
    ),
    "",
    ...groupLines(results, layout),
    "",
  ];
  for (const alike of sameReason(of("fail", "stale", "error", "advice"))) {
    lines.push(...problemLines(report, alike, layout), "");
  }
  lines.push(
    ...reasonLines("Failed as expected", of("expected"), layout),
    ...reasonLines("Not run", of("not-run"), layout),
    ...reasonLines("Not applicable", of("not-applicable"), layout),
  );
  lines.push(...levelLines(report, layout), ...cutLines(report, layout));
  if (notes.length > 0) {
    lines.push("Notes");
    for (const note of notes) {
      lines.push(...wrap(printable(note), layout.width, "  "));
    }
    lines.push("");
  }
  const sum = wrap(`${verdict}: ${countText(results)}`, layout.width, "");
  const code = verdictCode(verdict);
  return [...lines, ...sum.map((line) => paint(line, layout, [1, code]))];
}

function levelLines(report: Report, layout: TextLayout): string[] {
  const levels = levelsOf(report);
  // A selection of rules says little about a claim.
  if (report.results.length < rules.length) return [];
  return [
    "Claims",
    ...levels.flatMap(([title, names]) =>
      wrap(`${title}: ${names.join(", ")}`, layout.width, "  ")
    ),
    "",
  ];
}

function cutLines(
  { results, latencyMs }: Report,
  layout: TextLayout,
): string[] {
  const short = cutShort(results);
  if (short.length === 0) return [];
  const cases = short.map(({ rule, rounds }) =>
    `${rule} ${rounds?.ran} of ${rounds?.of}`
  );
  return [
    `Some of the cases, since a call takes about ${latencyMs} ms`,
    ...wrap(cases.join(", "), layout.width, "  "),
    "",
  ];
}

function groupLines(
  results: readonly RuleResult[],
  layout: TextLayout,
): string[] {
  const groups = [...byGroup(results)];
  const longest = Math.max(...groups.map(([, members]) => members.length));
  return groups.flatMap(([group, members]) => {
    const name = printable(GROUPS[group] ?? group).padEnd(15);
    const strip = members.map((result) => symbol(markOf(result), layout));
    const room = " ".repeat(longest - members.length + 2);
    const indent = " ".repeat(longest + 19);
    const [first = "", ...rest] = wrap(
      countText(members),
      layout.width,
      indent,
    );
    const line = `  ${name}${strip.join("")}${room}${first.trimStart()}`;
    return [line, ...rest];
  });
}

function problemLines(
  report: Report,
  [first, ...others]: readonly [RuleResult, ...RuleResult[]],
  layout: TextLayout,
): string[] {
  const { width } = layout;
  const mark = markOf(first);
  const rule = ruleOf(first.rule);
  const lines = [
    paint(
      `${MARKS[mark].symbol} ${first.rule} ${MARKS[mark].word}`,
      layout,
      [1, MARKS[mark].ansi],
    ),
    ...wrap(rule?.sentence ?? "", width, "  "),
    "",
  ];
  const { got, want, trace = [] } = first;
  const reason = mark === "stale" ? staleText(first) : first.reason ?? "";
  lines.push(...labelled("reason", reason, width));
  if (want !== undefined) {
    lines.push(
      ...labelled("got", got ?? "", width),
      ...labelled("want", want, width),
    );
  }
  if (others.length > 0) {
    const ids = listIds(others.map((result) => result.rule));
    lines.push(...labelled("also", `for the same reason ${ids}`, width));
  }
  if (trace.length > 0) lines.push("", ...traceLines(trace, width), "");
  if (rule) lines.push(...labelled("why", rule.why, width));
  // Not wrapped, so that it can be copied.
  lines.push(`  again   ${printable(layout.again(report, first.rule))}`);
  return lines;
}

function traceLines(trace: readonly string[], width: number): string[] {
  const left = trace.length - TRACE_LINES;
  const shown = left <= 1 ? trace : [
    `… ${left} steps before; all are in the JSON report`,
    ...trace.slice(-TRACE_LINES),
  ];
  return shown.flatMap((line) => {
    const [number = ""] = line.match(/^\d+\. /) ?? ["    "];
    const pad = " ".repeat(Math.max(0, 8 - number.length)) + "  ";
    const text = printable(
      line.startsWith(number) ? line.slice(number.length) : line,
    );
    const [head = "", ...rest] = wrap(text, width, " ".repeat(10));
    return [pad + number + head.trimStart(), ...rest];
  });
}

/** Groups results with the same failure: one broken `open` fails all rules. */
function sameReason(
  results: readonly RuleResult[],
): [RuleResult, ...RuleResult[]][] {
  const groups = Map.groupBy(
    results,
    ({ outcome, reason, got, want, expected }) =>
      JSON.stringify([outcome, reason, got, want, expected]),
  );
  return [...groups.values()] as [RuleResult, ...RuleResult[]][];
}

function reasonLines(
  title: string,
  results: readonly RuleResult[],
  layout: TextLayout,
): string[] {
  if (results.length === 0) return [];
  const lines = [title];
  const reasons = Map.groupBy(
    results,
    (result) => result.expected ?? result.reason ?? "",
  );
  for (const [reason, members] of reasons) {
    const ids = listIds(members.map((result) => result.rule));
    lines.push(...wrap(printable(`${ids}: ${reason}`), layout.width, "  "));
  }
  return [...lines, ""];
}

function labelled(label: string, text: string, width: number): string[] {
  const [first = "", ...rest] = wrap(printable(text), width, " ".repeat(10));
  return [`  ${label.padEnd(8)}${first.trimStart()}`, ...rest];
}

/** Wraps text into indented lines of a width. A word that is longer than a line is broken too. */
export function wrap(text: string, width: number, indent: string): string[] {
  const room = Math.max(20, width - indent.length);
  const lines: string[] = [];
  let line = "";
  for (let word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line);
      line = "";
    }
    while (word.length > room) {
      lines.push(word.slice(0, room));
      word = word.slice(room);
    }
    line += (line === "" ? "" : " ") + word;
  }
  if (line !== "") lines.push(line);
  return lines.map((each) => indent + each);
}

function symbol(mark: Mark, layout: TextLayout): string {
  return paint(MARKS[mark].symbol, layout, [MARKS[mark].ansi]);
}

/** Text in a terminal's colours. */
export function paint(
  text: string,
  { colour }: Pick<TextLayout, "colour">,
  codes: readonly number[],
): string {
  return colour ? `\x1b[${codes.join(";")}m${text}\x1b[0m` : text;
}

function verdictCode(verdict: Report["verdict"]): number {
  if (verdict === "conformant") return MARKS.pass.ansi;
  return verdict === "nonconformant" ? MARKS.fail.ansi : MARKS["not-run"].ansi;
}
