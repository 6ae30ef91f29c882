/** Reports that authors of storages send: `conformance/reports/others/`, in the format of its README. */
import { CAPABILITIES, type Claim } from "../../conformance/capabilities.ts";
import {
  type Report,
  RULE_SET,
  type RuleResult,
  rules,
} from "../../conformance/mod.ts";
import { concluded } from "./index.ts";

/** The largest file, in bytes: ten times a report in which each rule fails. */
const MOST_BYTES = 2 ** 20;

/** A report from somebody else. */
export interface Sent {
  /** The package, with its registry where that is not npm. */
  readonly package: string;
  /** Its version. */
  readonly version: string;
  /** Who ran the suite. */
  readonly by: string;
  /** How to repeat the run. */
  readonly reproduce: { readonly command: string; readonly url: string };
  /** What the command printed for `--json`. */
  readonly report: Report;
}

/** What is wrong with a file, and what to write instead; empty if it can be published. */
export function problemsOf(bytes: Uint8Array, now: number): string[] {
  return read(bytes, now).problems;
}

/**
 * The report in a file.
 *
 * @throws {TypeError} If something is wrong with it.
 */
export function readSent(bytes: Uint8Array, now: number): Sent {
  const { problems, sent } = read(bytes, now);
  if (problems.length > 0 || !sent) throw new TypeError(problems.join("\n"));
  return sent;
}

function read(
  bytes: Uint8Array,
  now: number,
): { problems: string[]; sent?: Sent } {
  if (bytes.length > MOST_BYTES) {
    return {
      problems: [
        `the file has ${bytes.length} bytes: at most ${MOST_BYTES} are allowed; send one storage's report, as --json prints it`,
      ],
    };
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return { problems: ["the file must be JSON in UTF-8"] };
  }
  const problems = [...problemsOfFrame(value)];
  if (problems.length > 0) return { problems };
  const sent = value as Sent;
  problems.push(...problemsOfReport(sent.report, now));
  return { problems, sent };
}

const FRAME = ["package", "version", "by", "reproduce", "report"];

function* problemsOfFrame(value: unknown): Generator<string> {
  if (!isObject(value)) return yield "the file must be an object";
  yield* problemsOfKeys(value, FRAME, "");
  const { package: name, version, by, reproduce, report } = value;
  yield* problemsOfText(
    name,
    "package",
    100,
    "the name on npm, such as connect-redis",
  );
  if (typeof name === "string" && !/^(jsr:)?(@[\w.-]+\/)?[\w.-]+$/.test(name)) {
    yield "package must be a name on npm, or one on JSR after jsr:";
  }
  yield* problemsOfText(version, "version", 40, "such as 1.2.3");
  if (typeof version === "string" && !/^\d+\.\d+\.\d+[\w.+-]*$/.test(version)) {
    yield "version must be the package's version, such as 1.2.3";
  }
  yield* problemsOfText(by, "by", 80, "your name, or that of your account");
  if (!isObject(reproduce)) {
    yield "reproduce must be an object with command and url";
  } else {
    yield* problemsOfKeys(reproduce, ["command", "url"], "reproduce.");
    yield* problemsOfText(
      reproduce["command"],
      "reproduce.command",
      300,
      "one line that repeats the run",
    );
    if (!isHttps(reproduce["url"])) {
      yield "reproduce.url must be an https: address of the target's source, of at most 300 characters";
    }
  }
  if (!isObject(report)) {
    yield "report must be the object that the command prints for --json, for one target";
  }
}

