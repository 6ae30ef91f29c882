/**
 * Whether the suite finds nothing wrong with storages that are right, and do it another way than ours.
 */
import { assertEquals } from "@std/assert";
import { checkStorage } from "../../conformance/mod.ts";
import { oddTargets } from "./_odd.ts";
import { PATIENT } from "./targets.ts";

for (const target of oddTargets) {
  Deno.test(`a storage stays green: ${target.name}`, async () => {
    const report = await checkStorage(target, PATIENT);
    // By a real clock, a busy machine may be too late to look: the suite says so, and that is no fault that it found.
    const late = report.results.filter(({ outcome, reason }) =>
      target.clock?.kind === "real" && outcome === "not-run" &&
      reason?.startsWith("the machine was too busy")
    );
    const bad = report.results
      .filter((result) => !late.includes(result))
      .filter(({ outcome }) => !["pass", "not-applicable"].includes(outcome))
      .map(({ rule, outcome, reason }) => `${rule} ${outcome}: ${reason}`);
    assertEquals(bad, [], `${target.name}, seed ${report.seed}`);
    const verdict = late.length > 0 ? "incomplete" : "conformant";
    assertEquals(report.verdict, verdict, target.name);
  });
}
