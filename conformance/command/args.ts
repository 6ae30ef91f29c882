/**
 * What the command line asks for.
 *
 * @module
 */
import { rules } from "../rules.ts";

/** A mistake of whoever called the command: one line, and status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What the command line asks for. */
export interface CliOptions {
  /** What to do. */
  readonly action: "check" | "self-check" | "help" | "list";
  /** The target file, as it was written. */
  readonly target?: string;
  /** Rules and groups. */
  readonly only?: readonly string[];
  /** Repeats a run. */
  readonly seed?: number;
  /** Whether to try more random cases. */
  readonly slow: boolean;
  /** What goes to standard output. */
  readonly stdout: "text" | "json" | "tap";
  /** The files to write, by format. */
  readonly files: Readonly<Partial<Record<FileFormat, string>>>;
  /** The file of expected failures. */
  readonly baseline?: string;
}

/** What can be written to a file. */
export type FileFormat = "json" | "junit" | "html" | "badge" | "matrix";

/** The options: what they need, and what they do. */
const OPTIONS: Readonly<Record<string, readonly [string, string]>> = {
  "--only": ["RULES", "these rules or groups alone: FLASH,REGEN-04"],
  "--seed": ["N", "repeat a run's random choices and order"],
  "--slow": ["", "try more random cases"],
  "--baseline": ["FILE", "expected failures, with a reason each"],
  "--json": ["[FILE]", "JSON; to standard output unless a .json file follows"],
  "--tap": ["", "TAP, to standard output"],
  "--junit": ["FILE", "JUnit XML"],
  "--html": ["FILE", "a page"],
  "--badge": ["FILE", "an SVG badge"],
  "--matrix": ["FILE", "an SVG matrix, a row for each target"],
  "--self-check": ["", "break the storage on purpose, and demand red"],
  "--list": ["", "show the rules; with --only, some of them"],
  "--help": ["", "show this"],
};

/** What `--help` shows. */
export function helpText(command: string): string {
  const rows = Object.entries(OPTIONS).map(([name, [value, text]]) =>
    `  ${`${name} ${value}`.padEnd(19)}${text}`
  );
  return `Checks a session storage against the conformance rules.

  ${command} ./target.ts [options]

The file exports a Target as its default, or a list of them, or some by name.

${rows.join("\n")}

A baseline: { "ruleSet": "2026.1", "expected": { "REGEN-04": "reason" } }

Exit status
  0  conformant, or partial: only expected failures, or a selection of rules
  1  a rule is broken, or one that was expected to fail passes
  2  the suite, the target or its hooks failed, or the command was misused
  3  incomplete: a rule could not be tried
`;
}

/**
 * Reads the command line.
 *
 * @param args The arguments.
 * @returns What they ask for.
 * @throws {UsageError} If they make no sense.
 */
export function parseArgs(args: readonly string[]): CliOptions {
  const given = new Map<string, string>();
  const targets: string[] = [];
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (!arg.startsWith("-")) {
      targets.push(arg);
      continue;
    }
    const [name = "", ...inline] = arg.split("=");
    const alias = name === "-h" ? "--help" : name;
    const kind = Object.hasOwn(OPTIONS, alias)
      ? OPTIONS[alias]?.[0]
      : undefined;
    if (kind === undefined) throw new UsageError(unknownOption(name));
    let value = inline.length > 0 ? inline.join("=") : undefined;
    if (kind === "" && value !== undefined) {
      throw new UsageError(`${name} takes no value`);
    }
    const [next] = rest;
    if (value === undefined && kind !== "" && next !== undefined) {
      const fits = kind === "[FILE]"
        ? next.endsWith(".json") && !next.startsWith("-")
        : !next.startsWith("-");
      if (fits) value = rest.shift();
    }
    if (kind !== "" && kind !== "[FILE]" && !value) {
      throw new UsageError(`${name} needs a value: ${name} ${kind}`);
    }
    const before = given.get(alias);
    if (before !== undefined && kind !== "" && alias !== "--only") {
      throw new UsageError(`${name} is given twice`);
    }
    const both = alias === "--only" && before !== undefined;
    given.set(alias, both ? `${before},${value}` : value ?? "");
  }
  return interpret(given, targets);
}

