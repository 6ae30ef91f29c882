/**
 * Measures how fast an engine answers, before its rules run.
 *
 * @module
 */
import { type Pace, paceFor } from "../trial/pace.ts";
import { Trial } from "../trial/trial.ts";
import { within } from "../trial/within.ts";
import { type EngineFacts, EngineTrial } from "./engine_trial.ts";
import type { CheckOptions, Target } from "../types.ts";

/** A median of three times as many calls is not an accident. */
const RECORDS = 4;

/**
 * How fast an engine answers. An engine that fails or hangs here counts as a fast one: the rules then report what is
 * wrong with it.
 */
export async function measureEngine(
  target: Target,
  facts: EngineFacts,
  options: Pick<CheckOptions, "deadline" | "slow">,
): Promise<Pace> {
  const unknown = paceFor(0, options);
  const trial = new Trial(target, 0, false, unknown);
  try {
    await within(unknown.deadlineMs, trial, async () => {
      const e = new EngineTrial(trial, facts);
      const a = await e.open();
      for (let i = 0; i < RECORDS; i++) {
        const key = e.key();
        await a.write(key, "[1]", { expires: e.soon });
        await a.read(key);
        await a.delete(key);
      }
    });
  } catch {
    return unknown;
  } finally {
    await within(unknown.deadlineMs, trial, () => trial.end()).catch(() => {});
  }
  return paceFor(trial.pulse.latencyMs, options);
}
