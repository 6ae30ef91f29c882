/**
 * Runs the rules against a target.
 *
 * @module
 */
import { describe, HarnessError, Unfit, Violation } from "./_port.ts";
import { Random } from "./_random.ts";
import { exempt } from "./profiles.ts";
import { RULE_SET, rules } from "./rules.ts";
import { Trial } from "./_trial.ts";
import type {
  CheckOptions,
  Outcome,
  Report,
  Rule,
  RuleResult,
  Target,
} from "./types.ts";

/**
 * Tries all rules on a storage.
 *
 * It stores only in namespaces that it makes up, and asks for each to be closed. Nothing the storage does ends the run.
 *
 * @param target The storage, and what it claims.
 * @param options Seed, selection, known failures.
 * @returns What became of each rule, and the verdict.
 * @throws {TypeError} If the target or the options are malformed.
 *
 * @example
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { checkStorage } from "@satchel/session/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const report = await checkStorage({
 *   name: "memory",
 *   capabilities: ["revoke", "expiry", "touch", "absolute", "merge"],
 *   clock: { kind: "virtual", advance() {} },
 *   open: (options) => ({ storage: createMemorySessionStorage(options) }),
 * });
 * assertEquals(report.verdict, "conformant");
 * ```
 */
export async function checkStorage(
  target: Target,
  options: CheckOptions = {},
): Promise<Report> {
  checkTarget(target);
  const { seed = Math.floor(Math.random() * 2 ** 31), onResult } = options;
  const chosen = choose(options.only);
  checkExpectations(options.expectedFailures);
  const results = new Map<string, RuleResult>();
  const run = async (rule: Rule) => {
    const result = await tryRule(rule, target, seed, options);
    results.set(rule.id, result);
    onResult?.(result);
  };
  // The order is random, so that no rule leans on another.
  const order = new Random(seed).shuffle(chosen);
  const waits = target.clock?.kind === "real";
  // Where time has to pass, the rules that wait for it wait together.
  const together = Promise.all(
    order.filter((rule) => waits && rule.timed).map(run),
  );
  for (const rule of order) if (!(waits && rule.timed)) await run(rule);
  await together;
  const sorted = chosen.map((rule) => results.get(rule.id) as RuleResult);
  const notes = options.only ? [] : await findUnclaimed(target, seed);
  return conclude(target, seed, sorted, notes, options);
}

/** Tries one rule. */
export async function tryRule(
  rule: Rule,
  target: Target,
  seed: number,
  options: CheckOptions,
): Promise<RuleResult> {
  const start = performance.now();
  const expected = options.expectedFailures?.[rule.id];
  const result = (
    outcome: Outcome,
    more: Partial<RuleResult> = {},
  ): RuleResult => ({
    rule: rule.id,
    outcome,
    ...more,
    ...expected === undefined ? {} : { expected },
    ms: Math.round((performance.now() - start) * 10) / 10,
  });
  const missing = rule.capabilities.filter((claim) =>
    !target.capabilities.includes(claim)
  );
  if (missing.length > 0) {
    return result("not-applicable", {
      reason: `it does not claim ${missing.join(", ")}`,
    });
  }
  const chosenOtherwise = exempt(target.profile, rule.id);
  if (chosenOtherwise) {
    return result("not-applicable", { reason: chosenOtherwise });
  }
  if (rule.timed && !target.clock) {
    return result("not-run", { reason: "the target has no clock" });
  }
  const trial = new Trial(target, seed ^ hash(rule.id), options.slow ?? false);
  let verdict = await attempt(
    rule,
    trial,
    options.deadlineMs ?? 10_000,
    result,
  );
  try {
    await trial.end();
  } catch (error) {
    if (verdict.outcome === "pass") {
      verdict = result("error", {
        reason: reasonOf(error),
        trace: trial.trace,
      });
    }
  }
  return verdict;
}

async function attempt(
  rule: Rule,
  trial: Trial,
  deadlineMs: number,
  result: (outcome: Outcome, more?: Partial<RuleResult>) => RuleResult,
): Promise<RuleResult> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Violation(`it took more than ${deadlineMs} ms`)),
      deadlineMs,
    );
  });
  const check = rule.check(trial);
  // When the deadline has passed, nobody waits for the check any more.
  check.catch(() => {});
  try {
    await Promise.race([check, late]);
    return result("pass");
  } catch (error) {
    const { trace } = trial;
    if (error instanceof Unfit) {
      return result(error.outcome, { reason: error.message });
    }
    if (error instanceof Violation) {
      const compared = error.compared
        ? { got: show(error.got), want: show(error.want) }
        : {};
      return result("fail", { reason: error.message, trace, ...compared });
    }
    return result("error", { reason: reasonOf(error), trace });
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof HarnessError ? error.cause : undefined;
  return describe(error) + (cause === undefined ? "" : ` (${describe(cause)})`);
}

