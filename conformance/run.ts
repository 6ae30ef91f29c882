/**
 * Runs the rules against a target.
 *
 * @module
 */
import { describe, HarnessError, Unfit, Violation } from "./_port.ts";
import { Random } from "./_random.ts";
import { exempt } from "./profiles.ts";
import { RULE_SET, rules } from "./rules.ts";
import { Stray } from "./_stray.ts";
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
  const stray = new Stray();
  let late = 0;
  const run = async (rule: Rule, alone: boolean) => {
    const tried = late < LATE_RULES
      ? await tryWithin(rule, target, seed, options)
      : skip(rule, options);
    let { result } = tried;
    if (tried.late) late++;
    // With several rules under way, nobody knows whose it is.
    const outside = alone ? await stray.take() : undefined;
    if (outside !== undefined && result.outcome === "pass") {
      result = { ...result, outcome: "error", reason: outside };
    }
    results.set(rule.id, result);
    onResult?.(result);
  };
  try {
    // The order is random, so that no rule leans on another.
    const order = new Random(seed).shuffle(chosen);
    const waits = target.clock?.kind === "real";
    const waiting = order.filter((rule) => waits && rule.timed);
    // Where time has to pass, the rules that wait for it wait together.
    const together = Promise.all(waiting.map((rule) => run(rule, false)));
    for (const rule of order) {
      if (!waiting.includes(rule)) await run(rule, waiting.length === 0);
    }
    await together;
    const sorted = chosen.map((rule) => results.get(rule.id) as RuleResult);
    const notes = options.only || late > 0
      ? []
      : await findUnclaimed(target, seed, options);
    const outside = await stray.take();
    if (outside !== undefined) notes.push(outside);
    return conclude(
      target,
      seed,
      sorted,
      notes,
      options,
      outside !== undefined,
    );
  } finally {
    stray.end();
  }
}

/** After so many rules that ran out of time, the others are not worth the wait. */
const LATE_RULES = 3;

interface Tried {
  readonly result: RuleResult;
  /** Whether it ran out of time. */
  readonly late: boolean;
}

function skip(rule: Rule, options: CheckOptions): Tried {
  const expected = options.expectedFailures?.[rule.id];
  const result: RuleResult = {
    rule: rule.id,
    outcome: "not-run",
    reason: `${LATE_RULES} rules before it ran out of time`,
    ...expected === undefined ? {} : { expected },
    ms: 0,
  };
  return { result, late: false };
}

/** Tries one rule. */
export async function tryRule(
  rule: Rule,
  target: Target,
  seed: number,
  options: CheckOptions,
): Promise<RuleResult> {
  return (await tryWithin(rule, target, seed, options)).result;
}

async function tryWithin(
  rule: Rule,
  target: Target,
  seed: number,
  options: CheckOptions,
): Promise<Tried> {
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
  const unfit = whyUnfit(rule, target);
  if (unfit) {
    const { outcome, message: reason } = unfit;
    return { result: result(outcome, { reason }), late: false };
  }
  const trial = new Trial(target, seed ^ hash(rule.id), options.slow ?? false);
  const deadlineMs = options.deadlineMs ?? 10_000;
  let found: RuleResult;
  let late = false;
  try {
    await within(deadlineMs, trial, () => rule.check(trial as never));
    found = result("pass");
  } catch (error) {
    late = error instanceof Late;
    found = result(...resultOf(error, trial));
  }
  try {
    await within(deadlineMs, trial, () => trial.end());
  } catch (error) {
    late ||= error instanceof Late;
    if (found.outcome === "pass") {
      found = result("error", { reason: reasonOf(error), trace: trial.trace });
    }
  }
  return { result: found, late };
}

/** Why a rule does not apply to a target, or cannot be tried on it; `undefined` where it can. */
function whyUnfit(rule: Rule, target: Target): Unfit | undefined {
  const missing = rule.capabilities.filter((claim) =>
    !target.capabilities.includes(claim)
  );
  if (missing.length > 0) {
    return new Unfit(
      "not-applicable",
      `it does not claim ${missing.join(", ")}`,
    );
  }
  const chosenOtherwise = exempt(target.profile, rule.id);
  if (chosenOtherwise) return new Unfit("not-applicable", chosenOtherwise);
  if (rule.timed && !target.clock) {
    return new Unfit("not-run", "the target has no clock");
  }
  return undefined;
}

/** A deadline has passed. */
class Late extends Error {
  /** Whether the target's own hook was under way. */
  readonly hook: boolean;

  constructor(deadlineMs: number, busy: string | undefined) {
    super(`${busy ?? "it"} took more than ${deadlineMs} ms`);
    this.hook = busy !== undefined;
  }
}

