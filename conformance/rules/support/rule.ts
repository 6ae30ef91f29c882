/**
 * How a rule is written.
 *
 * @module
 */
import type { Trial } from "../../trial/trial.ts";
import type { Rule } from "../../types.ts";

export type { Rule };

type Draft =
  & Pick<Rule, "sentence" | "why">
  & { check(trial: Trial): Promise<void> }
  & Partial<
    Pick<Rule, "capabilities" | "session" | "timed" | "moves" | "since">
  >;

/** A rule that decides about conformance. */
export function must(id: string, draft: Draft): Rule {
  return { id, level: "must", since: "2026.1", capabilities: [], ...draft };
}

/** A rule that is reported and does not affect conformance. */
export function should(id: string, draft: Draft): Rule {
  return { ...must(id, draft), level: "should" };
}
