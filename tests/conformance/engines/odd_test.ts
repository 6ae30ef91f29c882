/**
 * Engines that are unusual and right: each keeps every rule that applies, with every seed.
 *
 * The quick form tries two seeds, the long form ten.
 */
import { assertEquals } from "@std/assert";
import { checkEngine } from "../../../conformance/mod.ts";
import { effort } from "../../_effort.ts";
import { broken } from "./_mutant.ts";
import { odd } from "./_odd.ts";

for (const [name, { target, without = [] }] of Object.entries(odd)) {
  Deno.test(`checkEngine() is green, where ${name}`, async () => {
    const seeds = effort.long ? 10 : 2;
    const engine = typeof target === "function" ? broken(name, target) : target;
    for (let seed = 1; seed <= seeds; seed++) {
      const { results, verdict } = await checkEngine(engine, { seed });
      const bad = results.filter(({ outcome }) =>
        outcome !== "pass" && outcome !== "not-applicable"
      );
      const words = bad.map(({ rule, reason }) => `${rule} ${reason}`);
      assertEquals(words, [], `${name}, seed ${seed}`);
      assertEquals(verdict, "conformant", `${name}, seed ${seed}`);
      const skipped = results
        .filter(({ outcome }) => outcome === "not-applicable")
        .map(({ rule }) => rule);
      assertEquals(
        skipped,
        [...new Set(without)].sort(),
        `${name}, seed ${seed}: what does not apply`,
      );
    }
  });
}
