// The race contract, on every engine that compares and sets. `deno task torture` is the long form.
import { assertEquals } from "@std/assert";
import { MemoryEngine } from "../../storage/engines/memory.ts";
import { race } from "./_crew.ts";
import { withEngines } from "./_engines.ts";
import { raceInside } from "./_inside.ts";
import { HAMMER, VISITS } from "./_work.ts";

const PROCESSES = 4;
const COMMITS = 60;
const hammer = { mix: HAMMER, sessions: 1, width: 1, commits: COMMITS };
const visits = { mix: VISITS, sessions: 12, width: 1, commits: 20 };

await withEngines(({ name, start }) => {
  Deno.test(`save() loses no commit and brings no session back, when four processes race on ${name}`, async () => {
    const { place, stop } = await start();
    try {
      const one = await race({ place, processes: PROCESSES, plan: hammer });
      assertEquals(one.findings, []);
      assertEquals(one.unknown, 0);
      // The first commit made the session.
      assertEquals(one.ok, 1 + PROCESSES * COMMITS);
      assertEquals(one.late, 0);

      const all = await race({ place, processes: PROCESSES, plan: visits });
      assertEquals(all.findings, []);
      assertEquals(all.unknown, 0);
    } finally {
      await stop();
    }
  });
});

Deno.test("save() loses no commit and brings no session back, when 16 tasks race in memory", async () => {
  for (const plan of [{ ...hammer, commits: 150 }, visits]) {
    const engine = new MemoryEngine(1_000, Date.now, () => {});
    const options = { tasks: 16, seed: 7, plan };
    const { findings, unknown } = await raceInside(engine, options);
    assertEquals(findings, []);
    assertEquals(unknown, 0);
  }
});
