/**
 * A race within one process: tasks in place of processes, and a clock that counts. For engines that only one process
 * has, and for those that are broken on purpose.
 */
import { createSessionStorage, type Engine } from "@satchel/session";
import { Random } from "../../conformance/trial/random.ts";
import {
  type Jar,
  type Log,
  type Ticket,
  work,
} from "../../conformance/history/work.ts";
import type { RacePlan } from "./_crew.ts";
import {
  type Counts,
  countsOf,
  createTracks,
  findings,
  isConflict,
  portTo,
  readLast,
} from "./_race.ts";

/** What is to be run. */
export interface InsideOptions {
  readonly tasks: number;
  readonly seed: number;
  readonly plan: RacePlan;
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
  const port = portTo(open());
  let time = 0;
  const clock = () => ++time;
  const tickets: Ticket[][] = Array.from({ length: plan.sessions }, () => []);
  const jar: Jar = {
    tickets: (session) => tickets[session] ?? [],
    add: (session, ticket) => void tickets[session]?.push(ticket),
  };
  const tracks = await createTracks(port, plan.sessions, jar, clock);
  const log: Log = {
    begin: (session, begun) => (ended) =>
      void tracks[session]?.history.push({ ...begun, ...ended }),
  };
  const sessions = tracks.map((_, session) => session);
  await Promise.all(
    Array.from(
      { length: tasks },
      (_, i) =>
        work({ ...plan, name: `p${i}`, sessions, views: true }, {
          port: portTo(open()),
          random: new Random(seed * tasks + i),
          rest: async () => {},
          stopped: () => false,
          ...{ jar, log, clock, isConflict },
        }),
    ),
  );
  for (const [i, { history }] of tracks.entries()) {
    history.push(...await readLast(port, jar.tickets(i), clock));
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
  const { move } = engine;
  return {
    guarantees: engine.guarantees,
    ...move
      ? { move: (...call) => around(() => move.apply(engine, call)) }
      : {},
    read: (key) => around(() => engine.read(key)),
    write: (key, value, options) =>
      around(() => engine.write(key, value, options)),
    delete: (key, options) => around(() => engine.delete(key, options)),
  };
}
