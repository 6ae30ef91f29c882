/**
 * Races while processes are killed: workers, whatever they are at, and Redis itself, which keeps what it has
 * acknowledged.
 *
 * `deno task soak`, or with the number of minutes for each.
 */
// deno-lint-ignore-file no-console -- a command
import { Random } from "../../conformance/trial/random.ts";
import { type Crew, race } from "./_crew.ts";
import { effort } from "../_effort.ts";
import { type Engine, type Started, withEngines } from "./_engines.ts";
import { VISITS } from "../../conformance/history/work.ts";

const [minutes = "3"] = Deno.args;
const PROCESSES = 4;
/** One of each kind: files, a database in this process, servers that are killed too. */
const SOAKED = ["file", "Redis", "SQLite", "PostgreSQL"];
/** A round has fresh sessions, so that what is to be explained stays small. */
const ROUND = 15_000;
const PLAN = {
  mix: { ...VISITS, regenerate: 0.01, destroy: 0.0005 },
  sessions: 40,
  width: 3,
  commits: 1_000_000,
};

interface Sum {
  rounds: number;
  kills: number;
  restarts: number;
  commits: number;
  late: number;
  conflicts: number;
  unknown: number;
  findings: string[];
}

async function soak({ name, start }: Engine): Promise<number> {
  const engine = await start();
  const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const random = new Random(seed);
  const sum: Sum = {
    ...{ rounds: 0, kills: 0, restarts: 0, commits: 0, late: 0 },
    ...{ conflicts: 0, unknown: 0, findings: [] },
  };
  const end = performance.now() + +minutes * 60_000;
  while (performance.now() < end) {
    const { ok, late, conflict, unknown, findings } = await race({
      place: engine.place,
      processes: PROCESSES,
      plan: PLAN,
      during: (crew) => disturb(crew, engine, random, sum),
    });
    sum.rounds++;
    sum.commits += ok;
    sum.late += late;
    sum.conflicts += conflict;
    sum.unknown += unknown;
    sum.findings.push(...findings);
  }
  await engine.stop();
  const { findings, ...counts } = sum;
  console.log(name, { seed, ...counts, findings: findings.length });
  for (const finding of findings.slice(0, 5)) console.log(finding);
  return findings.length;
}

/** Kills a worker every now and then, and an engine's server sometimes. */
async function disturb(
  crew: Crew,
  { servers = [] }: Started,
  random: Random,
  sum: Sum,
): Promise<void> {
  const end = performance.now() + ROUND;
  for (let i = 1; performance.now() < end; i++) {
    await new Promise((go) => setTimeout(go, random.int(1_000)));
    if (servers.length > 0 && i % 4 === 0) {
      await random.pick(servers).restart();
      sum.restarts++;
    } else {
      await crew.kill(random.int(PROCESSES));
      sum.kills++;
    }
  }
}

const engines: Engine[] = [];
effort.thorough = true;
await withEngines((engine) => void engines.push(engine));
let found = 0;
for (const engine of engines) {
  if (SOAKED.includes(engine.name)) found += await soak(engine);
}
Deno.exit(found === 0 ? 0 : 1);