function* problemsOfReport(report: Report, now: number): Generator<string> {
  const before = report as unknown as Record<string, unknown>;
  if (report.ruleSet !== RULE_SET) {
    return yield `report.ruleSet must be "${RULE_SET}": run the suite of this version again`;
  }
  yield* problemsOfText(
    report.target,
    "report.target",
    60,
    "the target's name",
  );
  const date = Date.parse(`${report.date}`);
  if (
    !(date <= now + 86_400_000) ||
    !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(report.date)
  ) {
    yield "report.date must be the time of the run as --json prints it, and not lie ahead";
  }
  if (!Number.isSafeInteger(report.seed)) {
    yield "report.seed must be an integer";
  }
  if (!Array.isArray(report.results)) {
    return yield "report.results must be a list";
  }
  if (
    !isListOf(
      before["claims"],
      (claim) => Object.hasOwn(CAPABILITIES, claim) && claim !== "expiry",
    )
  ) {
    return yield "report.claims must be a list of capabilities, as --json prints it";
  }
  const wrong = [...problemsOfResults(report.results, report.claims)];
  if (wrong.length > 0) return yield* wrong.slice(0, 10);
  const { verdict, levels } = concluded("", report.claims, report.results);
  if (report.verdict !== verdict) {
    yield `report.verdict says ${
      say(report.verdict)
    }, but its results are ${verdict}: send the report as the command printed it`;
  }
  if (!sameLevels(report.levels, levels)) {
    yield "report.levels does not follow from the results: send the report as the command printed it";
  }
}

const OUTCOMES = ["pass", "fail", "error", "not-applicable", "not-run"];

function* problemsOfResults(
  results: readonly RuleResult[],
  claims: readonly Claim[],
): Generator<string> {
  const seen = new Set<string>();
  for (const result of results) {
    const { rule: id, outcome, reason } = Object(result) as RuleResult;
    const rule = rules.find((rule) => rule.id === id);
    if (!rule) {
      yield `report.results has the rule ${
        say(id)
      }, which rules ${RULE_SET} do not have`;
      continue;
    }
    if (seen.has(id)) yield `report.results has ${id} twice`;
    seen.add(id);
    if (!OUTCOMES.includes(outcome)) {
      yield `${id}: outcome must be one of ${OUTCOMES.join(", ")}`;
      continue;
    }
    const missing = rule.capabilities.filter((claim) =>
      !claims.includes(claim)
    );
    if (missing.length > 0 && outcome !== "not-applicable") {
      yield `${id}: its outcome is ${outcome}, but the report does not claim ${
        missing.join(", ")
      }`;
    }
    if (outcome === "pass" ? reason !== undefined : !isText(reason, 2000)) {
      yield outcome === "pass"
        ? `${id}: a rule that passes must not have a reason`
        : `${id}: reason must be a text without control characters, of at most 2000 characters`;
    }
  }
  const absent = rules.filter(({ id }) => !seen.has(id));
  if (absent.length > 0) {
    yield `report.results must have each rule; it lacks ${
      absent.slice(0, 5).map(({ id }) => id).join(", ")
    }${absent.length > 5 ? " …" : ""}: run the suite without --only`;
  }
}

function sameLevels(got: unknown, want: Report["levels"]): boolean {
  const names = Object.keys(want);
  return isObject(got) && Object.keys(got).length === names.length &&
    Object.entries(want).every(([name, level]) => got[name] === level);
}

function* problemsOfKeys(
  value: Record<string, unknown>,
  known: readonly string[],
  prefix: string,
): Generator<string> {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      yield `${prefix}${say(key)} is not known: remove it`;
    }
  }
}

function* problemsOfText(
  value: unknown,
  name: string,
  most: number,
  what: string,
): Generator<string> {
  if (isText(value, most)) return;
  yield `${name} must be ${what}: a line of text without control characters, of at most ${most} characters`;
}

/** Text on one line, which shows what it is: without control, direction or private characters. */
function isText(value: unknown, most: number): value is string {
  return typeof value === "string" && value.trim() !== "" &&
    value.length <= most && !/[\p{C}\p{Zl}\p{Zp}]/u.test(value);
}

function isHttps(value: unknown): boolean {
  return isText(value, 300) && URL.canParse(value) &&
    /^https:\/\/[\w.-]+\/[\w.~/@%#?=&+-]*$/.test(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf(
  value: unknown,
  fits: (item: string) => boolean,
): value is string[] {
  return Array.isArray(value) &&
    value.every((item) => typeof item === "string" && fits(item)) &&
    new Set(value).size === value.length;
}

/** An unknown value in a message. */
function say(value: unknown): string {
  return typeof value === "string" && isText(value, 40)
    ? value
    : `a ${typeof value} that cannot be shown`;
}
