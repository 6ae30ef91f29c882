/**
 * Runs the rules about engines.
 *
 * @module
 */
import { checkRules } from "../run.ts";
import { measureEngine } from "./measure.ts";
import { Readiness } from "./readiness.ts";
import { draftedRules } from "./rules.ts";
import { checkEngineTarget, runnable } from "./target.ts";
import type { CheckOptions, Report } from "../types.ts";
import type { EngineTarget } from "./types.ts";

/**
 * Checks an engine against the sentences of its contract, {@linkcode Engine}, one by one, before a session storage uses
 * it.
 *
 * What applies is read from the engine's `guarantees` and from its optional methods. If it cannot be opened, its first
 * calls are rejected, or its answers have a wrong type, the outcome is an error that says what to change.
 *
 * @param target How to open the engine.
 * @param options Seed, selection of rules, known failures.
 * @returns The outcome of each rule, and the verdict.
 * @throws {TypeError} If the target or the options are invalid.
 *
 * @example
 * ```ts
 * import type { Engine, EngineRecord } from "@satchel/session";
 * import { checkEngine } from "@satchel/session/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * function openEngine(): Engine {
 *   const records = new Map<string, EngineRecord>();
 *   let writes = 0;
 *   return {
 *     guarantees: {
 *       compareAndSet: false,
 *       reads: "strong",
 *       revoke: true,
 *       durable: false,
 *       shared: false,
 *       selfContained: false,
 *     },
 *     read: async (key) => records.get(key) ?? null,
 *     async write(key, value, { expires }) {
 *       records.set(key, { value, expires, version: ++writes });
 *       return writes;
 *     },
 *     async delete(key) {
 *       records.delete(key);
 *       return true;
 *     },
 *   };
 * }
 *
 * const report = await checkEngine({
 *   name: "a map",
 *   clock: { kind: "virtual", advance() {} },
 *   open: openEngine,
 * });
 * assertEquals(report.verdict, "conformant");
 * ```
 */
export async function checkEngine(
  target: EngineTarget,
  options: CheckOptions = {},
): Promise<Report> {
  checkEngineTarget(target);
  const facts = {
    readiness: new Readiness(),
    namespaces: target.namespaces ?? true,
  };
  const rules = draftedRules.map((rule) => ({
    ...rule,
    check: rule.checkOf(facts),
  }));
  const report = await checkRules(
    {
      rules,
      measure: (target, options) => measureEngine(target, facts, options),
      remark: async () => [],
    },
    runnable(target),
    options,
  );
  // An engine does not claim capabilities of a session storage.
  return { ...report, unclaimed: [] };
}
