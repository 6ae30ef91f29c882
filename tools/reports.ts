/**
 * Checks the built-in storages and those of other libraries, and writes `conformance/reports/` from the results.
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
import type { Reproduction } from "../conformance/reports/reproductions/run.ts";
import { deno, root } from "./project.ts";

/** The seed of all reports. */
const SEED = 1;

/** The time limit of a rule, in seconds: long, since a busy machine does not make a storage wrong. */
const PATIENCE = 60;

/** The folder of the reports. */
export const folder: URL = new URL("conformance/reports/", root);

/** The targets, below the root. */
const TARGETS = "tests/conformance/published/";

/** Another library. */
interface Library {
  /** Its heading. */
  readonly title: string;
  /** Its packages on npm, whose versions deno.json pins. */
  readonly packages: readonly string[];
  /** The file of its reproductions, and the beginning of its targets' names. */
  readonly name: string;
  /** Its storages, by their names in the reproductions. */
  readonly storages: readonly string[];
}

/** This library's own storages. */
const OWN = [
  ...["memory", "cookie", "file", "deno_kv", "four_functions"],
  ...["redis", "memcached", "dynamodb", "workers_kv"],
];

/** The other libraries. */
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

/** Races in the file system: most runs find them, each with another reason. */
const RACES: Readonly<Record<string, string>> = {
  "remix_fs CONC-04":
    "reading a session rejected: a SyntaxError about incomplete JSON",
};

/** How often a race is run before the rule passes. */
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
    deadline: PATIENCE,
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
    claims: [],
    unclaimed: [],
    levels: {},
    clock: "none",
    versions: {},
    date: "",
    latencyMs: 0,
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

/** The page of a report: the output of the command. */
function page(name: string, report: Report): string {
  const text = formatReport(report, {
    format: "text",
    again: ({ seed }, rule) => `${command(name)} --only ${rule} --seed ${seed}`,
  });
  return [
    `# ${report.target}`,
    "",
    `From the root of this repository; [the target](../../${TARGETS}${name}.ts) shows what the storage claims.`,
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
    "Written by `deno run -A tools/reports.ts`; a test compares them with a new run. The rules are in [SPEC.md](../SPEC.md). [index.json](index.json) has the verdicts, and the rules that fail or do not apply.",
    "",
    `![Targets and groups of rules](matrix.svg)`,
    "",
    "Each storage is checked for what its own documentation claims, and for nothing else. If a library behaves otherwise by design and documents it, the rule does not apply; the report has the reason.",
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

/** The rules that a library's storages break. */
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
    }. Each reproduction uses these packages only. To run all of them:`,
    "",
    "```sh",
    `deno run -A conformance/reports/${file}`,
    "```",
    "",
    "| Rule | Storages | Effect on a visitor | Reproduction |",
    "| --- | --- | --- | --- |",
    ...rows,
  ];
}

/** A package with its version, from deno.json. */
function versionOf(name: string): string {
  const { scopes } = JSON.parse(
    Deno.readTextFileSync(new URL("deno.json", root)),
  );
  const pinned = scopes["./"][name]?.replace(/^npm:/, "") ?? "";
  if (/@\d+\.\d+\.\d+$/.test(pinned)) return pinned;
  throw new Error(`deno.json must pin ${name} to a version`);
}

/** All files to write, by name. */
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

/** The lines of a text that are new: they show in a CI log what has changed. */
function added(before = "", after = ""): string[] {
  const had = new Set(before.split("\n"));
  return after.split("\n").filter((line) => !had.has(line));
}

/** The existing reports, by name. */
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
  // Open connections to engines would keep the process alive, and workerd only stops at Node's exit.
  process.exit();
}
