import { assertEquals } from "@std/assert";
import type { Report } from "../../conformance/mod.ts";
import { rank } from "../../tools/reports/ranking.ts";
import type { Row } from "../../tools/reports/rows.ts";

function rowOf(
  target: string,
  verdict: Report["verdict"],
  core: "kept" | "broken",
  broken: number,
  kept: number,
): Row {
  const report = { target, verdict, levels: { core } } as Report;
  return { report, package: undefined, link: "", kept, broken };
}

Deno.test("rank() orders by verdict, core rules, broken rules, kept rules and name", () => {
  const order = [
    rowOf("b", "conformant", "kept", 0, 50),
    rowOf("a", "conformant", "kept", 0, 40),
    rowOf("c", "partial", "kept", 0, 90),
    rowOf("d", "incomplete", "kept", 0, 90),
    rowOf("g", "nonconformant", "kept", 9, 20),
    rowOf("e", "nonconformant", "broken", 3, 20),
    rowOf("f", "nonconformant", "broken", 3, 20),
    rowOf("h", "nonconformant", "broken", 4, 80),
  ];
  const ranked = rank(order.toReversed());
  assertEquals(ranked.map(({ report }) => report.target), [..."bacdgefh"]);
  assertEquals(ranked.map(({ place }) => place), [1, 2, 3, 4, 5, 6, 6, 8]);
});
