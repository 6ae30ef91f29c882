/**
 * Checks the built-in storages and those of other libraries, and writes `conformance/reports/` from what it finds.
 *
 * `deno run -A tools/reports.ts`, or with `--check` to compare only.
 */
// deno-lint-ignore-file no-console -- a command
import { exists, walk } from "@std/fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { countText } from "../conformance/formats/common.ts";
import {
  checkStorage,
  formatReport,
  type Outcome,
  type Report,
  RULE_SET,
  type RuleResult,
  rules,
  type Target,
} from "../conformance/mod.ts";
import type { Reproduction } from "../conformance/reports/reproductions/_run.ts";
import { deno, root } from "./project.ts";

/** The seed of all reports. */
const SEED = 1;

/** A machine that is busy makes no storage broken, in milliseconds. */
const PATIENCE = 60_000;

/** Where the reports belong. */
export const folder: URL = new URL("conformance/reports/", root);

/** The targets, below the root. */
const TARGETS = "tests/conformance/published/";

/** A library of others. */
interface Library {
  /** Its heading. */
  readonly title: string;
  /** Its packages on npm, as deno.json pins them. */
  readonly packages: readonly string[];
  /** The file of its reproductions; its targets begin with the same words. */
  readonly name: string;
  /** Its storages, as the reproductions call them. */
  readonly storages: readonly string[];
}

/** This library's own storages. */
const OWN = [
  ...["memory", "cookie", "file", "deno_kv", "four_functions"],
  ...["redis", "memcached", "dynamodb", "workers_kv"],
];

/** The libraries of others. */
export const libraries: readonly Library[] = [
  {
    title: "React Router",
    packages: ["react-router", "@react-router/node"],
    name: "react_router",
    storages: ["cookie", "memory", "file"],
  },
  {
    title: "Remix 3",
    packages: ["@remix-run/session"],
    name: "remix",
    storages: ["cookie", "memory", "fs"],
  },
];

/** Where requests meet in the file system, each run finds another moment: these show in most runs, and never alike. */
const RACES: Readonly<Record<string, string>> = {
  "remix_fs CONC-04":
    "reading a session rejected: a SyntaxError about JSON that is not all there",
};

/** How often a race is run before it counts as kept. */
const RACE_RUNS = 10;

/** A line of `index.json`: what was found about a storage. Rules that are not listed passed. */
export interface Summary {
  readonly target: string;
  readonly verdict: Report["verdict"];
  readonly failed: readonly string[];
  readonly notApplicable: readonly string[];
}

/** All that was found, by the target's file without its ending. */
export interface Index {
  readonly ruleSet: string;
  readonly storages: Readonly<Record<string, Summary>>;
}

interface Entry extends Summary {
  /** The target's file, without its ending. */
  readonly name: string;
  /** The page of its report. */
  readonly page: string;
}

/** Reads `index.json`. */
export function readIndex(): Index {
  return JSON.parse(Deno.readTextFileSync(new URL("index.json", folder)));
}

/** Checks a target. If its engine is not installed, the result is the one that is already published. */
async function checkTarget(name: string): Promise<Entry> {
  let target: Target;
  try {
    const module = await import(new URL(`${TARGETS}${name}.ts`, root).href);
    target = module.default;
  } catch (error) {
    if (Deno.env.get("CI") === "true") throw error;
    console.error(`${name} was not checked: ${(error as Error).message}`);
    const summary = readIndex().storages[name];
    if (!summary) throw error;
    const file = new URL(`${name}.md`, folder);
    return { name, ...summary, page: Deno.readTextFileSync(file) };
  }
  const report = await checkStorage(target, {
    seed: SEED,
    deadlineMs: PATIENCE,
  });
  const results: RuleResult[] = [];
  for (const result of report.results) {
    const { rule, outcome } = result;
    if (outcome === "error" || outcome === "not-run") {
      throw new Error(`${name}: ${rule} ${outcome}: ${result.reason}`);
    }
    const reason = RACES[`${name} ${rule}`];
    if (reason === undefined) results.push(result);
    else if (await loses(target, rule)) {
      results.push({ rule, outcome: "fail", reason, ms: 0 });
    } else results.push({ rule, outcome: "pass", ms: 0 });
  }
  const of = (outcome: Outcome) =>
    results.filter((result) => result.outcome === outcome)
      .map((result) => result.rule);
  return {
    name,
    target: report.target,
    verdict: report.verdict,
    failed: of("fail"),
    notApplicable: of("not-applicable"),
    page: page(name, { ...report, results }),
  };
}

