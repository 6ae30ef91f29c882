/**
 * Registers the rules as tests of any test runner.
 *
 * @module
 */
import { claimsOf } from "./capabilities.ts";
import { checkOptions, checkTarget, choose } from "./target.ts";
import { measure } from "./trial/measure.ts";
import { LONGEST_DEADLINE, type Pace } from "./trial/pace.ts";
import { slackOf } from "./trial/trial.ts";
import { tryRule } from "./trial/try_rule.ts";
import type { CheckOptions, RuleResult, Target } from "./types.ts";

/**
 * `Deno.test`, or `test` of bun:test, node:test and vitest.
 *
 * The third argument is how long the test may take, in milliseconds: vitest and bun:test would otherwise end it after 5
 * seconds.
 */
export type TestFunction = (
  name: string,
  fn: () => Promise<void>,
  timeout?: number,
) => unknown;

/**
 * Registers a test for each rule that applies to a storage.
 *
 * The test of a rule fails if the rule could not be tried, or if it was expected to fail and passes.
 *
 * @param test The runner's function.
 * @param target How to open the storage, and what it claims.
 * @param options Seed, selection of rules, known failures.
 * @throws {TypeError} If the target or the options are invalid.
 *
 * @example
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { conformance } from "@satchel/session/conformance";
 *
 * // Use Deno.test, or `test` of bun:test, node:test or vitest. This one only collects the tests.
 * const tests: (() => Promise<void>)[] = [];
 * const test = (_name: string, fn: () => Promise<void>) => tests.push(fn);
 *
 * conformance(test, {
 *   name: "memory",
 *   capabilities: ["revoke", "merge"],
 *   open: ({ namespace: _, ...options }) => ({
 *     storage: createMemorySessionStorage(options),
 *   }),
 * });
 *
 * for (const fn of tests) await fn();
 * ```
 */
export function conformance(
  test: TestFunction,
  target: Target,
  options: CheckOptions = {},
): void {
  checkTarget(target);
  checkOptions(options);
  const { seed = Math.floor(Math.random() * 2 ** 31) } = options;
  const claims = claimsOf(target);
  const timeout = timeoutFor(target, options);
  // Measured by the first test that runs.
  let pace: Promise<Pace> | undefined;
  for (const rule of choose(options.only)) {
    const claimed = rule.capabilities.every((claim) => claims.includes(claim));
    if (!claimed) continue;
    test(`${target.name}: ${rule.id} ${rule.sentence}`, async () => {
      pace ??= measure(target, options);
      const run = { ...options, seed, pace: await pace };
      const { result } = await tryRule(rule, target, run);
      options.onResult?.(result);
      const { outcome, expected } = result;
      if (outcome === "not-applicable") return;
      if (expected === undefined ? outcome === "pass" : outcome === "fail") {
        return;
      }
      if (outcome === "fail" && rule.level === "should") return;
      throw new Error(explain(result, rule.why, seed));
    }, timeout);
  }
}

/** How long the test of a rule may take, in milliseconds: never less than the rule's own limit, which says more. */
function timeoutFor(
  { clock }: Target,
  { deadline }: CheckOptions,
): number {
  const limit = deadline === undefined ? LONGEST_DEADLINE : deadline * 1000;
  // The rule, its end and the measurement; and a rule that waits for real time to pass waits for several lifetimes.
  const waits = clock?.kind === "real"
    ? 10 * (1000 + (clock.minTtlMs ?? 0) + 4 * slackOf(clock))
    : 0;
  return 3 * limit + waits;
}

/** A result as text: the reason, the trace, and how to repeat it. */
export function explain(result: RuleResult, why: string, seed: number): string {
  const { rule, outcome, reason, expected, got, want, trace = [] } = result;
  const lines = expected !== undefined && outcome === "pass"
    ? [
      `${rule} was expected to fail (${expected}), but passes: remove the expectation`,
    ]
    : [`${rule} ${outcome}: ${reason ?? ""}`];
  if (want !== undefined) lines.push(`  got  ${got}`, `  want ${want}`);
  lines.push(...trace.map((line) => `  ${line}`), `  Why: ${why}`);
  lines.push(`  Again: only ["${rule}"], seed ${seed}`);
  return lines.join("\n");
}
