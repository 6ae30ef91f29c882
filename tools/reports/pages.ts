/** The pages of the reports, and the matrix. */
import { countText, printable } from "../../conformance/formats/common.ts";
import { formatReport, RULE_SET, rules } from "../../conformance/mod.ts";
import { type Finding, findingsOf } from "./findings.ts";
import { reportOf, type Summary } from "./index.ts";
import { markdown } from "../spec.ts";
import type { Sent } from "./others.ts";
import { rank, type Ranked } from "./ranking.ts";
import { rowOf, rowOfSent } from "./rows.ts";
import {
  ABSENT,
  flagsOf,
  libraries,
  type Library,
  type Subject,
  subjects,
  TARGETS,
} from "./storages.ts";

/** All pages and the matrix, by name. */
export async function makePages(
  storages: Readonly<Record<string, Summary>>,
  sent: readonly Sent[],
): Promise<Map<string, string>> {
  const ranked = rank([
    ...Object.entries(storages).map(([name, summary]) => rowOf(name, summary)),
    ...sent.map(rowOfSent),
  ]);
  const findings = new Map<Library, readonly Finding[]>();
  for (const library of libraries) {
    findings.set(library, await findingsOf(library, storages));
  }
  const pages = new Map([["README.md", table(ranked, findings)]]);
  for (const [name, summary] of Object.entries(storages)) {
    pages.set(`${name}.md`, page(name, summary, findings));
  }
  const matrix = formatReport(ranked.map(({ report }) => report), {
    format: "matrix",
  });
  return pages.set("matrix.svg", matrix);
}

/** Text of others as Markdown that shows it. */
export function escapeMarkdown(text: string): string {
  return printable(text).replaceAll(/[\\`*_{}[\]()<>#+!|&~]/g, "\\$&");
}

function table(
  ranked: readonly Ranked[],
  findings: ReadonlyMap<Library, readonly Finding[]>,
): string {
  return [
    `# Session storages, checked by rules ${RULE_SET}`,
    "",
    "Each storage is checked for what its own documentation claims, and for nothing else; rules that need no claim are the core, which every storage should keep. If a library behaves otherwise by design and documents it, the rule does not apply; the storage's page has the reason. Every failure of another library was checked against its source and has a reproduction in a few lines of its own API, which a test runs.",
    "",
    `![Storages and groups of rules](matrix.svg)`,
    "",
    "The order: by verdict, then whether the core rules are kept, then how few rules are broken, then how many are kept. A storage that claims more is tried by more rules. Stores without sessions of their own are checked behind an [adapter](../adapters/), which creates the ids and does what the store's framework does.",
    "",
    "| | Storage | Package | Core | Verdict | Kept | Broken |",
    "| ---: | --- | --- | --- | --- | ---: | ---: |",
    ...ranked.map(row),
    "",
    "## Not in the table",
    "",
    ...ABSENT.map((absent) => `- \`${absent.package}\`: ${absent.reason}`),
    "",
    "## Your storage",
    "",
    "[others/](others/README.md) says how to send a report, and which tool checks it.",
    "",
    "Everything on this page is written by `deno run -A tools/reports.ts`; a test compares it with a new run. The rules are in [SPEC.md](../SPEC.md), and [index.json](index.json) has the results.",
    ...[...findings].flatMap(([library, found]) => section(library, found)),
    "",
  ].join("\n");
}

function row(
  { place, report, package: name, link, by, kept, broken }: Ranked,
): string {
  const cells = [
    place,
    `[${escapeMarkdown(report.target)}](${link})`,
    [
      ...name === undefined ? ["this library"] : [`\`${name}\``],
      ...by === undefined ? [] : [`checked by ${escapeMarkdown(by)}`],
    ].join(", "),
    report.levels.core ?? "",
    report.verdict,
    kept,
    broken,
  ];
  return `| ${cells.join(" | ")} |`;
}

function section(library: Library, found: readonly Finding[]): string[] {
  const { title, name, storages } = library;
  return [
    "",
    `## ${title}`,
    "",
    "To run all reproductions:",
    "",
    "```sh",
    `${
      runWith(Object.values(storages))
    } conformance/reports/reproductions/${name}.ts`,
    "```",
    "",
    "| Rule | Storages | Effect on a visitor | Reproduction |",
    "| --- | --- | --- | --- |",
    ...found.map(({ rule, by, visitor, link }) =>
      `| ${rule} | ${by.join(", ")} | ${markdown(visitor)} | [code](${link}) |`
    ),
  ];
}

/** The command that runs a file which loads these storages. */
function runWith(storages: readonly Subject[]): string {
  return ["deno run -A", ...flagsOf(...storages)].join(" ");
}

/** The page of a storage. */
function page(
  name: string,
  summary: Summary,
  findings: ReadonlyMap<Library, readonly Finding[]>,
): string {
  const { target, package: version, verdict, failed, notApplicable } = summary;
  const report = reportOf(summary);
  const found = [...findings].flatMap(([{ storages }, all]) =>
    Object.values(storages).some(({ file }) => file === name) ? all : []
  );
  const levels = Object.entries(report.levels)
    .map(([level, state]) => `${level} ${state}`);
  return [
    `# ${target}`,
    "",
    `${version ? `\`${version}\`: ` : ""}**${verdict}**, ${
      countText(report.results)
    }.`,
    "",
    `What it claims, and whether all rules that need the claim are kept: ${
      levels.join(", ")
    }. [The target](../../${TARGETS}${name}.ts) shows how it is opened. To see each step of a failure:`,
    "",
    "```sh",
    `${
      runWith(subjects().filter(({ file }) => file === name))
    } conformance/cli.ts ${TARGETS}${name}.ts --seed 1`,
    "```",
    ...failed.length > 0 ? ["", "## Broken", ""] : [],
    ...failed.map((id) => broken(id, found)),
    "",
    "## Not applicable",
    "",
    ...Object.entries(notApplicable).map(([reason, group]) =>
      `- ${group.join(", ")}: ${escapeMarkdown(reason)}`
    ),
    "",
  ].join("\n");
}

function broken(id: string, found: readonly Finding[]): string {
  const rule = rules.find((rule) => rule.id === id);
  const finding = found.find((finding) => finding.rule === id);
  const effect = finding
    ? ` ${markdown(finding.visitor)} [Reproduction](${finding.link})`
    : "";
  return `- **${id}**: ${escapeMarkdown(rule?.sentence ?? "")}${effect}`;
}
