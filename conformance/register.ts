/**
 * Registers the rules as tests of any test runner.
 *
 * @module
 */
import { checkExpectations, checkTarget, choose } from "./target.ts";
import { tryRule } from "./trial/try_rule.ts";
import type { CheckOptions, RuleResult, Target } from "./types.ts";

/** `Deno.test`, or `test` of bun:test, node:test and vitest. */
export type TestFunction = (
  name: string,
  fn: () => Promise<void>,
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
  checkExpectations(options.expectedFailures);
  const { seed = Math.floor(Math.random() * 2 ** 31) } = options;
  for (const rule of choose(options.only)) {
    const claimed = rule.capabilities.every((claim) =>
      target.capabilities.includes(claim)
    );
    if (!claimed) continue;
    test(`${target.name}: ${rule.id} ${rule.sentence}`, async () => {
      const result = await tryRule(rule, target, seed, options);
      options.onResult?.(result);
      const { outcome, expected } = result;
      if (outcome === "not-applicable") return;
      if (expected === undefined ? outcome === "pass" : outcome === "fail") {
        return;
      }
      if (outcome === "fail" && rule.level === "should") return;
      throw new Error(explain(result, rule.why, seed));
    });
  }
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
