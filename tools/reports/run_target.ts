/**
 * Checks one target, in a process of its own: some targets set the clock or the environment of the whole process.
 *
 * `deno run -A tools/reports/run_target.ts NAME OUT [RULE…]`: the summary goes to the file OUT. The rules failed last time.
 * The exit status is 3 if the target cannot be loaded.
 */
// deno-lint-ignore-file no-console -- a command
import process from "node:process";
import {
  checkStorage,
  type RuleResult,
  type Target,
} from "../../conformance/mod.ts";
import { root } from "../project.ts";
import { concluded, summaryOf } from "./index.ts";
import { subjects, TARGETS, versionOf } from "./storages.ts";

/** The seed of all reports. */
const SEED = 1;

/** The time limit of a rule, in seconds: long, since a busy machine does not make a storage wrong. */
const PATIENCE = 120;

/** How often a rule is tried. A race is not lost each time, and a slow storage does not get to all cases of a rule. */
const TRIES = 10;

const [name = "", out = "", ...known] = Deno.args;

/** Tries a rule again, with other seeds, until it has the outcome that is looked for. */
async function again(
  target: Target,
  result: RuleResult,
  found: (result: RuleResult) => boolean,
): Promise<RuleResult> {
  for (let i = 1; i < TRIES; i++) {
    const { results } = await checkStorage(target, {
      seed: SEED + i,
      only: [result.rule],
      deadline: PATIENCE,
    });
    if (results[0] && found(results[0])) return results[0];
  }
  return result;
}

async function settle(
  target: Target,
  result: RuleResult,
): Promise<RuleResult> {
  const { rule, outcome } = result;
  if (outcome === "pass" && known.includes(rule)) {
    return await again(target, result, (next) => next.outcome === "fail");
  }
  if (outcome !== "error" && outcome !== "not-run") return result;
  const tried = (next: RuleResult) =>
    next.outcome !== "error" && next.outcome !== "not-run";
  const next = await again(target, result, tried);
  if (tried(next)) return next;
  throw new Error(`${name}: ${rule} ${outcome}: ${result.reason}`);
}

async function load(): Promise<Target> {
  try {
    return (await import(new URL(`${TARGETS}${name}.ts`, root).href)).default;
  } catch (error) {
    console.error(`${error}`);
    process.exit(3);
  }
}

console.log = console.error;
const target = await load();
const options = { seed: SEED, deadline: PATIENCE };
const report = await checkStorage(target, options);
const results: RuleResult[] = [];
for (const result of report.results) {
  results.push(await settle(target, result));
}
const subject = subjects().find(({ file }) => file === name);
const verdict = concluded(report.target, report.claims, results);
const summary = summaryOf(
  { ...report, ...verdict, results },
  subject && versionOf(subject),
);
Deno.writeTextFileSync(out, JSON.stringify(summary));
// Open connections to engines would keep the process alive, and workerd only stops at Node's exit.
process.exit();
