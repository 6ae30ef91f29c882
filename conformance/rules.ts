/**
 * The catalogue of rules, group by group.
 *
 * @module
 */
import { concurrency } from "./rules/concurrency.ts";
import { cookie } from "./rules/cookie.ts";
import { expiry } from "./rules/expiry.ts";
import { historyRules } from "./history/rules.ts";
import { faults } from "./rules/faults.ts";
import { flash } from "./rules/flash.ts";
import { hostile } from "./rules/hostile.ts";
import { isolation } from "./rules/isolation.ts";
import { model } from "./rules/model.ts";
import { owner } from "./rules/owner.ts";
import { persistence } from "./rules/persistence.ts";
import { regenerate } from "./rules/regenerate.ts";
import { restart } from "./rules/restart.ts";
import { serialisation } from "./rules/serialisation.ts";
import { unset } from "./rules/unset.ts";
import type { Rule } from "./types.ts";

/** The name of this rule set. Rules that are added later are provisional until the next rule set. */
export const RULE_SET = "2026.2";

/** All rules. */
export const rules: readonly Rule[] = [
  ...persistence,
  ...flash,
  ...unset,
  ...expiry,
  ...regenerate,
  ...restart,
  ...isolation,
  ...concurrency,
  ...owner,
  ...cookie,
  ...hostile,
  ...serialisation,
  ...faults,
  ...model,
];

/** A rule of any check; `undefined` if this version does not have it. */
export function findRule(id: string): Rule | undefined {
  return [...rules, ...historyRules].find((rule) => rule.id === id);
}
