// What a race must find, and that it finds nothing where there is nothing: in one process, by seeds.
import type { Engine } from "@satchel/session";
import { assertEquals, assertGreater, assertMatch } from "@std/assert";
import { Random } from "../../conformance/trial/random.ts";
import {
  type AsynchronousMemoryEngine,
  memoryEngine,
} from "../engines/_memory.ts";
import { rowName } from "../_row.ts";
import { race } from "./_crew.ts";
import { inFolder } from "./_engines.ts";
import { FLAWS } from "./_flaws.ts";
import { type InsideOptions, raceInside } from "./_inside.ts";
import { HAMMER, VISITS } from "../../conformance/history/work.ts";

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

const visits: Omit<InsideOptions, "seed"> = {
  tasks: 4,
  plan: { mix: VISITS, sessions: 5, width: 1, commits: 15 },
};

/** More logins and logouts than anybody has: what goes wrong between the two is rare. */
const restless: Omit<InsideOptions, "seed"> = {
  tasks: 4,
  plan: { ...visits.plan, mix: { ...VISITS, regenerate: 0.2, destroy: 0.1 } },
};

/** An engine whose every thirtieth change fails, once there are sessions: not done, or done and not told. */
function failing(engine: Engine, random: Random): Engine {
  let changes = 0;
  const perhaps = async <T>(change: () => Promise<T>): Promise<T> => {
    const dice = ++changes > visits.plan.sessions ? random.int(60) : 60;
    if (dice === 0) throw new Error("not done");
    const answer = await change();
    if (dice === 1) throw new Error("not told");
    return answer;
  };
  return {
    guarantees: engine.guarantees,
    read: (key) => engine.read(key),
    write: (key, value, options) =>
      perhaps(() => engine.write(key, value, options)),
    delete: (key, options) => perhaps(() => engine.delete(key, options)),
  };
}

function memory(): AsynchronousMemoryEngine {
  return memoryEngine(1_000, Date.now, () => {});
}

Deno.test("raceInside() finds nothing, when the engine is sound", async () => {
  for (const seed of SEEDS) {
    const result = await raceInside(memory(), { ...visits, seed });
    assertEquals(result.findings, [], rowName(seed));
    assertEquals(result.unknown, 0, rowName(seed));
    assertGreater(result.ok, 20, rowName(seed));
    const { findings } = await raceInside(memory(), { ...restless, seed });
    assertEquals(findings, [], rowName(seed));
  }
});

Deno.test("raceInside() finds nothing half-done, when a sound engine fails before and after what it does", async () => {
  let unknown = 0;
  for (const seed of SEEDS.slice(0, 5)) {
    const engine = failing(memory(), new Random(seed));
    const result = await raceInside(engine, { ...visits, seed });
    assertEquals(result.findings, [], rowName(seed));
    unknown += result.unknown;
  }
  assertGreater(unknown, 20);
});

for (const [name, flaw] of Object.entries(FLAWS)) {
  Deno.test(`raceInside() finds it, when ${name}`, async () => {
    for (const seed of SEEDS) {
      for (const options of [visits, restless]) {
        const engine = flaw(memory());
        const { findings } = await raceInside(engine, { ...options, seed });
        if (findings.length > 0) return;
      }
    }
    throw new Error("Nothing was found with any seed");
  });
}

Deno.test("raceInside() counts what is missing by hand too, when updates are lost", async () => {
  const flaw = FLAWS["write() ignores the version"];
  const plan = { mix: HAMMER, sessions: 1, width: 1, commits: 10 };
  const engine = flaw?.(memory()) ?? memory();
  const { findings } = await raceInside(engine, { tasks: 4, seed: 1, plan });
  assertMatch(findings[0] ?? "", /^no order explains /);
  assertMatch(findings.at(-1) ?? "", /^p\d.* instead of /);
});

Deno.test("race() finds nothing where the clocks of processes differ", async () => {
  const { place, stop } = await inFolder("file", "sessions");
  try {
    const plan = { mix: HAMMER, sessions: 1, width: 1, commits: 20 };
    const options = { place, plan, processes: 3, ahead: 1000 };
    assertEquals((await race(options)).findings, []);
  } finally {
    await stop();
  }
});

Deno.test("race() finds it, when processes share an engine that ignores versions", async () => {
  const { place, stop } = await inFolder("broken file", "sessions");
  try {
    const plan = { mix: HAMMER, sessions: 1, width: 1, commits: 100 };
    const { findings } = await race({ place, processes: 4, plan });
    assertMatch(findings[0] ?? "", /^no order explains /);
  } finally {
    await stop();
  }
});
