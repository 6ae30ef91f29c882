/**
 * What the results of a run mean.
 *
 * @module
 */
import { CAPABILITIES, type Claim, claimsOf } from "./capabilities.ts";
import { findRule, RULE_SET } from "./rules.ts";
import type { Run } from "./trial/try_rule.ts";
import { runtimeName, VERSION } from "./version.ts";
import type { Level, Report, Rule, RuleResult, Target } from "./types.ts";

/** The facts of a run, whatever its results. */
export function summarise(
  target: Target,
  { seed, pace }: Run,
  date: Date,
): Omit<Report, "verdict" | "results" | "notes" | "stale" | "levels"> {
  const claims = claimsOf(target);
  const { name, clock, versions } = target;
  return {
    target: name,
    ruleSet: RULE_SET,
    seed,
    claims,
    unclaimed: (Object.keys(CAPABILITIES) as Claim[])
      .filter((claim) =>
        (claim as string) !== "expiry" && !claims.includes(claim)
      ),
    clock: clock?.kind ?? "none",
    versions: {
      "@satchel/session": VERSION,
      runtime: runtimeName(),
      ...versions,
    },
    date: date.toISOString(),
    latencyMs: Number(pace.latencyMs.toPrecision(2)),
  };
}

/** The verdict, and which levels are kept. */
export function conclude(
  target: Target,
  results: readonly RuleResult[],
  run: { readonly isSelection: boolean; readonly isDisturbed: boolean },
): Pick<Report, "verdict" | "stale" | "levels"> {
  const stale = results
    .filter((r) => r.expected !== undefined && r.outcome === "pass")
    .map((r) => r.rule);
  const failed = results.filter((r) => r.outcome === "fail");
  const isBroken = failed.some((r) =>
    r.expected === undefined && ruleOf(r)?.level === "must"
  );
  const isUntried = run.isDisturbed || results.some(isOpen);
  const verdict = isBroken || stale.length > 0
    ? "nonconformant"
    : isUntried
    ? "incomplete"
    : failed.length > 0 || run.isSelection
    ? "partial"
    : "conformant";
  return { verdict, stale, levels: levelsOf(target, results) };
}

/** The level of the core rules and of each claim that a rule of the run needs. */
function levelsOf(
  target: Target,
  results: readonly RuleResult[],
): Report["levels"] {
  const levels: Partial<Record<"core" | Claim, Level>> = {};
  const note = (name: "core" | Claim, of: readonly RuleResult[]) => {
    const level = levelOf(of);
    if (level) levels[name] = level;
  };
  const needs = (result: RuleResult) => ruleOf(result)?.capabilities ?? [];
  note("core", results.filter((result) => needs(result).length === 0));
  for (const claim of claimsOf(target)) {
    note(claim, results.filter((result) => needs(result).includes(claim)));
  }
  return levels;
}

/** `undefined` if no rule of the level applies. */
function levelOf(results: readonly RuleResult[]): Level | undefined {
  const musts = results.filter((result) =>
    ruleOf(result)?.level === "must" && result.outcome !== "not-applicable"
  );
  if (musts.length === 0) return undefined;
  if (musts.some(({ outcome }) => outcome === "fail")) return "broken";
  return musts.some(isOpen) ? "untried" : "kept";
}

function isOpen({ outcome }: RuleResult): boolean {
  return outcome === "error" || outcome === "not-run";
}

function ruleOf({ rule }: RuleResult): Rule | undefined {
  return findRule(rule);
}
