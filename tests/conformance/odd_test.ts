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
    const bad = report.results
      .filter(({ outcome }) => !["pass", "not-applicable"].includes(outcome))
      .map(({ rule, outcome, reason }) => `${rule} ${outcome}: ${reason}`);
    assertEquals(bad, [], `${target.name}, seed ${report.seed}`);
    assertEquals(report.verdict, "conformant", target.name);
  });
}
