/**
 * How a rule about engines is written down.
 *
 * @module
 */
import type { Trial } from "../trial/trial.ts";
import type { OpenEngine } from "./open_engine.ts";
import { type EngineFacts, EngineTrial } from "./engine_trial.ts";
import type { EngineRule, Need } from "./types.ts";

/** What is written down of a rule. */
interface Draft
  extends Pick<EngineRule, "sentence" | "why" | "timed" | "moves"> {
  readonly needs?: readonly Need[];
  /** Tests the rule on an engine that was opened in a namespace of its own. */
  check(e: EngineTrial, a: OpenEngine): Promise<void>;
}

/** A rule, and its check for a target of which something is known. */
export interface DraftedRule extends EngineRule {
  checkOf(facts: EngineFacts): (trial: Trial) => Promise<void>;
}

/** A rule that affects conformance. */
export function must(id: string, draft: Draft): DraftedRule {
  const { needs = [], check, ...words } = draft;
  const checkOf = (facts: EngineFacts) => async (trial: Trial) => {
    const e = new EngineTrial(trial, facts);
    const a = await e.open();
    e.require(needs, a);
    await check(e, a);
  };
  return {
    id,
    level: "must",
    since: "2026.2",
    capabilities: [],
    ...words,
    needs,
    check: () => {
      throw new TypeError("Cannot check rule: use checkEngine()");
    },
    checkOf,
  };
}
