/**
 * Whether each rule about engines notices what it is there for: engines that are broken in one way each, as they are in
 * life, and what must turn red. Each is tried on all rules.
 *
 * The quick form tries one seed, the long form ten.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  checkEngine,
  engineRules,
  type RuleResult,
} from "../../../conformance/mod.ts";
import { effort } from "../../_effort.ts";
import { broken } from "./_mutant.ts";
import { mutants } from "./mutants/mod.ts";

/** Repeats what is random in the rules. */
const options = { seed: 2026 };
const seeds = effort.long
  ? Array.from({ length: 10 }, (_, i) => 2017 + i)
  : [options.seed];

Deno.test("the engine that all mutants are made of keeps all rules, without its defect", async () => {
  const { results, verdict } = await checkEngine(
    broken("right", () => ({})),
    options,
  );
  assertEquals(results.filter(isBad).map(inWords), []);
  assertEquals(verdict, "conformant");
  const skipped = results.filter((r) => r.outcome === "not-applicable");
  assertEquals(skipped.map(inWords), [], "it has everything");
});

Deno.test("every rule about engines has a mutant", () => {
  const rules = new Set(mutants.map(({ breaks }) => breaks));
  assertEquals([...rules], engineRules.map(({ id }) => id));
});

Deno.test("no two mutants of a rule about engines are described alike", () => {
  const names = mutants.map(({ breaks, name }) => `${breaks} ${name}`);
  assertEquals([...new Set(names)], names);
});

for (const { breaks, name, reason, also, target } of mutants) {
  Deno.test(`${breaks} turns red, where ${name}`, async () => {
    for (const seed of seeds) {
      const { results, verdict } = await checkEngine(target, { seed });
      const bad = results.filter(isBad);
      const words = bad.map(inWords).join("\n");
      assertEquals(verdict, "nonconformant", `${name}, seed ${seed}: ${words}`);
      assertEquals(
        bad.map(({ rule, outcome }) => `${rule} ${outcome}`),
        [breaks, ...Object.keys(also)].sort().map((rule) => `${rule} fail`),
        `${name}, seed ${seed}: what fails\n${words}`,
      );
      const { reason: said } = bad.find(({ rule }) => rule === breaks) ?? {};
      assertStringIncludes(said ?? "", reason, `${name}: why ${breaks} fails`);
    }
    assert(!also[breaks], `${name}: ${breaks} is no neighbour of its own`);
  });
}

function isBad({ outcome }: RuleResult): boolean {
  return outcome !== "pass" && outcome !== "not-applicable";
}

function inWords({ rule, outcome, reason }: RuleResult): string {
  return `${rule} ${outcome}: ${reason}`;
}
