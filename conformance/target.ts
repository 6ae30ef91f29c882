/**
 * Checks the arguments of a run: the target, the rules to run, the expected failures.
 *
 * @module
 */
import { CAPABILITIES } from "./capabilities.ts";
import { rules } from "./rules.ts";
import type { CheckOptions, Rule, Target } from "./types.ts";

/** The rules that `only` names. */
export function choose(only: readonly string[] | undefined): readonly Rule[] {
  if (!only) return rules;
  for (const name of only) {
    if (!rules.some((rule) => matches(rule, name))) {
      throw new TypeError(
        `Cannot run rule "${name}": there is no such rule or group`,
      );
    }
  }
  return rules.filter((rule) => only.some((name) => matches(rule, name)));
}

function matches(rule: Rule, name: string): boolean {
  const wanted = name.toUpperCase();
  return rule.id === wanted || rule.id.startsWith(`${wanted}-`);
}

/** Refuses invalid options of a run. */
export function checkOptions(
  { deadline, expectedFailures: expected }: CheckOptions,
): void {
  if (deadline !== undefined && !(deadline > 0 && deadline <= MOST_SECONDS)) {
    throw new TypeError(
      `Cannot check target: deadline must be a number of seconds from 0 to ${MOST_SECONDS}: received ${deadline}`,
    );
  }
  for (const [id, reason] of Object.entries(expected ?? {})) {
    if (!rules.some((rule) => rule.id === id)) {
      throw new TypeError(
        `Cannot expect rule "${id}" to fail: there is no such rule`,
      );
    }
    if (typeof reason !== "string" || reason.trim() === "") {
      throw new TypeError(
        `Cannot expect rule "${id}" to fail: its reason must be a string`,
      );
    }
  }
}

/** Refuses an invalid target. */
export function checkTarget(target: Target): void {
  const problem = typeof target !== "object" || target === null
    ? "it must be an object"
    : typeof target.name !== "string" || target.name === ""
    ? "name must be a string"
    : !Array.isArray(target.capabilities)
    ? "capabilities must be a list"
    : typeof target.open !== "function"
    ? "open must be a function"
    : clockProblem(target.clock);
  if (problem) throw new TypeError(`Cannot check target: ${problem}`);
  const unknown = target.capabilities.filter((c) =>
    !Object.hasOwn(CAPABILITIES, c)
  );
  if (unknown.length > 0) {
    throw new TypeError(
      `Cannot check target: unknown capability ${unknown.join(", ")}`,
    );
  }
  const { profile } = target;
  if (profile !== undefined && !PROFILES.includes(profile)) {
    throw new TypeError(`Cannot check target: unknown profile ${profile}`);
  }
}

function clockProblem(clock: Target["clock"]): string | undefined {
  if (clock === undefined) return undefined;
  switch (clock?.kind) {
    case "virtual":
      return typeof clock.advance === "function"
        ? undefined
        : "a virtual clock needs advance, a function";
    case "aged":
      return typeof clock.age === "function"
        ? undefined
        : "an aged clock needs age, a function";
    case "real":
      return clock.granularityMs >= 0
        ? undefined
        : "a real clock needs granularityMs, a number";
    default:
      return "clock.kind must be virtual, aged or real";
  }
}

/** A timer cannot be longer than 2^31 ms. */
const MOST_SECONDS = 86_400;

const PROFILES: readonly string[] = ["satchel", "react-router", "remix"];
