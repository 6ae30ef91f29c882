/**
 * Runs the rules against a target.
 *
 * @module
 */
import { Random } from "./trial/random.ts";
import { Stray } from "./trial/stray.ts";
import { checkExpectations, checkTarget, choose } from "./target.ts";
import {
  LATE_RULES,
  skip,
  tryRule,
  tryWithin,
  within,
} from "./trial/try_rule.ts";
import { Trial } from "./trial/trial.ts";
import { exempt } from "./profiles.ts";
import { RULE_SET, rules } from "./rules.ts";
import type {
  CheckOptions,
  Report,
  Rule,
  RuleResult,
  Target,
} from "./types.ts";

/**
 * Checks a storage against all rules.
 *
 * It uses its own namespaces only, and closes each. An error of the storage cannot end the run.
 *
 * @param target How to open the storage, and what it claims.
 * @param options Seed, selection of rules, known failures.
 * @returns The outcome of each rule, and the verdict.
 * @throws {TypeError} If the target or the options are invalid.
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
 *   open: ({ namespace: _, ...options }) => ({
 *     storage: createMemorySessionStorage(options),
 *   }),
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
    // If several rules run at the same time, it could belong to any of them.
    const outside = alone ? await stray.take() : undefined;
    if (outside !== undefined && result.outcome === "pass") {
      result = { ...result, outcome: "error", reason: outside };
    }
    results.set(rule.id, result);
    onResult?.(result);
  };
  try {
    // The order is random, so that no rule depends on another.
    const shuffled = new Random(seed).shuffle(chosen);
    const waits = target.clock?.kind === "real";
    // It counts the timers of the whole process, so it runs before others start some.
    const first = shuffled.filter(({ id }) => waits && id === "ISO-06");
    for (const rule of first) await run(rule, true);
    const order = shuffled.filter((rule) => !first.includes(rule));
    const waiting = order.filter((rule) => waits && rule.timed);
    // If time has to pass, the rules that wait for it wait together.
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

/** Capabilities that a target has and does not claim. */
async function findUnclaimed(
  target: Target,
  seed: number,
  options: CheckOptions,
): Promise<string[]> {
  const notes: string[] = [];
  const probes = {
    revoke: "PERSIST-05",
    merge: "CONC-07",
    owners: "OWNER-01",
  } as const;
  for (const [claim, id] of Object.entries(probes)) {
    if (target.capabilities.includes(claim as keyof typeof probes)) continue;
    const rule = rules.find((rule) => rule.id === id);
    if (!rule || exempt(target.profile, id)) continue;
    const probe = { ...rule, capabilities: [] };
    const { outcome } = await tryRule(probe, target, seed, {
      deadlineMs: options.deadlineMs,
    });
    if (outcome === "pass") {
      notes.push(`it passes ${id}, but does not claim "${claim}"; claim it`);
    }
  }
  const trial = new Trial(target, seed, false);
  const deadlineMs = options.deadlineMs ?? 10_000;
  try {
    await within(deadlineMs, trial, async () => {
      const { has } = await trial.open();
      for (const claim of ["inspect", "faults", "sweep"] as const) {
        if (has[claim] && !target.capabilities.includes(claim)) {
          notes.push(
            `it has ${claim}, but does not claim "${claim}"; claim it`,
          );
        }
      }
      await trial.end();
    });
  } catch {
    // The rules have already reported the error of open().
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
