/**
 * Reports for other programs: JSON, JUnit XML and TAP.
 *
 * A failure that does not affect conformance (an expected one, one of a `should` rule) is not a failure there. A rule
 * that could not be tried is never a pass.
 *
 * @module
 */
import {
  escapeXml,
  groupOf,
  levelsOf,
  markOf,
  printable,
  ruleOf,
  staleText,
} from "./common.ts";
import type { Report, RuleResult } from "../types.ts";

/** The reports as JSON: one report as an object, several as a list. */
export function formatJson(reports: readonly Report[]): string {
  const value = reports.length === 1 ? reports[0] : reports;
  const lines = JSON.stringify(value, null, 2).split("\n");
  // The escapes are those of JSON, so the values do not change.
  return lines.map(printable).join("\n") + "\n";
}

/** The reports as JUnit XML, which CI services read. */
export function formatJunit(reports: readonly Report[]): string {
  const suites = reports.map(suite);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${sums(reports.flatMap((report) => report.results))}>`,
    ...suites.flat(),
    "</testsuites>",
    "",
  ].join("\n");
}

function suite(report: Report): string[] {
  const { target, ruleSet, seed, verdict, results, date, clock } = report;
  const { claims, unclaimed, versions } = report;
  const properties = Object.entries({
    ruleSet,
    seed,
    verdict,
    claims: claims.join(" "),
    unclaimed: unclaimed.join(" "),
    clock,
    date,
    ...versions,
  }).map(
    ([name, value]) =>
      `      <property name="${escapeXml(name)}" value="${
        escapeXml(`${value}`)
      }"/>`,
  );
  return [
    `  <testsuite name="${escapeXml(target)}"${sums(results)}>`,
    "    <properties>",
    ...properties,
    "    </properties>",
    ...results.flatMap((result) => testcase(target, result)),
    "  </testsuite>",
  ];
}

function testcase(target: string, result: RuleResult): string[] {
  const { rule, ms } = result;
  const name = `${rule} ${ruleOf(rule)?.sentence ?? ""}`.trim();
  const open = `    <testcase classname="${
    escapeXml(`${target}.${groupOf(rule)}`)
  }" name="${escapeXml(name)}" time="${seconds(ms)}"`;
  const { kind, type, message } = junitOutcome(result);
  if (kind === undefined) return [`${open}/>`];
  const detail = kind === "skipped" ? "" : details(result).map(escapeXml)
    .join("\n");
  const start = `      <${kind}${type ? ` type="${type}"` : ""} message="${
    escapeXml(message)
  }"`;
  return [
    `${open}>`,
    detail === "" ? `${start}/>` : `${start}>${detail}</${kind}>`,
    "    </testcase>",
  ];
}

function junitOutcome(
  result: RuleResult,
): { kind?: "failure" | "error" | "skipped"; type?: string; message: string } {
  const { reason = "", expected = "" } = result;
  switch (markOf(result)) {
    case "fail":
      return { kind: "failure", type: "fail", message: reason };
    case "stale":
      return { kind: "failure", type: "stale", message: staleText(result) };
    case "error":
      return { kind: "error", type: "error", message: reason };
    case "not-run":
      return { kind: "error", type: "not-run", message: reason };
    case "advice":
      return { kind: "skipped", message: `failed, a should: ${reason}` };
    case "expected":
      return { kind: "skipped", message: `failed as expected: ${expected}` };
    case "not-applicable":
      return { kind: "skipped", message: `not applicable: ${reason}` };
    default:
      return { message: "" };
  }
}

function sums(results: readonly RuleResult[]): string {
  const many = (kind: string) =>
    results.filter((result) => junitOutcome(result).kind === kind).length;
  const time = seconds(results.reduce((sum, { ms }) => sum + ms, 0));
  return ` tests="${results.length}" failures="${many("failure")}" errors="${
    many("error")
  }" skipped="${many("skipped")}" time="${time}"`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(4);
}

/** The values, the trace and the why of a result. */
function details(result: RuleResult): string[] {
  const { got, want, trace = [], rule } = result;
  const why = ruleOf(rule)?.why;
  return [
    ...want === undefined ? [] : [`got  ${got}`, `want ${want}`],
    ...trace,
    ...why === undefined ? [] : [`Why: ${why}`],
  ];
}

/** The reports as TAP version 14; several as subtests. */
export function formatTap(reports: readonly Report[]): string {
  const [only] = reports;
  const lines = ["TAP version 14"];
  if (reports.length === 1 && only) lines.push(...tapLines(only));
  else {
    lines.push(`1..${reports.length}`);
    reports.forEach((report, index) => {
      const name = tapText(report.target);
      const bad = report.results.some((result) => tapOutcome(result).bad);
      lines.push(
        `# Subtest: ${name}`,
        ...tapLines(report).map((line) => `    ${line}`),
        `${bad ? "not ok" : "ok"} ${index + 1} - ${name}`,
      );
    });
  }
  return lines.join("\n") + "\n";
}

function tapLines(report: Report): string[] {
  const lines = [`1..${report.results.length}`];
  report.results.forEach((result, index) => {
    const { rule } = result;
    const { ok, directive = "" } = tapOutcome(result);
    const name = tapText(`${rule} ${ruleOf(rule)?.sentence ?? ""}`.trim());
    lines.push(`${ok ? "ok" : "not ok"} ${index + 1} - ${name}${directive}`);
    if (!ok) lines.push(...yaml(result).map((line) => `  ${line}`));
  });
  lines.push(
    `# ${report.verdict}, rules ${report.ruleSet}, seed ${report.seed}`,
    ...levelsOf(report).map(([title, names]) =>
      `# ${title}: ${names.join(", ")}`
    ),
  );
  return lines;
}

function tapOutcome(
  result: RuleResult,
): { ok: boolean; bad: boolean; directive?: string } {
  const { reason = "", expected = "" } = result;
  switch (markOf(result)) {
    case "pass":
      return { ok: true, bad: false };
    case "not-applicable":
      return { ok: true, bad: false, directive: ` # SKIP ${tapText(reason)}` };
    // In TAP, a TODO is a known failure that does not fail the run.
    case "expected":
      return {
        ok: false,
        bad: false,
        directive: ` # TODO ${tapText(expected)}`,
      };
    case "advice":
      return { ok: false, bad: false, directive: " # TODO a should" };
    default:
      return { ok: false, bad: true };
  }
}

function tapText(text: string): string {
  return printable(text).replaceAll(/[\\#]/g, (character) => `\\${character}`);
}

/** A YAML block; JSON strings are YAML too. */
function yaml(result: RuleResult): string[] {
  const { outcome, reason, got, want, trace = [] } = result;
  const stale = markOf(result) === "stale";
  const fields = Object.entries({
    outcome: stale ? "stale" : outcome,
    message: stale ? staleText(result) : reason,
    got,
    want,
    why: ruleOf(result.rule)?.why,
  }).filter(([, value]) => value !== undefined);
  const quoted = (value: unknown) => JSON.stringify(printable(`${value}`));
  return [
    "---",
    ...fields.map(([name, value]) => `${name}: ${quoted(value)}`),
    ...trace.length > 0
      ? ["trace:", ...trace.map((line) => `  - ${quoted(line)}`)]
      : [],
    "...",
  ];
}
