/**
 * How long the whole suite takes, and whether it comes to the same each time; `deno task steady` runs it 50 times.
 */
import { assert, assertEquals } from "@std/assert";
import { oddTargets } from "./_odd.ts";
import { matrix, printed } from "./_print.ts";
import { flakes, type Run, runOnce, spread, withEmbedded } from "./_steady.ts";

const RUNS = 3;

/** A machine that does other things too may take this many times as long. */
const BUSY = 3;

const runs = new Map<string, Run[]>();

Deno.test("the suite finds the same of the embedded storages, in any order and by any seed", async () => {
  await withEmbedded(async (targets) => {
    for (let i = 0; i < RUNS; i++) {
      for (const target of targets) {
        const all = runs.get(target.name) ?? [];
        all.push(await runOnce(target));
        runs.set(target.name, all);
      }
    }
  });
  const found = [...runs.values()].flat().flatMap(({ report }) =>
    flakes(report)
  );
  assertEquals(found, []);
});

Deno.test("the suite takes less than a second, on the storage in memory", () => {
  assertQuick(runs.get("memory") ?? [], 1000);
});

Deno.test("the suite takes less than three seconds, on an engine whose records are aged", async () => {
  const aged = oddTargets.find(({ clock }) => clock?.kind === "aged");
  assert(aged);
  const all = [await runOnce(aged), await runOnce(aged)];
  assertEquals(all.flatMap(({ report }) => flakes(report)), []);
  assertQuick(all, 3000);
  runs.set(aged.name, all);
});

Deno.test("the matrix of embedded storages", () => {
  const last = [...runs.values()].flatMap((all) => all.slice(-1));
  const times = [...runs].map(([name, all]) =>
    `${name}: ${spread(all.map(({ ms }) => ms))}`
  );
  printed([
    "Embedded storages, and the rules that they keep",
    "",
    ...matrix(last.map(({ report }) => report)),
    "",
    `The whole suite takes, of ${RUNS} runs`,
    ...times,
  ]);
});

function assertQuick(runs: readonly Run[], ms: number): void {
  const best = Math.min(...runs.map((run) => run.ms));
  assert(best < BUSY * ms, `the quickest of ${runs.length}: ${best} ms`);
}
