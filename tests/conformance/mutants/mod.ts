import { browser } from "./browser.ts";
import { concurrency } from "./concurrency.ts";
import { cookie } from "./cookie.ts";
import { expiry } from "./expiry.ts";
import { faults } from "./faults.ts";
import { flash } from "./flash.ts";
import { hostile } from "./hostile.ts";
import { instances } from "./instances.ts";
import { isolation } from "./isolation.ts";
import { lifetime } from "./lifetime.ts";
import { model } from "./model.ts";
import type { Mutant } from "./_mutant.ts";
import { ownerLists } from "./owner.ts";
import { ownerRaces } from "./owner_races.ts";
import { persistence } from "./persistence.ts";
import { regenerate } from "./regenerate.ts";
import { restart } from "./restart.ts";
import { serialisation } from "./serialisation.ts";
import { staleReads } from "./stale_reads.ts";
import { shapes } from "./shapes.ts";
import { size } from "./size.ts";
import { unset } from "./unset.ts";

/** The broken storages, in the order of the rules that they break. */
export const mutants: readonly Mutant[] = [
  ...persistence,
  ...staleReads,
  ...instances,
  ...flash,
  ...unset,
  ...expiry,
  ...lifetime,
  ...regenerate,
  ...restart,
  ...isolation,
  ...concurrency,
  ...ownerLists,
  ...ownerRaces,
  ...cookie,
  ...browser,
  ...hostile,
  ...serialisation,
  ...shapes,
  ...size,
  ...faults,
  ...model,
];