function show(value: unknown): string {
  if (value === undefined) return "undefined";
  let text: string;
  try {
    text = Object.is(value, -0) ? "-0" : JSON.stringify(value) ?? String(value);
  } catch {
    text = String(value);
  }
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** What a target does without claiming it. */
async function findUnclaimed(target: Target, seed: number): Promise<string[]> {
  const notes: string[] = [];
  const probes = { revoke: "PERSIST-05", merge: "CONC-07" } as const;
  for (const [claim, id] of Object.entries(probes)) {
    if (target.capabilities.includes(claim as keyof typeof probes)) continue;
    const rule = rules.find((rule) => rule.id === id);
    if (!rule || exempt(target.profile, id)) continue;
    const probe = { ...rule, capabilities: [] };
    const { outcome } = await tryRule(probe, target, seed, {});
    if (outcome === "pass") {
      notes.push(`it keeps ${id} without claiming "${claim}"; claim it`);
    }
  }
  const trial = new Trial(target, seed, false);
  try {
    const { has } = await trial.open();
    for (const claim of ["inspect", "faults", "sweep"] as const) {
      if (has[claim] && !target.capabilities.includes(claim)) {
        notes.push(`it has ${claim} without claiming "${claim}"; claim it`);
      }
    }
    await trial.end();
  } catch {
    // The rules have said what is wrong with open() already.
  }
  return notes;
}

function conclude(
  target: Target,
  seed: number,
  results: RuleResult[],
  notes: string[],
  options: CheckOptions,
): Report {
  const level = new Map(rules.map((rule) => [rule.id, rule.level]));
  const stale = results
    .filter((r) => r.expected !== undefined && r.outcome === "pass")
    .map((r) => r.rule);
  const failed = results.filter((r) => r.outcome === "fail");
  const unexpected = failed.filter((r) =>
    r.expected === undefined && level.get(r.rule) === "must"
  );
  const untried = results.some((r) =>
    r.outcome === "error" || r.outcome === "not-run"
  );
  const verdict = unexpected.length > 0 || stale.length > 0
    ? "nonconformant"
    : untried
    ? "incomplete"
    : failed.length > 0 || options.only
    ? "partial"
    : "conformant";
  return {
    target: target.name,
    ruleSet: RULE_SET,
    seed,
    verdict,
    results,
    notes,
    stale,
  };
}

/** The rules that `only` names. */
export function choose(only: readonly string[] | undefined): readonly Rule[] {
  if (!only) return rules;
  for (const name of only) {
    if (!rules.some((rule) => matches(rule, name))) {
      throw new TypeError(
        `Cannot run rule "${name}": there is none of that name`,
      );
    }
  }
  return rules.filter((rule) => only.some((name) => matches(rule, name)));
}

function matches(rule: Rule, name: string): boolean {
  const wanted = name.toUpperCase();
  return rule.id === wanted || rule.id.startsWith(`${wanted}-`);
}

function checkExpectations(
  expected: Readonly<Record<string, string>> | undefined,
): void {
  for (const [id, reason] of Object.entries(expected ?? {})) {
    if (!rules.some((rule) => rule.id === id)) {
      throw new TypeError(`Cannot expect rule "${id}" to fail: there is none`);
    }
    if (typeof reason !== "string" || reason.trim() === "") {
      throw new TypeError(
        `Cannot expect rule "${id}" to fail without a reason`,
      );
    }
  }
}

function checkTarget(target: Target): void {
  const problem = typeof target !== "object" || target === null
    ? "it must be an object"
    : typeof target.name !== "string" || target.name === ""
    ? "it needs a name"
    : !Array.isArray(target.capabilities)
    ? "it needs a list of capabilities"
    : typeof target.open !== "function"
    ? "it needs a function open"
    : undefined;
  if (problem) throw new TypeError(`Cannot check target: ${problem}`);
  const unknown = target.capabilities.filter((c) => !CAPABILITIES.includes(c));
  if (unknown.length > 0) {
    throw new TypeError(
      `Cannot check target: there is no capability ${unknown.join(", ")}`,
    );
  }
}

const CAPABILITIES: readonly string[] = [
  "revoke",
  "shared",
  "durable",
  "namespaces",
  "expiry",
  "touch",
  "absolute",
  "sweep",
  "merge",
  "selfContained",
  "inspect",
  "faults",
];

function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  }
  return h >>> 0;
}
