/**
 * Capabilities that a target has and does not claim.
 *
 * @module
 */
import { type Claim, claimsOf } from "./capabilities.ts";
import { exempt } from "./profiles.ts";
import { rules } from "./rules.ts";
import { Trial } from "./trial/trial.ts";
import { type Run, tryRule } from "./trial/try_rule.ts";
import { within } from "./trial/within.ts";
import type { Target } from "./types.ts";

/** A rule that only a storage with the capability passes. */
const PROBES: Readonly<Partial<Record<Claim, string>>> = {
  revoke: "PERSIST-05",
  merge: "CONC-07",
  owners: "OWNER-01",
};

/** Notes about what a target could claim too. */
export async function findUnclaimed(
  target: Target,
  run: Run,
): Promise<string[]> {
  const notes: string[] = [];
  const claims: readonly string[] = claimsOf(target);
  for (const [claim, id] of Object.entries(PROBES)) {
    const rule = rules.find((rule) => rule.id === id);
    if (claims.includes(claim) || !rule || exempt(target.profile, id)) continue;
    const probe = { ...rule, capabilities: [] };
    const { result } = await tryRule(probe, target, run);
    if (result.outcome === "pass") {
      notes.push(`it passes ${id}, but does not claim "${claim}"; claim it`);
    }
  }
  const trial = new Trial(target, run.seed, false);
  try {
    await within(run.pace.deadlineMs, trial, async () => {
      const { has } = await trial.open();
      for (const claim of ["inspect", "faults", "sweep"] as const) {
        if (has[claim] && !claims.includes(claim)) {
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
