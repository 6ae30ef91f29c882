/**
 * Checks a storage by several processes that work on it, while some of them are killed.
 *
 * @module
 */
import { claimsOf } from "../capabilities.ts";
import { conclude, summarise } from "../conclude.ts";
import { checkTarget } from "../target.ts";
import { paceFor } from "../trial/pace.ts";
import type { Report, RuleResult, Target } from "../types.ts";
import { type Histories, type HistoryPlan, record } from "./record.ts";
import type { Anomaly } from "./anomaly.ts";
import { judge } from "./judge.ts";
import { type HistoryRule, historyRules } from "./rules.ts";
import { traceOf } from "./trace.ts";
import { node } from "./node.ts";
import { takesOrders } from "./talk.ts";

/** Options of {@linkcode checkHistory}. */
export interface HistoryOptions {
  /** The module that exports the target: each process imports it. `import.meta.url` in that module. */
  readonly module: string | URL;
  /** How many processes work at the same time, from 2 to 16. @default {4} */
  readonly processes?: number | undefined;
  /** Whether each process of a round is killed once, in the middle of a change or right after one; another takes its place. @default {false} */
  readonly kill?: boolean | undefined;
  /** Repeats the choices of a run: what each process does, and when one is killed. The order of events is up to the machine. @default {a random one, in the report} */
  readonly seed?: number | undefined;
  /** How often the processes get new sessions to work on. @default {3} */
  readonly rounds?: number | undefined;
  /** How long the run may take, in seconds. From half of it on, no round begins. @default {120} */
  readonly deadline?: number | undefined;
  /** Arguments for the runtime of each process, such as `--import tsx`. @default {those of this process, on Node and Bun} */
  readonly execArgv?: readonly string[] | undefined;
}

/**
 * Checks what several processes see of the same sessions.
 *
 * Each process opens the target and reads, saves and destroys sessions that the others use too. Each logs what it was
 * told. Afterwards, every session needs an explanation: an order of all operations that agrees with the clock and with
 * what the target claims. Without `merge`, the last save may win; without `revoke`, no session is destroyed. What a
 * process had in progress when it was killed may have happened or not.
 *
 * The target has to claim `shared` and `durable`, and `open` must reach the same sessions from every process: on a
 * server, or in the `directory` that `open` receives.
 *
 * @param target How to open the storage, and what it claims. Processes find it in its module by its name.
 * @param options The target's module, how many processes, and whether they are killed.
 * @returns The outcome of each rule, `HISTORY-01` and so on, with the operations that contradict each other.
 * @throws {TypeError} If the target or the options are invalid.
 *
 * @example A target that is not shared
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { checkHistory, type Target } from "@satchel/session/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const target: Target = {
 *   name: "memory",
 *   capabilities: ["revoke", "merge"],
 *   open: () => ({ storage: createMemorySessionStorage() }),
 * };
 * const { results } = await checkHistory(target, { module: import.meta.url });
 * assertEquals(results[0]?.outcome, "not-applicable");
 * ```
 */
export async function checkHistory(
  target: Target,
  options: HistoryOptions,
): Promise<Report> {
  checkTarget(target);
  const { processes = 4, rounds = 3, deadline = 120 } = options;
  checkOptions({ ...options, processes, rounds, deadline });
  const { seed = Math.floor(Math.random() * 2 ** 31) } = options;
  const date = new Date();
  const start = performance.now();
  const plan: HistoryPlan = {
    ...{ seed, processes, rounds, deadline },
    module: `${options.module}`,
    kill: options.kill ?? false,
    execArgv: options.execArgv,
  };
  const applicable = historyRules.some((rule) => !whyNot(rule, target));
  const histories = applicable ? await inFolder(target, plan) : undefined;
  const { latencyMs = 0 } = histories ?? {};
  const anomalies = histories && !histories.failure
    ? judge(histories.tracks, histories.model, histories.killed)
    : [];
  const results = historyRules.map((rule): RuleResult => ({
    ...resultOf(rule, target, { histories, anomalies }),
    ms: Math.round(performance.now() - start),
  }));
  const run = { seed, pace: { ...paceFor(0, { deadline }), latencyMs } };
  return {
    ...summarise(target, run, date),
    ...conclude(target, results, { isSelection: false, isDisturbed: false }),
    ...{ results, notes: histories?.notes ?? [] },
  };
}