async function loses(target: Target, rule: string): Promise<boolean> {
  for (let i = 0; i < RACE_RUNS; i++) {
    const { results } = await checkStorage(target, {
      seed: SEED,
      only: [rule],
    });
    if (results[0]?.outcome === "fail") return true;
  }
  return false;
}

/** A report with outcomes only, for the table and the matrix. */
function reportOf({ target, verdict, failed, notApplicable }: Summary): Report {
  const results = rules.map(({ id: rule }): RuleResult => ({
    rule,
    outcome: failed.includes(rule)
      ? "fail"
      : notApplicable.includes(rule)
      ? "not-applicable"
      : "pass",
    ms: 0,
  }));
  const ruleSet = RULE_SET;
  return {
    target,
    ruleSet,
    seed: SEED,
    verdict,
    results,
    notes: [],
    stale: [],
  };
}

/** The reproductions of a library, by rule. */
export async function reproductionsOf(
  library: Library,
): Promise<Record<string, Reproduction<unknown>>> {
  const file = new URL(`reproductions/${library.name}.ts`, folder);
  return (await import(file.href)).reproductions;
}

function command(name: string): string {
  return `deno run -A conformance/cli.ts ${TARGETS}${name}.ts`;
}

/** A report's own page: what the command prints. */
function page(name: string, report: Report): string {
  const text = formatReport(report, {
    format: "text",
    again: ({ seed }, rule) => `${command(name)} --only ${rule} --seed ${seed}`,
  });
  return [
    `# ${report.target}`,
    "",
    `From the root of this repository; [the target](../../${TARGETS}${name}.ts) says what the storage claims.`,
    "",
    "```sh",
    `${command(name)} --seed ${SEED}`,
    "```",
    "",
    "```text",
    text.trimEnd(),
    "```",
    "",
  ].join("\n");
}

/** `index.json`, with one line for each storage. */
function json(entries: readonly Entry[]): string {
  const lines = entries.map(({ name, page: _, ...summary }) =>
    `    ${JSON.stringify(name)}: ${JSON.stringify(summary)}`
  );
  return `{
  "ruleSet": ${JSON.stringify(RULE_SET)},
  "storages": {
${lines.join(",\n")}
  }
}
`;
}

async function table(entries: readonly Entry[]): Promise<string> {
  const lines = [
    `# Reports, rules ${RULE_SET}`,
    "",
    "Written by `deno run -A tools/reports.ts`; a check fails where they drift. The rules are in [SPEC.md](../SPEC.md).",
    "",
    `![Targets and groups of rules](matrix.svg)`,
    "",
    "Each storage is held to what its own documentation claims, and to nothing else. Where a library chose otherwise by design, and says so, the rule does not apply to it; its report gives the reason.",
    "",
    "| Storage | Verdict | Rules |",
    "| --- | --- | --- |",
    ...entries.map((entry) =>
      `| [${entry.target}](${entry.name}.md) | ${entry.verdict} | ${
        countText(reportOf(entry).results)
      } |`
    ),
  ];
  for (const library of libraries) {
    lines.push("", ...await findings(library, entries));
  }
  return lines.join("\n") + "\n";
}

