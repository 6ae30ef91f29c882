/**
 * Which rules the command tries on a target.
 *
 * @module
 */
import { checkEngine } from "../engine/check.ts";
import { engineRules } from "../engine/rules.ts";
import { isEngineTarget } from "../engine/target.ts";
import type { EngineTarget } from "../engine/types.ts";
import { checkHistory } from "../history/check_history.ts";
import { historyRules } from "../history/rules.ts";
import { rules } from "../rules.ts";
import { checkStorage } from "../run.ts";
import { choose } from "../target.ts";
import type { CheckOptions, Report, Rule, Target } from "../types.ts";
import { type CliOptions, UsageError } from "./args.ts";

/** A target of any kind. */
export type AnyTarget = Target | EngineTarget;

/** The rules for a target. */
export interface Suite {
  readonly rules: readonly Rule[];
  check(options: CheckOptions): Promise<Report>;
}

/**
 * The rules for a target: those about engines, about histories with `--processes`, or about session storages.
 *
 * @param address The target's module, for other processes to import.
 * @throws {UsageError} If the options do not fit the target.
 */
export function suiteFor(
  target: AnyTarget,
  { processes, kill }: Pick<CliOptions, "processes" | "kill">,
  address: () => string,
): Suite {
  if (isEngineTarget(target)) {
    if (processes !== undefined) {
      throw new UsageError(
        `--processes needs a storage: ${target.name} is a target for an engine (it has no capabilities)`,
      );
    }
    return {
      rules: engineRules,
      check: (options) => checkEngine(target, options),
    };
  }
  if (processes === undefined) {
    return { rules, check: (options) => checkStorage(target, options) };
  }
  return {
    rules: historyRules,
    async check({ seed, deadline, onResult }) {
      const module = address();
      const report = await checkHistory(target, {
        ...{ module, processes, kill, seed, deadline },
      });
      report.results.forEach((result) => onResult?.(result));
      return report;
    },
  };
}

/** The names of `only` that a suite has; `undefined` for all of its rules. */
export function namesFor(
  { rules }: Suite,
  only: readonly string[] | undefined,
): readonly string[] | undefined {
  return only?.filter((name) =>
    rules.some(({ id }) => id === name || id.startsWith(`${name}-`))
  );
}

/** The expected failures that a suite has. */
export function expectedFor(
  { rules }: Suite,
  expected: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  return expected && Object.fromEntries(
    Object.entries(expected).filter(([name]) =>
      rules.some(({ id }) => id === name)
    ),
  );
}

/** How many rules are tried. */
export function sizeOf(
  { rules }: Suite,
  only: readonly string[] | undefined,
): number {
  return choose(only, rules).length;
}