/** Records histories in a folder that is removed afterwards. */
async function inFolder(
  target: Target,
  plan: HistoryPlan,
): Promise<Histories> {
  const { mkdirSync, mkdtempSync, rmSync } = node("fs");
  const { join } = node("path");
  const folder = mkdtempSync(join(node("os").tmpdir(), "session-history-"));
  const [directory, cookies] = [
    join(folder, "shared"),
    join(folder, "cookies"),
  ];
  mkdirSync(directory);
  mkdirSync(cookies);
  try {
    return await record(target, plan, { directory, cookies });
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

type Found = Pick<
  RuleResult,
  "rule" | "outcome" | "reason" | "trace" | "rounds"
>;

function resultOf(
  rule: HistoryRule,
  target: Target,
  { histories, anomalies }: {
    histories: Histories | undefined;
    anomalies: readonly Anomaly[];
  },
): Found {
  const result = (outcome: Found["outcome"], reason: string): Found => ({
    ...{ rule: rule.id, outcome, reason },
  });
  const unfit = whyNot(rule, target);
  if (unfit || !histories) return result("not-applicable", unfit ?? "");
  const { failure, killed, kill, rounds, tracks } = histories;
  if (failure) return result(failure.outcome, failure.reason);
  const own = anomalies.filter(({ kind }) => kind === rule.kind);
  const blamed = historyRules.filter(({ id, kind }) =>
    rule.after?.includes(id) && anomalies.some((each) => each.kind === kind)
  );
  const [first] = own;
  if (first && blamed.length === 0) {
    const more = own.length > 1 ? ` (and in ${own.length - 1} more)` : "";
    return {
      ...result("fail", `in session ${first.session}, ${first.reason}${more}`),
      trace: traceOf(first, tracks),
    };
  }
  if (first) {
    const [broken] = blamed;
    return result(
      "not-run",
      `reads cannot be judged while ${broken?.id} is broken`,
    );
  }
  if (rule.kills && killed.size === 0) {
    return kill
      ? result(
        "not-run",
        "every process had done its work before it was to be killed; run it with more rounds",
      )
      : result(
        "not-applicable",
        "no process was to be killed; run it with kill: true",
      );
  }
  return {
    ...{ rule: rule.id, outcome: "pass" },
    ...rounds.ran < rounds.of ? { rounds } : {},
  };
}

/** Why a rule does not apply to a target, and what to do. */
function whyNot(rule: HistoryRule, target: Target): string | undefined {
  const claims = claimsOf(target);
  if (claims.includes("selfContained")) {
    return "the whole session is in the cookie, so processes share nothing; try a storage with an engine";
  }
  const missing = rule.capabilities.filter((claim) => !claims.includes(claim));
  if (missing.length === 0) return undefined;
  return `it does not claim ${missing.join(", ")}${
    missing.some((claim) => claim === "shared" || claim === "durable")
      ? "; processes need one engine that outlives them: if there is one, claim both"
      : ""
  }`;
}

function checkOptions(
  { module, processes, rounds, deadline, seed = 0 }: HistoryOptions,
): void {
  const refuse = (reason: string): never => {
    throw new TypeError(`Cannot check histories: ${reason}`);
  };
  if (takesOrders()) {
    refuse(
      "the target's module calls checkHistory itself; export the target from a module of its own",
    );
  }
  if (!/^[a-z][a-z+.-]+:/i.test(`${module}`)) {
    refuse(
      "module must be the address of the module that exports the target, for each process to import: write module: import.meta.url there",
    );
  }
  const whole = (name: string, value: unknown, least: number, most: number) =>
    Number.isInteger(value) && Number(value) >= least &&
      Number(value) <= most ||
    refuse(`${name} must be a whole number from ${least} to ${most}`);
  whole("processes", processes, 2, 16);
  whole("rounds", rounds, 1, 10_000);
  whole("seed", seed, 0, 2 ** 32 - 1);
  if (!(Number(deadline) > 0)) {
    refuse("deadline must be a positive number of seconds");
  }
}