function interpret(
  given: ReadonlyMap<string, string>,
  targets: readonly string[],
): CliOptions {
  const [target] = targets;
  const action = given.has("--help")
    ? "help"
    : given.has("--list")
    ? "list"
    : given.has("--self-check")
    ? "self-check"
    : "check";
  if (action === "check" || action === "self-check") {
    if (target === undefined) {
      throw new UsageError("name a target file; --help shows how");
    }
    if (targets.length > 1) {
      throw new UsageError(
        `one target file, not ${targets.length}; a file may export several targets`,
      );
    }
  }
  if (action === "self-check") {
    const other = [...given.keys()].find((name) =>
      !["--self-check", "--seed", "--slow"].includes(name)
    );
    if (other) throw new UsageError(`--self-check does not go with ${other}`);
  }
  if (given.get("--json") === "" && given.has("--tap")) {
    throw new UsageError(
      "--json and --tap both write to standard output; name a file for --json",
    );
  }
  const files: Partial<Record<FileFormat, string>> = {};
  for (const format of ["json", "junit", "html", "badge", "matrix"] as const) {
    const file = given.get(`--${format}`);
    if (file) files[format] = file;
  }
  const only = given.get("--only");
  const seed = given.get("--seed");
  const baseline = given.get("--baseline");
  return {
    action,
    slow: given.has("--slow"),
    stdout: given.get("--json") === ""
      ? "json"
      : given.has("--tap")
      ? "tap"
      : "text",
    files,
    ...target === undefined ? {} : { target },
    ...only === undefined ? {} : { only: readOnly(only) },
    ...seed === undefined ? {} : { seed: readSeed(seed) },
    ...baseline === undefined ? {} : { baseline },
  };
}

function readSeed(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) < 2 ** 32) return Number(text);
  throw new UsageError(
    `--seed must be a whole number below 4294967296: received "${text}"`,
  );
}

function readOnly(text: string): string[] {
  const names = text.split(",").map((name) => name.trim().toUpperCase())
    .filter((name) => name !== "");
  if (names.length === 0) throw new UsageError("--only names no rule");
  for (const name of names) checkRuleName(name);
  return names;
}

/** Refuses a name that is neither a rule's nor a group's. */
function checkRuleName(name: string): void {
  const ids = rules.map((rule) => rule.id);
  const groups = new Set(ids.map((id) => id.slice(0, id.lastIndexOf("-"))));
  if (!ids.includes(name) && !groups.has(name)) {
    throw new UsageError(unknownRule(name, [...groups, ...ids]));
  }
}

/** What is said of a name that no rule bears. */
export function unknownRule(
  name: string,
  names: readonly string[] = rules.map((rule) => rule.id),
): string {
  const near = nearest(name, names);
  return `there is no rule "${name}"${
    near ? `; did you mean ${near}?` : "; --list shows them"
  }`;
}

function unknownOption(name: string): string {
  const near = nearest(name, Object.keys(OPTIONS));
  return `there is no option ${name}${
    near ? `; did you mean ${near}?` : "; --help shows them"
  }`;
}

/** The name that is fewest edits away, if they are few. */
export function nearest(
  name: string,
  names: readonly string[],
): string | undefined {
  const scored = names
    .map((other) => ({ other, score: edits(name, other) }))
    .sort((a, b) => a.score - b.score);
  const [best] = scored;
  if (!best) return undefined;
  // A beginning that only one name has is meant, however much is missing.
  const begun = names.filter((other) =>
    name.length > 3 && other.startsWith(name)
  );
  if (begun.length === 1) return begun[0];
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
