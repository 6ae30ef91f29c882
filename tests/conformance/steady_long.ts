/**
 * Whether the suite comes to the same each time; `deno task steady` runs it 50 times and measures.
 */
import { assert, assertEquals } from "@std/assert";
import { oddTargets } from "./odd/mod.ts";
import { flakes, runOnce, withEmbedded } from "./_steady.ts";

const RUNS = 1;

Deno.test("the suite finds the same of the embedded storages, in any order and by any seed", async () => {
  await withEmbedded(async (targets) => {
    for (let i = 0; i < RUNS; i++) {
      for (const target of targets) {
        const { report } = await runOnce(target);
        assertEquals(flakes(report), [], target.name);
      }
    }
  });
});

Deno.test("the suite finds the same of an engine whose records are aged", async () => {
  const aged = oddTargets.find(({ clock }) => clock?.kind === "aged");
  assert(aged, "an odd target has a clock that ages its records");
  for (let i = 0; i < RUNS; i++) {
    const { report } = await runOnce(aged);
    assertEquals(flakes(report), [], aged.name);
  }
});
