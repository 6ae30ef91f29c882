/**
 * Tries one rule on a target. A target cannot break the run.
 *
 * @module
 */
import { claimsOf } from "../capabilities.ts";
import { exempt } from "../profiles.ts";
import type { Pace } from "./pace.ts";
import { describe, HarnessError, Unfit, Violation } from "./port.ts";
import { Trial } from "./trial.ts";
import { inWords, isSilent, Late, within } from "./within.ts";
import type {
  CheckOptions,
  Outcome,
  Rule,
  RuleResult,
  Target,
} from "../types.ts";

/** After so many rules in which the storage did not answer, the others are skipped. */
export const SILENT_RULES: number = 3;

export interface Tried {
  readonly result: RuleResult;
  /** Whether the storage did not answer. */
  readonly silent: boolean;
}

/** What a rule needs to know of its run. */
export interface Run extends Pick<CheckOptions, "slow" | "expectedFailures"> {
  readonly seed: number;
  readonly pace: Pace;
}

export function skip(rule: Rule, { expectedFailures }: Run): Tried {
  const expected = expectedFailures?.[rule.id];
  const result: RuleResult = {
    rule: rule.id,
    outcome: "not-run",
    reason:
      `skipped, because the target did not answer in ${SILENT_RULES} rules before it`,
    ...expected === undefined ? {} : { expected },
    ms: 0,
  };
  return { result, silent: true };
}

/** Tries one rule. */
export async function tryRule(
  rule: Rule,
  target: Target,
  run: Run,
): Promise<Tried> {
  const { seed, pace, slow = false, expectedFailures } = run;
  const start = performance.now();
  const expected = expectedFailures?.[rule.id];
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
    return { result: result(outcome, { reason }), silent: false };
  }
  if (pace.problem !== undefined) {
    return { result: result("error", { reason: pace.problem }), silent: false };
  }
  const trial = new Trial(target, seed ^ hash(rule.id), slow, pace);
  let found: RuleResult;
  let silent = false;
  try {
    await within(pace.deadlineMs, trial, () => rule.check(trial as never));
    const { rounds } = trial;
    found = result("pass", rounds ? { rounds } : {});
  } catch (error) {
    silent = error instanceof Late && isSilent(error);
    const [outcome, more] = resultOf(error, trial);
    found = result(outcome, hidden(more, trial));
  }
  try {
    await within(pace.deadlineMs, trial, () => trial.end());
  } catch (error) {
    silent ||= error instanceof Late;
    if (found.outcome === "pass") {
      found = result("error", {
        reason: trial.trace.hide(reasonOf(error)),
        trace: trial.trace.lines,
      });
    }
  }
  return { result: found, silent };
}

/** Without cookies and ids: an error of another library may quote them. */
function hidden(
  more: Partial<RuleResult>,
  { trace }: Trial,
): Partial<RuleResult> {
  const { reason, got, want } = more;
  return {
    ...more,
    ...reason === undefined ? {} : { reason: trace.hide(reason) },
    ...got === undefined ? {} : { got: trace.hide(got) },
    ...want === undefined ? {} : { want: trace.hide(want) },
  };
}

/** Why a rule does not apply to a target or cannot be tried on it; `undefined` if it can. */
function whyUnfit(rule: Rule, target: Target): Unfit | undefined {
  const claims = claimsOf(target);
  const missing = rule.capabilities.filter((claim) => !claims.includes(claim));
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

const OTHER_CLOCK =
  "the storage never called now(), so its time did not pass; hand the now of open() to the storage, or give the target a clock of the kind aged or real";

function resultOf(
  error: unknown,
  { trace: { lines: trace }, isIgnored }: Trial,
): [Outcome, Partial<RuleResult>] {
  if (error instanceof Unfit) {
    return [error.outcome, { reason: error.message }];
  }
  if (error instanceof Violation && isIgnored) {
    return ["error", { reason: OTHER_CLOCK, trace }];
  }
  if (error instanceof Violation) {
    const compared = error.compared
      ? { got: show(error.got), want: show(error.want) }
      : {};
    return ["fail", { reason: error.message, trace, ...compared }];
  }
  if (error instanceof Late && !isSilent(error)) {
    return ["not-run", { reason: inWords(error) }];
  }
  return ["error", { reason: reasonOf(error), trace }];
}

function reasonOf(error: unknown): string {
  if (error instanceof Late) return inWords(error);
  if (error instanceof HarnessError) {
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