/** Waits for a call, but not for ever; the time that the trial itself lets pass does not count. */
async function within(
  deadlineMs: number,
  trial: Trial,
  call: () => Promise<void>,
): Promise<void> {
  const start = performance.now() - trial.waitedMs;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const look = () => {
      const left = start + deadlineMs + trial.waitedMs - performance.now();
      if (left <= 0) reject(new Late(deadlineMs, trial.busy));
      else timer = setTimeout(look, left);
    };
    look();
  });
  const done = call();
  // When the deadline has passed, nobody waits for the call any more.
  done.catch(() => {});
  late.catch(() => {});
  try {
    await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

function resultOf(
  error: unknown,
  { trace }: Trial,
): [Outcome, Partial<RuleResult>] {
  if (error instanceof Unfit) {
    return [error.outcome, { reason: error.message }];
  }
  if (error instanceof Violation) {
    const compared = error.compared
      ? { got: show(error.got), want: show(error.want) }
      : {};
    return ["fail", { reason: error.message, trace, ...compared }];
  }
  if (error instanceof Late && !error.hook) {
    return ["fail", { reason: error.message, trace }];
  }
  return ["error", { reason: reasonOf(error), trace }];
}

function reasonOf(error: unknown): string {
  if (error instanceof Late || error instanceof HarnessError) {
    const { cause } = error;
    return error.message + (cause === undefined ? "" : `: ${describe(cause)}`);
  }
  return `the check threw ${describe(error)}`;
}
function show(value: unknown): string {
  let text: string;
  try {
    text = Object.is(value, -0) ? "-0" : JSON.stringify(value) ?? String(value);
  } catch {
    // A value that can neither be JSON nor text.
    text = `a ${typeof value} that JSON cannot show`;
  }
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** What a target does without claiming it. */
async function findUnclaimed(
  target: Target,
  seed: number,
  options: CheckOptions,
): Promise<string[]> {
  const notes: string[] = [];
  const probes = { revoke: "PERSIST-05", merge: "CONC-07" } as const;
  for (const [claim, id] of Object.entries(probes)) {
    if (target.capabilities.includes(claim as keyof typeof probes)) continue;
    const rule = rules.find((rule) => rule.id === id);
    if (!rule || exempt(target.profile, id)) continue;
    const probe = { ...rule, capabilities: [] };
    const { outcome } = await tryRule(probe, target, seed, {
      deadlineMs: options.deadlineMs,
    });
    if (outcome === "pass") {
      notes.push(`it keeps ${id} without claiming "${claim}"; claim it`);
    }
  }
  const trial = new Trial(target, seed, false);
  const deadlineMs = options.deadlineMs ?? 10_000;
  try {
    await within(deadlineMs, trial, async () => {
      const { has } = await trial.open();
      for (const claim of ["inspect", "faults", "sweep"] as const) {
        if (has[claim] && !target.capabilities.includes(claim)) {
          notes.push(`it has ${claim} without claiming "${claim}"; claim it`);
        }
      }
      await trial.end();
    });
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
  stray: boolean,
): Report {
  const level = new Map(rules.map((rule) => [rule.id, rule.level]));
  const stale = results
    .filter((r) => r.expected !== undefined && r.outcome === "pass")
    .map((r) => r.rule);
  const failed = results.filter((r) => r.outcome === "fail");
  const unexpected = failed.filter((r) =>
    r.expected === undefined && level.get(r.rule) === "must"
  );
  const untried = stray ||
    results.some((r) => r.outcome === "error" || r.outcome === "not-run");
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

/** Refuses expectations of no rule, or without a reason. */
export function checkExpectations(
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

/** Refuses what is no target. */
export function checkTarget(target: Target): void {
  const problem = typeof target !== "object" || target === null
    ? "it must be an object"
    : typeof target.name !== "string" || target.name === ""
    ? "it needs a name"
    : !Array.isArray(target.capabilities)
    ? "it needs a list of capabilities"
    : typeof target.open !== "function"
    ? "it needs a function open"
    : clockProblem(target.clock);
  if (problem) throw new TypeError(`Cannot check target: ${problem}`);
  const unknown = target.capabilities.filter((c) => !CAPABILITIES.includes(c));
  if (unknown.length > 0) {
    throw new TypeError(
      `Cannot check target: there is no capability ${unknown.join(", ")}`,
    );
  }
  const { profile } = target;
  if (profile !== undefined && !PROFILES.includes(profile)) {
    throw new TypeError(`Cannot check target: there is no profile ${profile}`);
  }
}

function clockProblem(clock: Target["clock"]): string | undefined {
  if (clock === undefined) return undefined;
  switch (clock?.kind) {
    case "virtual":
      return typeof clock.advance === "function"
        ? undefined
        : "a virtual clock needs a function advance";
    case "aged":
      return typeof clock.age === "function"
        ? undefined
        : "an aged clock needs a function age";
    case "real":
      return clock.granularityMs >= 0
        ? undefined
        : "a real clock needs granularityMs";
    default:
      return "its clock must be virtual, aged or real";
  }
}

const PROFILES: readonly string[] = ["satchel", "react-router", "remix"];

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
