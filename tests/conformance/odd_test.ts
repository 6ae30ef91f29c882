/**
 * Whether the suite finds nothing wrong with storages that are right, and do it another way than ours.
 */
import { assertEquals } from "@std/assert";
import { checkStorage, type Report } from "../../conformance/mod.ts";
import { oddTargets } from "./_odd.ts";
import { matrix, printed } from "./_print.ts";

const reports: Report[] = [];

for (const target of oddTargets) {
  Deno.test(`a storage stays green: ${target.name}`, async () => {
    const report = await checkStorage(target);
    reports.push(report);
    const bad = report.results
      .filter(({ outcome }) => !["pass", "not-applicable"].includes(outcome))
      .map(({ rule, outcome, reason }) => `${rule} ${outcome}: ${reason}`);
    assertEquals(bad, [], `seed ${report.seed}`);
    assertEquals(report.verdict, "conformant");
  });
}

Deno.test("the matrix of odd storages", () => {
  assertEquals(reports.length, oddTargets.length);
  printed([
    "Odd storages, and the rules that they keep",
    "",
    ...matrix(reports),
  ]);
});
