/**
 * Reads the command line.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { allRules } from "../catalogue.ts";
import { RULE_SET } from "../rules.ts";
import { MOST_SECONDS } from "../target.ts";

/** The command was misused: the message has one line, and the exit status is 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The options of the command line. */
export interface CliOptions {
  /** What the command does. */
  readonly action: "check" | "self-check" | "help" | "list";
  /** The target file, as it was written; `""` for `help` and `list`. */
  readonly target: string;
  /** Rules and groups. */
  readonly only: readonly string[] | undefined;
  /** Repeats a run. */
  readonly seed: number | undefined;
  /** Whether to try more random cases. */
  readonly slow: boolean;
  /** How long a rule may take, in seconds. */
  readonly deadline: number | undefined;
  /** The format for standard output. */
  readonly stdout: "text" | "json" | "tap";
  /** The files to write, by format. */
  readonly files: Readonly<Partial<Record<FileFormat, string>>>;
  /** The file of expected failures. */
  readonly baseline: string | undefined;
  /** How many processes work on the storage at the same time; `undefined` for the rules of one process. */
  readonly processes: number | undefined;
  /** Whether some of them are killed. */
  readonly kill: boolean;
}

const FORMATS = ["json", "junit", "html", "badge", "matrix"] as const;

/** The formats that can be written to a file. */
export type FileFormat = typeof FORMATS[number];

/** The options: the value that each needs, and what it does. */
const OPTIONS: Readonly<Record<string, readonly [string, string]>> = {
  only: ["RULES", "these rules or groups alone: FLASH,REGEN-04"],
  seed: ["N", "repeat a run's random choices and order"],
  slow: ["", "try more random cases, and all of them on a slow engine"],
  deadline: ["SECONDS", "how long a rule may take; or CONFORMANCE_DEADLINE"],
  processes: [
    "N",
    "N processes work on one storage: are they consistent?",
  ],
  kill: ["", "with --processes, kill some of them while they work"],
  baseline: ["FILE", "expected failures, with a reason each"],
  json: ["[FILE]", "JSON; to standard output unless a .json file follows"],
  tap: ["", "TAP, to standard output"],
  junit: ["FILE", "JUnit XML"],
  html: ["FILE", "an HTML page"],
  badge: ["FILE", "an SVG badge"],
  matrix: ["FILE", "an SVG matrix, a row for each target"],
  "self-check": ["", "break the storage on purpose; its rules must fail"],
  list: ["", "show the rules; with --only, some of them"],
  help: ["", "show this"],
};

/** The output of `--help`. */
export function helpText(command: string): string {
  const rows = Object.entries(OPTIONS).map(([name, [value, text]]) =>
    `  ${`--${name} ${value}`.padEnd(21)}${text}`
  );
  return `Checks a session storage or an engine against the conformance rules.

  ${command} ./target.ts [options]

The file exports a target as its default, or a list of them, or some by name.
With capabilities, it is a storage's; without, it is an engine's.

${rows.join("\n")}

A baseline: { "ruleSet": "${RULE_SET}", "expected": { "REGEN-04": "reason" } }

Exit status
  0  conformant, or partial: only expected failures, or a selection of rules
  1  a rule is broken, or one that was expected to fail passes
  2  the suite, the target or its hooks failed, the command was misused, or
     the report could not be written
  3  incomplete: a rule could not be tried
`;
}

/**
 * Reads the command line.
 *
 * @param args The arguments.
 * @param deadline The value of `CONFORMANCE_DEADLINE`, which counts without `--deadline`.
 * @returns The options.
 * @throws {UsageError} If an option is unknown, or a value is missing or wrong.
 */
export function readArgs(
  args: readonly string[],
  deadline?: string,
): CliOptions {
  const { given, targets } = parse(args);
  const action = (["help", "list", "self-check"] as const)
    .find((name) => given.has(name)) ?? "check";
  const [target = ""] = targets;
  if (action === "check" || action === "self-check") {
    if (target === "") {
      throw new UsageError("a target file is missing; --help shows an example");
    }
    if (targets.length > 1) {
      throw new UsageError(
        `expected one target file, received ${targets.length}; one file may export several targets`,
      );
    }
  }
  const other = [...given.keys()]
    .find((name) => !["self-check", "seed", "slow", "deadline"].includes(name));
  if (action === "self-check" && other) {
    throw new UsageError(`--self-check cannot be used with --${other}`);
  }
  const processes = readProcesses(given.get("processes"));
  if (given.has("kill") && processes === undefined) {
    throw new UsageError("--kill needs --processes: --processes 4 --kill");
  }
  const notWith = ["only", "slow", "baseline"].find((name) => given.has(name));
  if (processes !== undefined && notWith) {
    throw new UsageError(`--processes cannot be used with --${notWith}`);
  }
  const json = given.get("json") === "";
  if (json && given.has("tap")) {
    throw new UsageError(
      "--json and --tap both write to standard output; name a file for --json",
    );
  }
  return {
    action,
    target,
    only: readOnly(given.get("only")),
    seed: readSeed(given.get("seed")),
    slow: given.has("slow"),
    deadline: readDeadline(given.get("deadline"), "--deadline") ??
      readDeadline(deadline || undefined, "CONFORMANCE_DEADLINE"),
    stdout: json ? "json" : given.has("tap") ? "tap" : "text",
    files: Object.fromEntries(
      FORMATS.flatMap((name) =>
        given.get(name) ? [[name, given.get(name)]] : []
      ),
    ),
    baseline: given.get("baseline"),
    processes,
    kill: given.has("kill"),
  };
}

