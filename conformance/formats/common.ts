/**
 * What all report formats share: groups, marks, counts, and text that is safe to print.
 *
 * @module
 */
import { ruleOf } from "../catalogue.ts";
import type { Level, Report, RuleResult } from "../types.ts";

export { ruleOf };

/** The groups, in the catalogue's order: the prefix of their rules' ids, and their names. */
export const GROUPS: Readonly<Record<string, string>> = {
  PERSIST: "Persistence",
  SHARED: "Instances",
  FLASH: "Flash",
  UNSET: "Unset",
  EXPIRY: "Expiry",
  REGEN: "Regenerate",
  RESTART: "Restart",
  ISO: "Isolation",
  CONC: "Concurrency",
  OWNER: "Owners",
  COOKIE: "Cookies",
  HOSTILE: "Hostile input",
  SERIAL: "Serialisation",
  SIZE: "Sizes",
  FAULT: "Faults",
  MODEL: "Model",
  ENGINE: "Engine",
  HISTORY: "Histories",
};

/** An outcome as a report shows it: also whether it was expected, and whether it affects the verdict. */
export type Mark =
  | "fail"
  | "stale"
  | "error"
  | "not-run"
  | "advice"
  | "expected"
  | "pass"
  | "not-applicable";

/** How a mark is shown, never by colour alone. */
export interface MarkStyle {
  /** One character. */
  readonly symbol: string;
  /** The word for one result. */
  readonly word: string;
  /** The code of a terminal colour. */
  readonly ansi: number;
}

/** The marks, the worst first. */
export const MARKS: Readonly<Record<Mark, MarkStyle>> = {
  fail: { symbol: "✗", word: "failed", ansi: 31 },
  stale: { symbol: "^", word: "unexpectedly passed", ansi: 31 },
  error: { symbol: "!", word: "error", ansi: 31 },
  "not-run": { symbol: "?", word: "not run", ansi: 33 },
  advice: { symbol: "~", word: "failed (should)", ansi: 33 },
  expected: { symbol: "x", word: "failed as expected", ansi: 33 },
  pass: { symbol: "✓", word: "passed", ansi: 32 },
  "not-applicable": { symbol: "–", word: "not applicable", ansi: 2 },
};

/** The group of a rule. */
export function groupOf(id: string): string {
  return id.slice(0, id.lastIndexOf("-"));
}

/** A result's mark. */
export function markOf(result: RuleResult): Mark {
  const { outcome, expected, rule } = result;
  if (expected !== undefined && outcome === "pass") return "stale";
  if (outcome !== "fail") return outcome;
  if (expected !== undefined) return "expected";
  return ruleOf(rule)?.level === "should" ? "advice" : "fail";
}

/** Items by a key, in their order. `Map.groupBy` is missing before Node 21. */
export function groupBy<Item, Key>(
  items: readonly Item[],
  keyOf: (item: Item) => Key,
): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** Results by group, in their order. */
export function byGroup(
  results: readonly RuleResult[],
): Map<string, RuleResult[]> {
  return groupBy(results, (result) => groupOf(result.rule));
}

/** How many results have each mark, the worst first. Marks without results are left out. */
export function count(results: readonly RuleResult[]): [Mark, number][] {
  const marks = results.map(markOf);
  return (Object.keys(MARKS) as Mark[])
    .map((mark): [Mark, number] => [
      mark,
      marks.filter((other) => other === mark).length,
    ])
    .filter(([, many]) => many > 0);
}

/** The counts in words. */
export function countText(results: readonly RuleResult[]): string {
  return count(results)
    .map(([mark, many]) =>
      `${many} ${mark === "error" && many > 1 ? "errors" : MARKS[mark].word}`
    )
    .join(", ");
}

/** The worst verdict of several reports. */
export function worst(reports: readonly Report[]): Report["verdict"] {
  const order = ["nonconformant", "incomplete", "partial"] as const;
  return order.find((verdict) => reports.some((r) => r.verdict === verdict)) ??
    "conformant";
}

/** Control characters, directional overrides (which reorder what is shown) and lone surrogates. */
const ACTIVE =
  // deno-lint-ignore no-control-regex -- it looks for them
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\p{Surrogate}/gu;

/** Escapes text of a target, so that it is one line and cannot control a terminal or a parser. */
export function printable(text: string): string {
  return text.replaceAll(
    ACTIVE,
    (character) =>
      `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Printable text for XML and HTML. */
export function escapeXml(text: string): string {
  const names: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return printable(text).replaceAll(/[&<>"']/g, (c) => names[c] as string);
}

/** Text cut to a length. */
export function cut(text: string, length: number): string {
  const characters = [...text];
  return characters.length > length
    ? `${characters.slice(0, length - 1).join("")}…`
    : text;
}

/** What a report says of its levels, the worst first: which are broken, untried, kept, and not claimed. */
export function levelsOf(
  { levels, unclaimed, claims }: Report,
): [title: string, names: readonly string[]][] {
  const of = (level: Level) =>
    Object.entries(levels).filter(([, found]) => found === level)
      .map(([name]) => name);
  const all: [string, readonly string[]][] = [
    ["broken", of("broken")],
    ["not tried", of("untried")],
    ["kept", of("kept")],
    [
      claims.length === 0 ? "nothing claimed; left out" : "not claimed",
      unclaimed,
    ],
  ];
  return all.filter(([, names]) => names.length > 0);
}

/** Rules of which the storage was too slow to run all cases. */
export function cutShort(
  results: readonly RuleResult[],
): readonly RuleResult[] {
  return results.filter(({ rounds }) => rounds !== undefined);
}

/** Lists rules by group, as `FLASH-01, 02; UNSET-01`. */
export function listIds(ids: readonly string[]): string {
  const groups = groupBy(ids, groupOf);
  return [...groups].map(([group, members]) =>
    `${group}-${members.map((id) => id.slice(group.length + 1)).join(", ")}`
  ).join("; ");
}

/** The message for an expected failure that did not happen. */
export function staleText(result: RuleResult): string {
  return `it was expected to fail (${result.expected}), but passes: remove the expectation`;
}
