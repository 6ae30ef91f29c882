/**
 * Whether the suite finds nothing wrong with storages that are right, and do it another way than ours.
 *
 * The quick form tries a sixth of those that answer at once, others each time, with one random seed. The long
 * form tries half of them, and slow ones; `deno task slow --seeds` tries all, with 20 seeds each.
 */
import { assert, assertEquals } from "@std/assert";
import { checkStorage } from "../../conformance/mod.ts";
import { effort } from "../_effort.ts";
import type { OddTarget } from "./odd/_build.ts";
import { wrongly } from "./odd/_judge.ts";
import { oddTargets, slowTargets } from "./odd/mod.ts";
import { PATIENT } from "./targets.ts";

Deno.test("no two odd storages are described alike, and there are 40 or more", () => {
  const names = [...oddTargets, ...slowTargets].map(({ name }) => name);
  assertEquals([...new Set(names)], names);
  assert(oddTargets.length >= 40);
});

Deno.test("a storage that changes the objects it is given does not spoil a later run of the suite", async () => {
  const [first, then] = [
    "values without a prototype",
    "sessions of its own, without ids",
  ].map((name) => oddTargets.find((target) => target.name === name));
  assert(first && then);
  await checkStorage(first, PATIENT);
  const report = await checkStorage(then, PATIENT);
  assertEquals(wrongly(then, report), [], `seed ${report.seed}`);
});

for (const target of oddTargets) {
  if (Math.random() < (effort.thorough ? 1 / 2 : 5 / 6)) continue;
  stayGreen(target);
}

if (effort.thorough) {
  for (const target of slowTargets) stayGreen(target);
}

function stayGreen(target: OddTarget): void {
  Deno.test(`a storage stays green: ${target.name}`, async () => {
    try {
      const report = await checkStorage(target, PATIENT);
      const row = `${target.name}, seed ${report.seed}`;
      assertEquals(wrongly(target, report), [], row);
    } finally {
      await target.end?.();
    }
  });
}
