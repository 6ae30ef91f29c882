/**
 * Finds rules by their ids, those about session storages and those about engines.
 *
 * @module
 */
import { engineRules } from "./engine/rules.ts";
import { rules } from "./rules.ts";
import type { Rule } from "./types.ts";

/** The rule with an id; `undefined` if this version does not have the rule. */
export function ruleOf(id: string): Rule | undefined {
  return rules.find((rule) => rule.id === id) ??
    engineRules.find((rule) => rule.id === id);
}
