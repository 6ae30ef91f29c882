/**
 * The command, without the parts that depend on the runtime.
 *
 * @module
 */
import {
  type CliOptions,
  helpText,
  readArgs,
  unknownRule,
  UsageError,
} from "./args.ts";
import { groupOf, GROUPS, printable } from "../formats/common.ts";
import { wrap } from "../formats/text.ts";
import { describe } from "../trial/port.ts";
import { formatSelfCheck, selfCheck } from "./self_check.ts";
import { formatReport } from "../format.ts";
import { allRules } from "../catalogue.ts";
import { RULE_SET } from "../rules.ts";
import { Stray } from "../trial/stray.ts";
import { choose } from "../target.ts";
import { isEngineTarget } from "../engine/target.ts";
import {
  type AnyTarget,
  expectedFor,
  namesFor,
  sizeOf,
  suiteFor,
} from "./suites.ts";
import { loadTargets } from "./targets.ts";
import type { Report } from "../types.ts";

/** What the runtime provides for the command. */
export interface CliHost {
  /** How the command is called, up to its arguments. */
  readonly command: string;
  /** The environment's `CONFORMANCE_DEADLINE`. */
  readonly deadline?: string | undefined;
  /** The width of the terminal, if standard output is one. */
  readonly columns?: number | undefined;
  /** Whether to use colours. */
  readonly colour: boolean;
  /** Standard output. */
  write(text: string): void;
  /** Standard error. */
  complain(text: string): void;
  /** Replaces the line that shows the progress of a long run; `""` erases it. Absent without a terminal. */
  readonly progress?: (text: string) => void;
  /** Reads a text file. */
  read(file: string): Promise<string>;
  /** Writes a text file. */
  save(file: string, text: string): Promise<void>;
  /** Loads the module that the command line names. */
  load(specifier: string): Promise<Record<string, unknown>>;
  /** The address of that module, which another process can import. */
  address(specifier: string): string;
}

/** Runs the command. Returns the exit status. */
export async function runCli(
  args: readonly string[],
  host: CliHost,
): Promise<number> {
  // Errors that a target throws outside of a call must not end the process.
  const stray = new Stray();
  try {
    const options = readArgs(args, host.deadline);
    if (options.action === "help") {
      host.write(helpText(host.command));
      return 0;
    }
    if (options.action === "list") {
      host.write(listText(options.only, host.columns ?? 80));
      return 0;
    }
    const expected = options.baseline === undefined
      ? undefined
      : readBaseline(await readText(options.baseline, host), options.baseline);
    const { target } = options;
    const targets = await loadTargets(target, host);
    const outside = await stray.take();
    if (outside !== undefined) {
      throw new UsageError(`${target} cannot be loaded: ${outside}`);
    }
    return options.action === "self-check"
      ? await sabotage(targets, options, host)
      : await check(targets, options, expected, host);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    host.complain(`error: ${printable(error.message)}\n`);
    return 2;
  } finally {
    stray.end();
  }
}

async function check(
  targets: readonly AnyTarget[],
  options: CliOptions,
  expectedFailures: Readonly<Record<string, string>> | undefined,
  host: CliHost,
): Promise<number> {
  const { slow, deadline, stdout, files, processes, kill } = options;
  const seed = options.seed ?? newSeed();
  const reports: Report[] = [];
  for (const target of targets) {
    const suite = suiteFor(target, options, () => host.address(options.target));
    const only = namesFor(suite, options.only);
    if (only?.length === 0) continue;
    const progress = watch(target, sizeOf(suite, only), host);
    reports.push(
      await suite.check({
        seed,
        only,
        slow,
        expectedFailures: expectedFor(suite, expectedFailures),
        deadline,
        onResult: progress.step,
      }),
    );
    progress.end();
  }
  if (reports.length === 0) {
    throw new UsageError(
      `--only names no rule for ${options.target}: rules about engines need a target without capabilities, and rules about histories need --processes`,
    );
  }
  const again = (report: Report, rule: string) =>
    [
      host.command,
      quote(options.target),
      processes === undefined
        ? `--only ${rule}`
        : `--processes ${processes}${kill ? " --kill" : ""}`,
      `--seed ${report.seed}`,
      ...slow ? ["--slow"] : [],
      ...deadline === undefined ? [] : [`--deadline ${deadline}`],
    ].join(" ");
  for (const [format, file] of Object.entries(files)) {
    const text = formatReport(reports, {
      format: format as keyof typeof files,
      again,
    });
    try {
      await host.save(file, text);
    } catch (error) {
      throw new UsageError(`cannot write ${file}: ${describe(error)}`);
    }
  }
  host.write(
    formatReport(reports, {
      format: stdout,
      again,
      colour: host.colour,
      width: host.columns,
    }),
  );
  return exitStatus(reports);
}