/** What a library's storages break, rule by rule. */
async function findings(
  library: Library,
  entries: readonly Entry[],
): Promise<string[]> {
  const { title, name, packages, storages } = library;
  const reproductions = await reproductionsOf(library);
  const file = `reproductions/${name}.ts`;
  const source = Deno.readTextFileSync(new URL(file, folder)).split("\n");
  const rows = rules.flatMap(({ id }) => {
    const by = storages.filter((storage) =>
      entries.some((entry) =>
        entry.name === `${name}_${storage}` && entry.failed.includes(id)
      )
    );
    if (by.length === 0) return [];
    const visitor = reproductions[id]?.visitor ?? "";
    const line = source.findIndex((text) => text.includes(`"${id}": {`)) + 1;
    return [
      `| ${id} | ${by.join(", ")} | ${visitor} | [code](${file}#L${line}) |`,
    ];
  });
  return [
    `## ${title}`,
    "",
    `${
      packages.map((name) => `\`${versionOf(name)}\``).join(", ")
    }. Each reproduction uses nothing but these packages; all of them:`,
    "",
    "```sh",
    `deno run -A conformance/reports/${file}`,
    "```",
    "",
    "| Rule | Storages | What happens to a visitor | Reproduction |",
    "| --- | --- | --- | --- |",
    ...rows,
  ];
}

/** A package with its version, from deno.json. */
function versionOf(name: string): string {
  const { imports } = JSON.parse(
    Deno.readTextFileSync(new URL("deno.json", root)),
  );
  const pinned = imports[name]?.replace(/^npm:/, "") ?? "";
  if (/@\d+\.\d+\.\d+$/.test(pinned)) return pinned;
  throw new Error(`deno.json must pin ${name} to a version`);
}

/** All files that are written, by name. */
export async function makeReports(): Promise<Map<string, string>> {
  const names = [
    ...OWN.map((storage) => `satchel_${storage}`),
    ...libraries.flatMap(({ name, storages }) =>
      storages.map((storage) => `${name}_${storage}`)
    ),
  ];
  const entries: Entry[] = [];
  for (const name of names) entries.push(await checkTarget(name));
  const pages = new Map([["README.md", await table(entries)]]);
  for (const { name, page } of entries) pages.set(`${name}.md`, page);
  const matrix = formatReport(entries.map(reportOf), { format: "matrix" });
  return new Map([
    ...await formatted(pages),
    ["index.json", json(entries)],
    ["matrix.svg", matrix],
  ]);
}

async function formatted(
  files: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const dir = Deno.makeTempDirSync();
  try {
    for (const [name, text] of files) {
      Deno.writeTextFileSync(`${dir}/${name}`, text);
    }
    const answer = await deno(["fmt", "--no-config", dir]);
    if (!answer.ok) throw new Error(answer.text);
    return new Map(
      Array.from(
        files.keys(),
        (name) => [name, Deno.readTextFileSync(`${dir}/${name}`)],
      ),
    );
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** The lines of a text that it did not have before: what a run on a machine far away has found. */
function added(before = "", after = ""): string[] {
  const had = new Set(before.split("\n"));
  return after.split("\n").filter((line) => !had.has(line));
}

/** The reports that are there, by name. */
async function readReports(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (!await exists(folder)) return found;
  for await (const { name, path } of walk(folder, { maxDepth: 1 })) {
    if (!/\.(md|json|svg)$/.test(name)) continue;
    found.set(name, await Deno.readTextFile(path));
  }
  return found;
}

if (import.meta.main) {
  const made = await makeReports();
  const there = await readReports();
  const names = new Set([...made.keys(), ...there.keys()]);
  const drifted = [...names].filter((n) => made.get(n) !== there.get(n));
  if (!Deno.args.includes("--check")) {
    for (const name of drifted) {
      const path = fileURLToPath(new URL(name, folder));
      const text = made.get(name);
      if (text === undefined) Deno.removeSync(path);
      else Deno.writeTextFileSync(path, text);
    }
  } else if (drifted.length > 0) {
    console.error(
      `conformance/reports/ (${
        drifted.join(", ")
      }): run \`deno run -A tools/reports.ts\``,
    );
    for (const name of drifted.filter((name) => name.endsWith(".md"))) {
      for (const line of added(there.get(name), made.get(name))) {
        console.error(`${name}: ${line}`);
      }
    }
    Deno.exitCode = 1;
  }
  // Connections to engines would keep it waiting; and workerd ends with what Node calls the end.
  process.exit();
}
