// The race contract, on every engine that compares and sets. `deno task torture` races for minutes.
import { assertEquals } from "@std/assert";
import { memoryEngine } from "../engines/_memory.ts";
import { effort } from "../_effort.ts";
import { race } from "./_crew.ts";
import { type EngineName, withEngines } from "./_engines.ts";
import { raceInside } from "./_inside.ts";
import { HAMMER, VISITS } from "../../conformance/history/work.ts";

const PROCESSES = effort.thorough ? 4 : 2;
const COMMITS = effort.long ? 200 : effort.thorough ? 100 : 60;
const hammer = { mix: HAMMER, sessions: 1, width: 1, commits: COMMITS };
const visits = {
  mix: VISITS,
  sessions: effort.long ? 40 : effort.thorough ? 20 : 12,
  width: 1,
  commits: 20,
};

/** They are slow at many writes of one row, each of which is on the disk before it is answered. */
const SLOW: readonly EngineName[] = ["PostgreSQL", "MariaDB"];

await withEngines(({ name, start }) => {
  const slow = SLOW.includes(name) ? 5 : 1;
  const commits = COMMITS / slow;
  Deno.test(`save() loses no commit and brings no session back, when ${PROCESSES} processes race on ${name}`, async () => {
    const { place, stop } = await start();
    try {
      const one = await race({
        ...{ place, processes: PROCESSES },
        plan: { ...hammer, commits },
      });
      assertEquals(one.findings, [], "one session: findings");
      assertEquals(one.unknown, 0, "one session: failed saves");
      // The first commit made the session.
      assertEquals(one.ok, 1 + PROCESSES * commits, "one session: commits");
      assertEquals(one.late, 0, "one session: late saves");

      const all = await race({
        place,
        processes: PROCESSES,
        plan: {
          ...visits,
          commits: visits.commits / slow,
        },
      });
      assertEquals(all.findings, [], "visits: findings");
      assertEquals(all.unknown, 0, "visits: failed saves");
    } finally {
      await stop();
    }
  });
});

Deno.test("save() loses no commit and brings no session back, when 16 tasks race in memory", async () => {
  const plans = { hammer: { ...hammer, commits: 150 }, visits };
  for (const [name, plan] of Object.entries(plans)) {
    const engine = memoryEngine(1_000, Date.now, () => {});
    const options = { tasks: 16, seed: 7, plan };
    const { findings, unknown } = await raceInside(engine, options);
    assertEquals(findings, [], name);
    assertEquals(unknown, 0, name);
  }
});
