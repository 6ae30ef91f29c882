/**
 * The rules about engines.
 *
 * @module
 */
import { instances } from "./rules/instances.ts";
import { move } from "./rules/move.ts";
import { races } from "./rules/races.ts";
import { records } from "./rules/records.ts";
import { texts } from "./rules/texts.ts";
import { touch } from "./rules/touch.ts";
import { upkeep } from "./rules/upkeep.ts";
import { versions } from "./rules/versions.ts";
import type { DraftedRule } from "./rule.ts";
import type { EngineRule } from "./types.ts";

/** The rules with their checks. */
export const draftedRules: readonly DraftedRule[] = [
  ...records,
  ...texts,
  ...versions,
  ...touch,
  ...races,
  ...instances,
  ...upkeep,
  ...move,
];

/** All rules about engines: {@linkcode checkEngine} tries them. */
export const engineRules: readonly EngineRule[] = draftedRules.map(
  ({ checkOf: _, ...rule }) => rule,
);
