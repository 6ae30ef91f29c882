/**
 * A race within one process: tasks in place of processes, and a clock that counts. For engines that only one process
 * has, and for those that are broken on purpose.
 */
import { createSessionStorage, type Engine } from "@satchel/session";
import { Random } from "../../conformance/trial/random.ts";
import type { Operation } from "./_history.ts";
import {
  type Counts,
  countsOf,
  createTracks,
  findings,
  readLast,
} from "./_race.ts";
import { type Jar, type Log, type Plan, work } from "./_work.ts";

/** What is to be run. */
export interface InsideOptions {
  readonly tasks: number;
  readonly seed: number;
  readonly plan: Omit<Plan, "name" | "seed">;
}

/** Runs tasks against each other, and looks at what they saw. */
export async function raceInside(
  engine: Engine,
  { tasks, seed, plan }: InsideOptions,
): Promise<Counts & { findings: readonly string[] }> {
  const random = new Random(seed);
  // A storage for each task, as in processes of their own: within one, requests take turns.
  const open = () =>
    createSessionStorage({ engine: scattered(engine, random) });
  const storage = open();
  let time = 0;
  const clock = () => ++time;
  const ids: string[][] = Array.from({ length: plan.sessions }, () => []);
  const jar: Jar = {
    ids: (session) => ids[session] ?? [],
    add: (session, id) => void ids[session]?.push(id),
  };
  const histories = await createTracks(storage, plan.sessions, jar, clock);
  const log: Log = {
    begin: (session, begun) => (ended) =>
      void histories[session]?.push({ ...begun, ...ended }),
  };
  const world = { jar, log, clock, stopped: () => false };
  await Promise.all(
    Array.from(
      { length: tasks },
      (_, i) =>
        work(
          { ...plan, name: `p${i}`, seed: seed * tasks + i },
          { ...world, storage: open() },
        ),
    ),
  );
  const tracks: { first: string; history: Operation[] }[] = [];
  for (const [i, history] of histories.entries()) {
    history.push(...await readLast(storage, jar.ids(i), clock));
    tracks.push({ first: jar.ids(i)[0] ?? "", history });
  }
  return { ...countsOf(tracks), findings: findings(tracks, 0) };
}

/** An engine that takes its time: others get in before each answer and after it. */
function scattered(engine: Engine, random: Random): Engine {
  const around = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let turns = random.int(8); turns > 0; turns--) await undefined;
    const answer = await call();
    for (let turns = random.int(8); turns > 0; turns--) await undefined;
    return answer;
  };
  return {
    guarantees: engine.guarantees,
    read: (key) => around(() => engine.read(key)),
    write: (key, value, options) =>
      around(() => engine.write(key, value, options)),
    delete: (key, options) => around(() => engine.delete(key, options)),
  };
}
