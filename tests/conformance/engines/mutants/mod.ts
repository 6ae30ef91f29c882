import { instances } from "./instances.ts";
import type { Mutant } from "../_mutant.ts";
import { move } from "./move.ts";
import { owners } from "./owners.ts";
import { races } from "./races.ts";
import { records } from "./records.ts";
import { surplus } from "./surplus.ts";
import { texts } from "./texts.ts";
import { touch } from "./touch.ts";
import { failures, sweeps } from "./upkeep.ts";
import { versions } from "./versions.ts";

/** The broken engines, in the order of the rules that they break. */
export const mutants: readonly Mutant[] = [
  ...records,
  ...texts,
  ...versions,
  ...touch,
  ...races,
  ...instances,
  ...sweeps,
  ...owners,
  ...failures,
  ...surplus,
  ...move,
];
