/**
 * Measures how fast a storage answers, before its rules run.
 *
 * @module
 */
import { type Pace, paceFor } from "./pace.ts";
import { Violation } from "./port.ts";
import { Trial } from "./trial.ts";
import { within } from "./within.ts";
import type { CheckOptions, Target } from "../types.ts";

/** A median of this many visits is not an accident. */
const VISITS = 5;

/**
 * How fast a target answers, by a few plain visits.
 *
 * If one of their calls rejects, as without the table of a database, no rule can say anything about the storage: all are
 * then errors, for that reason. Whatever else is wrong here, the rules report it.
 */
export async function measure(
  target: Target,
  options: Pick<CheckOptions, "deadline" | "slow">,
): Promise<Pace> {
  const unknown = paceFor(0, options);
  const trial = new Trial(target, 0, false, unknown);
  try {
    await within(unknown.deadlineMs, trial, async () => {
      const visitor = await trial.visitor();
      for (let i = 0; i < VISITS; i++) {
        await visitor.visit((r) => r.set("n", i));
      }
    });
  } catch (error) {
    return isRejection(error)
      ? {
        ...unknown,
        problem:
          `no rule can be tried, since a plain visit (read, set, save) failed: ${error.message}`,
      }
      : unknown;
  } finally {
    await within(unknown.deadlineMs, trial, () => trial.end()).catch(() => {});
  }
  return paceFor(trial.pulse.latencyMs, options);
}

/** Whether a call to the storage rejected, rather than returned something wrong. */
function isRejection(error: unknown): error is Violation {
  return error instanceof Violation && error.cause !== undefined &&
    !(error.cause instanceof Violation);
}
