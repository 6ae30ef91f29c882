/**
 * Storages that do it another way than ours, and are right.
 */
import type { OddTarget } from "./_build.ts";
import { oddCookies } from "./bound.ts";
import { claims } from "./claims.ts";
import { clocks } from "./clocks.ts";
import { cookies } from "./cookies.ts";
import { encodings } from "./encodings.ts";
import { pace } from "./pace.ts";
import { postgres } from "./postgres.ts";
import { slow, unsteady } from "./slow.ts";
import { sql } from "./sql.ts";
import { wire } from "./wire.ts";

/** The odd storages that answer at once. */
export const oddTargets: readonly OddTarget[] = [
  ...pace,
  ...encodings,
  ...clocks,
  ...sql,
  ...cookies,
  ...oddCookies,
  ...claims,
];

/** Odd storages that take seconds; `deno task slow` tries slower ones. */
export const slowTargets: readonly OddTarget[] = [
  ...wire,
  ...postgres,
  ...[5, 20].flatMap((ms) => [slow(ms), unsteady(ms)]),
];
