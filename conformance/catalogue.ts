/**
 * All rules: about session storages, about engines, and about histories.
 *
 * @module
 */
import { engineRules } from "./engine/rules.ts";
import { historyRules } from "./history/rules.ts";
import { rules } from "./rules.ts";
import type { Rule } from "./types.ts";

/** Every rule of this version. */
export const allRules: readonly Rule[] = [
  ...rules,
  ...engineRules,
  ...historyRules,
];

/** The rule with an id; `undefined` if this version does not have the rule. */
export function ruleOf(id: string): Rule | undefined {
  return allRules.find((rule) => rule.id === id);
}