/** 1: a rule is broken. 2: the suite or the target failed. 3: a rule could not be tried. Otherwise 0. */
function exitStatus(reports: readonly Report[]): number {
  if (reports.some(({ verdict }) => verdict === "nonconformant")) return 1;
  const results = reports.flatMap((report) => report.results);
  if (results.some(({ outcome }) => outcome === "error")) return 2;
  return reports.some(({ verdict }) => verdict === "incomplete") ? 3 : 0;
}

async function sabotage(
  targets: readonly AnyTarget[],
  options: CliOptions,
  host: CliHost,
): Promise<number> {
  const { slow, deadline } = options;
  const seed = options.seed ?? newSeed();
  const outcomes = new Set<string>();
  for (const [index, target] of targets.entries()) {
    if (isEngineTarget(target)) {
      throw new UsageError(
        `--self-check needs a storage: ${target.name} is a target for an engine (it has no capabilities)`,
      );
    }
    const results = await selfCheck(target, {
      seed,
      slow,
      deadline,
    });
    for (const { outcome } of results) outcomes.add(outcome);
    const table = formatSelfCheck(target.name, results, {
      colour: host.colour,
      width: host.columns ?? 80,
      seed,
    });
    host.write((index > 0 ? "\n" : "") + table);
  }
  return outcomes.has("green") ? 1 : outcomes.has("unproven") ? 3 : 0;
}

/** Shows the progress of a run once it takes longer than 400 ms. */
function watch(
  target: AnyTarget,
  all: number,
  host: CliHost,
): { step(result: { rule: string }): void; end(): void } {
  const start = performance.now();
  let done = 0;
  let shown = false;
  return {
    step({ rule }) {
      done++;
      if (!host.progress || performance.now() - start < 400) return;
      shown = true;
      host.progress(`${printable(target.name)}  ${done}/${all}  ${rule}`);
    },
    end() {
      if (shown) host.progress?.("");
    },
  };
}

async function readText(file: string, host: CliHost): Promise<string> {
  try {
    return await host.read(file);
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${describe(error)}`);
  }
}

/** The expected failures of a baseline. */
function readBaseline(text: string, file: string): Record<string, string> {
  const refuse = (reason: string): never => {
    throw new UsageError(`${file} is not a valid baseline: ${reason}`);
  };
  let value: { ruleSet?: unknown; expected?: unknown } | null;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse((error as Error).message);
  }
  if (typeof value !== "object" || value === null) {
    return refuse("it must be an object");
  }
  const { ruleSet, expected } = value;
  if (ruleSet !== RULE_SET) {
    return refuse(
      `its ruleSet is ${
        JSON.stringify(ruleSet)
      }, and this suite has "${RULE_SET}"`,
    );
  }
  if (
    typeof expected !== "object" || expected === null || Array.isArray(expected)
  ) {
    return refuse('"expected" must be an object with a reason for each rule');
  }
  for (const [id, reason] of Object.entries(expected)) {
    if (!allRules.some((rule) => rule.id === id)) refuse(unknownRule(id));
    if (typeof reason !== "string" || reason.trim() === "") {
      refuse(`the reason of ${id} is missing`);
    }
  }
  return expected as Record<string, string>;
}

/** The output of `--list`. */
function listText(only: readonly string[] | undefined, width: number): string {
  const lines: string[] = [`Rules ${RULE_SET}`];
  let group = "";
  for (const { id, level, capabilities, sentence } of choose(only, allRules)) {
    if (groupOf(id) !== group) {
      group = groupOf(id);
      lines.push("", GROUPS[group] ?? group);
    }
    const marks = [
      ...level === "should" ? ["should"] : [],
      ...capabilities,
    ];
    const tail = marks.length > 0 ? ` [${marks.join(", ")}]` : "";
    const [first = "", ...rest] = wrap(
      sentence + tail,
      width,
      " ".repeat(14),
    );
    lines.push(`  ${id.padEnd(12)}${first.trimStart()}`, ...rest);
  }
  return lines.join("\n") + "\n";
}

function newSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

/** A word of a command line, for a shell. */
function quote(word: string): string {
  return /^[\w./@:+-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", "'\\''")}'`;
}
