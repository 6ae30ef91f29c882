/**
 * Measures how fast a storage answers, before its rules run.
 *
 * @module
 */
import { type Pace, paceFor } from "./pace.ts";
import { Trial } from "./trial.ts";
import { within } from "./within.ts";
import type { CheckOptions, Target } from "../types.ts";

/** A median of this many visits is not an accident. */
const VISITS = 5;

/**
 * How fast a target answers.
 *
 * A storage that fails or hangs here counts as a fast one: the rules then report what is wrong with it.
 */
export async function measure(
  target: Target,
  { deadline }: Pick<CheckOptions, "deadline">,
): Promise<Pace> {
  const unknown = paceFor(0, deadline);
  const trial = new Trial(target, 0, false, unknown);
  try {
    await within(unknown.deadlineMs, trial, async () => {
      const visitor = await trial.visitor();
      for (let i = 0; i < VISITS; i++) {
        await visitor.visit((r) => r.set("n", i));
      }
    });
  } catch {
    return unknown;
  } finally {
    await within(unknown.deadlineMs, trial, () => trial.end()).catch(() => {});
  }
  return paceFor(trial.pulse.latencyMs, deadline);
}
