/**
 * Runs the rules against a target.
 *
 * @module
 */
import { conclude, summarise } from "./conclude.ts";
import { checkOptions, checkTarget, choose } from "./target.ts";
import { measure } from "./trial/measure.ts";
import { Random } from "./trial/random.ts";
import { Stray } from "./trial/stray.ts";
import { type Run, SILENT_RULES, skip, tryRule } from "./trial/try_rule.ts";
import { findUnclaimed } from "./unclaimed.ts";
import type {
  CheckOptions,
  Report,
  Rule,
  RuleResult,
  Target,
} from "./types.ts";

/**
 * Checks a storage against all rules.
 *
 * It uses its own namespaces only, and closes each. An error of the storage cannot end the run.
 *
 * @param target How to open the storage, and what it claims.
 * @param options Seed, selection of rules, known failures.
 * @returns The outcome of each rule, and the verdict.
 * @throws {TypeError} If the target or the options are invalid.
 *
 * @example
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { checkStorage } from "@satchel/session/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const report = await checkStorage({
 *   name: "memory",
 *   capabilities: ["revoke", "expiry", "touch", "absolute", "merge"],
 *   clock: { kind: "virtual", advance() {} },
 *   open: ({ namespace: _, ...options }) => ({
 *     storage: createMemorySessionStorage(options),
 *   }),
 * });
 * assertEquals(report.verdict, "conformant");
 * ```
 */
export async function checkStorage(
  target: Target,
  options: CheckOptions = {},
): Promise<Report> {
  checkTarget(target);
  checkOptions(options);
  const date = new Date();
  const chosen = choose(options.only);
  const { seed = Math.floor(Math.random() * 2 ** 31) } = options;
  const stray = new Stray();
  try {
    const run = { ...options, seed, pace: await measure(target, options) };
    const { results, silent } = await runAll(chosen, target, run, stray);
    const notes = options.only || silent
      ? []
      : await findUnclaimed(target, run);
    const outside = await stray.take();
    if (outside !== undefined) notes.push(outside);
    return {
      ...summarise(target, run, date),
      ...conclude(target, results, {
        isSelection: options.only !== undefined,
        isDisturbed: outside !== undefined,
      }),
      results,
      notes,
    };
  } finally {
    stray.end();
  }
}

/** Runs rules, each once. The results are in the order of the rules. */
async function runAll(
  chosen: readonly Rule[],
  target: Target,
  run: Run & Pick<CheckOptions, "onResult">,
  stray: Stray,
): Promise<{ results: RuleResult[]; silent: boolean }> {
  const results = new Map<string, RuleResult>();
  let silent = 0;
  const one = async (rule: Rule, alone: boolean) => {
    const tried = silent < SILENT_RULES
      ? await tryRule(rule, target, run)
      : skip(rule, run);
    let { result } = tried;
    if (tried.silent) silent++;
    // If several rules run at the same time, it could belong to any of them.
    const outside = alone ? await stray.take() : undefined;
    if (outside !== undefined && result.outcome === "pass") {
      result = { ...result, outcome: "error", reason: outside };
    }
    results.set(rule.id, result);
    run.onResult?.(result);
  };
  // The order is random, so that no rule depends on another.
  const order = new Random(run.seed).shuffle(chosen);
  const { first, together, lanes, alone } = plan(order, target);
  for (const rule of first) await one(rule, true);
  const waiting = Promise.all(together.map((rule) => one(rule, false)));
  const isAlone = together.length === 0 && run.pace.lanes === 1;
  await inLanes(run.pace.lanes, lanes, (rule) => one(rule, isAlone));
  for (const rule of alone) await one(rule, together.length === 0);
  await waiting;
  return {
    results: chosen.map((rule) => results.get(rule.id) as RuleResult),
    silent: silent > 0,
  };
}

/** Which rules can run at the same time. */
function plan(order: readonly Rule[], target: Target) {
  const waits = target.clock?.kind === "real";
  // It counts the timers of the whole process, so it runs before others start some.
  const isFirst = ({ id }: Rule) => id === "ISO-06";
  // Rules that wait for time to pass wait together.
  const isTogether = ({ timed }: Rule) => waits && timed === true;
  // A clock or a fault that a target's hooks control may reach all of its storages.
  const isAlone = ({ timed, moves = timed, capabilities }: Rule) =>
    moves === true || capabilities.includes("faults");
  const others = order.filter((rule) => !isFirst(rule) && !isTogether(rule));
  return {
    first: order.filter(isFirst),
    together: order.filter((rule) => isTogether(rule) && !isFirst(rule)),
    lanes: others.filter((rule) => !isAlone(rule)),
    alone: others.filter(isAlone),
  };
}

/** Does some work for each item, a few of them at the same time. */
async function inLanes<T>(
  lanes: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
