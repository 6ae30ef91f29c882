/**
 * Tries one rule on a target. A target cannot break the run.
 *
 * @module
 */
import { describe, HarnessError, Unfit, Violation } from "./port.ts";
import { exempt } from "../profiles.ts";
import { Trial } from "./trial.ts";
import type {
  CheckOptions,
  Outcome,
  Rule,
  RuleResult,
  Target,
} from "../types.ts";

/** After so many rules that ran out of time, the others are skipped. */
export const LATE_RULES: number = 3;

export interface Tried {
  readonly result: RuleResult;
  /** Whether it ran out of time. */
  readonly late: boolean;
}

export function skip(rule: Rule, options: CheckOptions): Tried {
  const expected = options.expectedFailures?.[rule.id];
  const result: RuleResult = {
    rule: rule.id,
    outcome: "not-run",
    reason: `skipped, because ${LATE_RULES} rules before it ran out of time`,
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

export async function tryWithin(
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
      found = result("error", {
        reason: reasonOf(error),
        trace: trial.trace.lines,
      });
    }
  }
  return { result: found, late };
}

/** Why a rule does not apply to a target or cannot be tried on it; `undefined` if it can. */
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
    return new Unfit("not-run", "the target does not have a clock");
  }
  return undefined;
}

/** A rule ran out of time. */
class Late extends Error {
  /** Whether the target's own hook was running. */
  readonly hook: boolean;

  constructor(deadlineMs: number, busy: string | undefined) {
    super(`${busy ?? "it"} took more than ${deadlineMs} ms`);
    this.hook = busy !== undefined;
  }
}

/** Waits for a call, with a time limit. The time that the trial itself waits does not count. */
export async function within(
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
  // After the time limit, the call is not awaited any more.
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
  { trace: { lines: trace } }: Trial,
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
    // A value that can be neither JSON nor text.
    text = `a ${typeof value} that JSON cannot show`;
  }
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  }
  return h >>> 0;
}
