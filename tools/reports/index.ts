/** What was found about each storage: `conformance/reports/index.json`. */
import { type Claim, claimsOf } from "../../conformance/capabilities.ts";
import { conclude } from "../../conformance/conclude.ts";
import {
  type Outcome,
  type Report,
  RULE_SET,
  type RuleResult,
  rules,
} from "../../conformance/mod.ts";
import { root } from "../project.ts";

/** The folder of the reports. */
export const folder: URL = new URL("conformance/reports/", root);

/** A line of `index.json`. Rules that are not listed passed. */
export interface Summary {
  /** The target's name. */
  readonly target: string;
  /** The package with its version. */
  readonly package?: string;
  readonly verdict: Report["verdict"];
  readonly claims: readonly Claim[];
  /** Rules that fail. */
  readonly failed: readonly string[];
  /** Rules that do not apply, by reason. */
  readonly notApplicable: Readonly<Record<string, readonly string[]>>;
}

/** All that was found, by the target's file without its ending. */
export interface Index {
  readonly ruleSet: string;
  readonly storages: Readonly<Record<string, Summary>>;
}

/** Reads `index.json`. */
export function readIndex(): Index {
  return JSON.parse(Deno.readTextFileSync(new URL("index.json", folder)));
}

/** `index.json`, with one line for each storage. */
export function formatIndex(
  storages: Readonly<Record<string, Summary>>,
): string {
  const lines = Object.entries(storages).map(([name, summary]) =>
    `    ${JSON.stringify(name)}: ${JSON.stringify(summary)}`
  );
  return `{
  "ruleSet": ${JSON.stringify(RULE_SET)},
  "storages": {
${lines.join(",\n")}
  }
}
`;
}

/** What `index.json` keeps of a report. */
export function summaryOf(report: Report, version?: string): Summary {
  const { target, verdict, results } = report;
  const of = (outcome: Outcome) =>
    results.filter((result) => result.outcome === outcome);
  const reasons = Object.groupBy(
    of("not-applicable"),
    ({ reason = "" }) => reason,
  );
  return {
    target,
    ...version === undefined ? {} : { package: version },
    verdict,
    claims: report.claims,
    failed: of("fail").map(({ rule }) => rule),
    notApplicable: Object.fromEntries(
      Object.entries(reasons).map(([reason, group = []]) => [
        reason,
        group.map(({ rule }) => rule),
      ]),
    ),
  };
}

/** A report with the facts of a summary, for the formats. */
export function reportOf(summary: Summary): Report {
  const { target, failed, claims, notApplicable } = summary;
  const without = new Map(
    Object.entries(notApplicable).flatMap(([reason, group]) =>
      group.map((rule) => [rule, reason] as const)
    ),
  );
  const results = rules.map(({ id: rule }): RuleResult => {
    const reason = without.get(rule);
    if (reason !== undefined) {
      return { rule, outcome: "not-applicable", reason, ms: 0 };
    }
    return { rule, outcome: failed.includes(rule) ? "fail" : "pass", ms: 0 };
  });
  return {
    target,
    ruleSet: RULE_SET,
    seed: 0,
    ...concluded(target, claims, results),
    claims,
    unclaimed: [],
    results,
    notes: [],
    clock: "none",
    versions: {},
    date: "",
    latencyMs: 0,
  };
}

/** The verdict that follows from results and claims. */
export function concluded(
  name: string,
  capabilities: readonly Claim[],
  results: readonly RuleResult[],
): Pick<Report, "verdict" | "stale" | "levels"> {
  const open = () => {
    throw new Error("only its claims are needed");
  };
  return conclude(
    { name, capabilities: claimsOf({ capabilities }), open },
    results,
    {
      isSelection: false,
      isDisturbed: false,
    },
  );
}