/** The options that are given, each with its value or `""`, and the target files. */
function parse(
  args: readonly string[],
): { given: Map<string, string>; targets: string[] } {
  const options = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, [value]]) => [name, {
      type: value === "" ? "boolean" as const : "string" as const,
      multiple: value !== "",
      ...name === "help" ? { short: "h" } : {},
    }]),
  );
  // The value of --json is optional, which `parseArgs` does not know.
  const complete = args.map((arg, i) =>
    arg === "--json" && !/^[^-].*\.json$/.test(args[i + 1] ?? "")
      ? "--json="
      : arg
  );
  const given = new Map<string, string>();
  try {
    const { values, positionals } = parseArgs({
      args: complete,
      options,
      allowPositionals: true,
    });
    for (const [name, all] of Object.entries(values)) {
      const list = Array.isArray(all) ? all : [""];
      if (list.length > 1 && name !== "only") {
        throw new Error(`--${name} is given twice; give it once`);
      }
      if (list[0] === "" && OPTIONS[name]?.[0].match(/^\w/)) {
        throw new Error(`Option '--${name}' needs a value`);
      }
      given.set(name, list.join());
    }
    return { given, targets: positionals };
  } catch (error) {
    const [message = ""] = (error as Error).message.split("\n");
    const [, unknown] = message.match(/^Unknown option '(--?[^' ]*)/) ?? [];
    throw new UsageError(unknown ? unknownOption(unknown) : message);
  }
}

function unknownOption(name: string): string {
  const near = nearest(name, Object.keys(OPTIONS).map((name) => `--${name}`));
  return `unknown option ${name}; ${
    near ? `did you mean ${near}?` : "--help shows all options"
  }`;
}

function readSeed(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 32) return Number(text);
  throw new UsageError(
    `--seed must be a whole number below 4294967296: received "${text}"`,
  );
}

function readProcesses(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const many = /^\d+$/.test(text) ? Number(text) : 0;
  if (many >= 2 && many <= 16) return many;
  throw new UsageError(
    `--processes must be a whole number from 2 to 16: received "${text}"`,
  );
}

function readDeadline(
  text: string | undefined,
  name: string,
): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (seconds > 0 && seconds <= MOST_SECONDS) return seconds;
  throw new UsageError(
    `${name} must be a number of seconds, at most ${MOST_SECONDS}: received "${text}"`,
  );
}

function readOnly(text: string | undefined): string[] | undefined {
  const names = text?.split(",").map((name) => name.trim().toUpperCase())
    .filter((name) => name !== "");
  if (names === undefined) return undefined;
  if (names.length === 0) {
    throw new UsageError("--only must name a rule or a group: FLASH,REGEN-04");
  }
  const ids = allRules.map((rule) => rule.id);
  const groups = new Set(ids.map((id) => id.slice(0, id.lastIndexOf("-"))));
  const known = [...groups, ...ids];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown) throw new UsageError(unknownRule(unknown, known));
  return names;
}

/** The message for an unknown rule. */
export function unknownRule(
  name: string,
  names: readonly string[] = allRules.map((rule) => rule.id),
): string {
  const near = nearest(name, names);
  return `unknown rule "${name}"${
    near ? `; did you mean ${near}?` : "; --list shows all rules"
  }`;
}

/** The most similar name, if one is similar enough. */
export function nearest(
  name: string,
  names: readonly string[],
): string | undefined {
  const scored = names
    .map((other) => ({ other, score: edits(name, other) }))
    .sort((a, b) => a.score - b.score);
  const [best] = scored;
  if (!best) return undefined;
  return best.score <= Math.max(2, name.length / 3) ? best.other : undefined;
}

function edits(a: string, b: string): number {
  let before = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(
        (row[j - 1] ?? 0) + 1,
        (before[j] ?? 0) + 1,
        (before[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1),
      ));
    }
    before = row;
  }
  return before[b.length] ?? 0;
}
