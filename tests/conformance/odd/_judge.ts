/** What a right storage may hear from the suite. */
import type { Report } from "../../../conformance/mod.ts";
import type { OddTarget } from "./_build.ts";

/** What the suite wrongly says about a storage that is right. */
export function wrongly(
  { declines = [] }: OddTarget,
  { clock, verdict, results }: Report,
): string[] {
  const open = results.filter(({ outcome }) =>
    outcome !== "pass" && outcome !== "not-applicable"
  );
  // By a real clock, a busy machine may be too late to look: the suite says so, and that is no fault that it found.
  const late = open.filter(({ outcome, reason }) =>
    clock === "real" && outcome === "not-run" &&
    reason?.startsWith("the machine was too busy")
  );
  const declined = open.filter(({ rule, outcome }) =>
    outcome === "fail" && declines.includes(rule)
  );
  const wrong = open
    .filter((result) => !late.includes(result) && !declined.includes(result))
    .map(({ rule, outcome, reason }) => `${rule} ${outcome}: ${reason}`);
  const due = late.length > 0
    ? "incomplete"
    : declined.length > 0
    ? "partial"
    : "conformant";
  return wrong.length > 0 || verdict === due
    ? wrong
    : [`the verdict is ${verdict}, not ${due}`];
}
