/**
 * Whether each rule notices what it is there for: storages that are broken in one way each, and what must turn red.
 *
 * The quick form tries each storage on the rules that it breaks, the long form on all rules.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  checkStorage,
  type Report,
  type RuleResult,
  rules,
} from "../../conformance/mod.ts";
import { effort } from "../_effort.ts";
import { quietly } from "../_quiet.ts";
import { memory, type Mutant } from "./mutants/_mutant.ts";
import { mutants } from "./mutants/mod.ts";
import { PATIENT } from "./targets.ts";

/** Repeats what is random in the rules. */
const seed = 2026;
const options = { ...PATIENT, seed };

/** Rules that look for whatever is wrong: most other mutants would turn them red too, some by luck alone. */
const isLuck = (id: string) => id.startsWith("MODEL-");
const certain = rules.map(({ id }) => id).filter((id) => !isLuck(id));

Deno.test("the storage that all mutants are made of keeps all rules, without its defect", async () => {
  const { results } = await checkStorage(memory("right", () => ({})), options);
  assertEquals(results.filter(isBad).map(inWords), []);
});

Deno.test("every rule has a mutant", () => {
  const broken = new Set(mutants.map(({ breaks }) => breaks));
  assertEquals([...broken], rules.map(({ id }) => id));
});

Deno.test("no two mutants of a rule are described alike", () => {
  const names = mutants.map(({ breaks, name }) => `${breaks} ${name}`);
  assertEquals([...new Set(names)], names);
});

for (const mutant of mutants) {
  const { breaks, name, reason, also } = mutant;
  Deno.test(`${breaks} turns red, where ${name}`, async () => {
    const { results } = await check(mutant);
    const bad = results.filter(isBad);
    const failed = bad.filter(({ outcome }) => outcome === "fail");
    assertEquals(
      bad.map(inWords),
      failed.map(inWords),
      `${name}: no rule errs`,
    );
    assertEquals(
      failed.map(({ rule }) => rule).sort(),
      [breaks, ...Object.keys(also)].sort(),
      [`${name}: what fails`, ...failed.map(inWords)].join("\n"),
    );
    const { reason: said } = failed.find(({ rule }) => rule === breaks) ?? {};
    assertStringIncludes(said ?? "", reason, `${name}: why ${breaks} fails`);
    assert(!also[breaks], `${name}: ${breaks} is no neighbour of its own`);
  });
}

const ODDITIES: Record<string, unknown> = {
  "undefined": undefined,
  "null": null,
  "a number": 7,
  "a text": "text",
  "a list": [],
  "an object": {},
  "a frozen object": Object.freeze({ items: Object.freeze(["tea"]) }),
  "a symbol": Symbol("odd"),
  "a function": () => 1,
};

for (const [name, value] of Object.entries(ODDITIES)) {
  Deno.test(`a storage whose sessions give ${name} for every value fails, and no rule errs`, async () => {
    const target = memory(
      name,
      () => ({ session: () => ({ get: () => value }) }),
    );
    const { results } = await quietly(
      "debug",
      () => checkStorage(target, { ...options, only: certain }),
    );
    const errors = results.filter(({ outcome }) => outcome === "error");
    assertEquals(errors.map(inWords), [], name);
    assert(results.some(({ outcome }) => outcome === "fail"), name);
  });
}

async function check({ breaks, also, target }: Mutant): Promise<Report> {
  const all = isLuck(breaks) ? undefined : certain;
  const only = effort.thorough ? all : [breaks, ...Object.keys(also)];
  return await quietly(
    "debug",
    () => checkStorage(target, { ...options, only }),
  );
}

function isBad({ outcome }: RuleResult): boolean {
  return outcome !== "pass" && outcome !== "not-applicable";
}

function inWords({ rule, outcome, reason }: RuleResult): string {
  return `${rule} ${outcome}: ${reason}`;
}
