/**
 * The self-check: breaks a target in ways that its rules must detect.
 *
 * A pass proves little if the target is wrong: if `open` returns the same records for every check, or if a hook does not
 * show the engine's records. Each sabotage breaks the storage from outside, and names the rules that must then fail.
 *
 * @module
 */
import { printable } from "../formats/common.ts";
import { paint, wrap } from "../formats/text.ts";
import { SABOTAGES } from "./sabotage.ts";
import { RULE_SET, rules } from "../rules.ts";
import { claimsOf } from "../capabilities.ts";
import { measure } from "../trial/measure.ts";
import { tryRule } from "../trial/try_rule.ts";
import type { Outcome, Target } from "../types.ts";

/** The result of a sabotage. */
export interface SabotageResult {
  /** What was broken. */
  readonly name: string;
  /** The rules that had to fail. */
  readonly rules: readonly string[];
  /**
   * `red`: they failed. `green`: one passed. `unproven`: they fail without the sabotage too, or could not be tried.
   * `not-applicable`: the target does not claim the broken capability, or its library does not support it.
   */
  readonly outcome: "red" | "green" | "unproven" | "not-applicable";
  /** What the outcome means. */
  readonly meaning?: string;
}

/**
 * Breaks a target in one way after the other.
 *
 * @param target The target.
 * @param options Seed and number of random cases.
 * @returns The result of each sabotage.
 */
export async function selfCheck(
  target: Target,
  options: {
    readonly seed: number;
    readonly slow?: boolean;
    readonly deadline?: number | undefined;
  },
): Promise<SabotageResult[]> {
  const run = { ...options, pace: await measure(target, options) };
  const claims = claimsOf(target);
  const tried = new Map<string, Outcome>();
  const results: SabotageResult[] = [];
  for (const sabotage of SABOTAGES) {
    const { name, green } = sabotage;
    const claimed = (sabotage.capabilities ?? []).every((claim) =>
      claims.includes(claim)
    ) && !(sabotage.stored && isPlainCookie(target));
    const sound: string[] = [];
    const unsound: string[] = [];
    const still: string[] = [];
    for (const id of claimed ? sabotage.rules : []) {
      const rule = rules.find((rule) => rule.id === id);
      if (!rule) continue;
      const before = tried.get(id) ??
        (await tryRule(rule, target, run)).result.outcome;
      tried.set(id, before);
      if (before === "not-applicable") continue;
      if (before !== "pass") {
        unsound.push(`${id} is ${before} without the sabotage`);
        continue;
      }
      const broken = sabotage.apply(target);
      const { outcome, reason } = (await tryRule(rule, broken, run)).result;
      const noticed = outcome === "fail" ||
        (sabotage.blind && outcome === "not-run");
      if (noticed) sound.push(id);
      else if (outcome === "pass") still.push(id);
      else unsound.push(`${id} is ${outcome}: ${reason}`);
    }
    results.push({
      name,
      ...still.length > 0
        ? {
          outcome: "green",
          meaning: `${still.join(", ")} should fail; ${green}`,
          rules: still,
        }
        : sound.length === 0 && unsound.length > 0
        ? {
          outcome: "unproven",
          meaning: unsound.join("; "),
          rules: sound,
        }
        : {
          outcome: sound.length > 0 ? "red" : "not-applicable",
          rules: sound,
        },
    });
  }
  return results;
}

function isPlainCookie({ capabilities }: Target): boolean {
  return capabilities.includes("selfContained") &&
    !capabilities.includes("namespaces");
}

/** The table of a self-check. */
export function formatSelfCheck(
  target: string,
  results: readonly SabotageResult[],
  layout: { colour: boolean; width: number; seed: number },
): string {
  const styles = {
    red: ["✓ red", 32],
    green: ["✗ stays green", 31],
    unproven: ["? unproven", 33],
    "not-applicable": ["– not applicable", 2],
  } as const;
  const lines = [
    paint(
      `${
        printable(target)
      } · self-check · rules ${RULE_SET} · seed ${layout.seed}`,
      layout,
      [1],
    ),
    "",
  ];
  for (const { name, outcome, meaning, rules } of results) {
    const [word, code] = styles[outcome];
    const ids = rules.join(", ");
    lines.push(
      `  ${paint(word.padEnd(18), layout, [code])}${name}`,
      ...outcome === "red" ? [`${" ".repeat(20)}${ids}`] : [],
      ...meaning === undefined
        ? []
        : wrap(printable(meaning), layout.width, " ".repeat(20)),
    );
  }
  const many = (outcome: SabotageResult["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  const verdict = many("green") > 0
    ? `${
      many("green")
    } of ${results.length} sabotages stay green: for this target, a pass of these rules proves nothing`
    : many("unproven") > 0
    ? `${
      many("unproven")
    } sabotages prove nothing: make the plain run pass first`
    : `all ${many("red")} sabotages turn red`;
  const code = many("green") > 0 ? 31 : many("unproven") > 0 ? 33 : 32;
  return [...lines, "", paint(verdict, layout, [1, code]), ""].join("\n");
}
