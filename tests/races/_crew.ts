/**
 * The processes of a race, as seen from the one that starts them.
 */
import {
  clock,
  compareClocks,
  type Difference,
  shifted,
  slackOf,
} from "../../conformance/history/clock.ts";
import type { Operation } from "../../conformance/history/history.ts";
import { fileJar } from "../../conformance/history/jar.ts";
import { OtherProcess } from "../../conformance/history/talk.ts";
import { type Line, operationsOf } from "../../conformance/history/log.ts";
import type { Plan } from "../../conformance/history/work.ts";
import type { CrowdPlan, Told } from "./_crowd.ts";
import { openStorage, type Place } from "./_engines.ts";
import {
  type Counts,
  countsOf,
  createTracks,
  findings,
  portTo,
  readLast,
} from "./_race.ts";

/** What a process is sent to do. */
export interface Errand {
  readonly place: Place;
  /** A race, or many requests at once. */
  readonly plan: Plan | CrowdPlan;
  readonly seed: number;
  /** The folder of this race. */
  readonly dir: string;
  /** How far its clock is ahead, in milliseconds. @default {0} */
  readonly ahead?: number;
}

/** An order to a process. */
export type Order =
  | { readonly do: "open"; readonly errand: Errand }
  | { readonly do: "clock" | "go" | "stop" };

/** What a process answers when it has done its work. */
export interface Done {
  /** Saves that found that another was first, and tried again. */
  readonly merges: number;
  /** What the requests of a crowd were told. */
  readonly told?: Told;
}

/** What is to be run. */
export interface RaceOptions {
  readonly place: Place;
  readonly processes: number;
  readonly plan: RacePlan;
  /** How far the clock of each is ahead of the one before it, in milliseconds. @default {0} */
  readonly ahead?: number;
  /** Something to do to the processes while they run; they are told to end when it is done. */
  readonly during?: (crew: Crew) => Promise<void>;
}

/** What each process of a race does, to so many sessions. */
export type RacePlan = Omit<Plan, "name" | "sessions"> & {
  readonly sessions: number;
};

/** What came of a race. */
export interface Result extends Counts {
  /** What nothing explains. */
  readonly findings: readonly string[];
  /** Saves that found that another was first, and tried again. */
  readonly merges: number;
  /** How long the processes ran. */
  readonly seconds: number;
}

/** Runs processes against each other, and looks at what they saw. */
export async function race(options: RaceOptions): Promise<Result> {
  const { place, processes, plan, ahead = 0, during } = options;
  const dir = await Deno.makeTempDir();
  const { storage, close } = await openStorage(place);
  const jar = fileJar(dir);
  const sessions = Array.from({ length: plan.sessions }, (_, i) => i);
  const crew = new Crew((name, number) => ({
    ...{ place, dir, ahead: number * ahead },
    plan: { ...plan, name, sessions, views: true },
    seed: crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
  }));
  try {
    const port = portTo(storage);
    const tracks = await createTracks(port, plan.sessions, jar, clock);
    for (let i = 0; i < processes; i++) crew.add();
    await crew.ready();
    const start = clock();
    crew.go();
    if (during) {
      await during(crew);
      crew.stop();
    }
    const done = await crew.end();
    const seconds = (clock() - start) / 1000;
    for (const { session, operation } of crew.operations) {
      tracks[session]?.history.push(operation);
    }
    for (const [i, { history }] of tracks.entries()) {
      history.push(...await readLast(port, jar.tickets(i), clock));
    }
    const merges = done.reduce((sum, { merges }) => sum + merges, 0);
    return {
      ...countsOf(tracks),
      ...{ findings: findings(tracks, crew.slack), merges, seconds },
    };
  } finally {
    await crew.remove();
    await close();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Options of {@linkcode crowds}. */
export interface CrowdOptions {
  readonly place: Place;
  readonly processes: number;
  readonly plan: Omit<CrowdPlan, "name">;
}

/** Lets processes send many requests at once. Returns what they were told, together. */
export async function crowds(
  { place, processes, plan }: CrowdOptions,
): Promise<Told & { readonly merges: number }> {
  const crew = new Crew((name) => ({
    ...{ place, plan: { ...plan, name }, seed: 0, dir: "" },
  }));
  try {
    for (let i = 0; i < processes; i++) crew.add();
    await crew.ready();
    crew.go();
    const done = await crew.end();
    return {
      statuses: done.flatMap(({ told }) => told?.statuses ?? []),
      cookies: done.flatMap(({ told }) => told?.cookies ?? []),
      merges: done.reduce((sum, { merges }) => sum + merges, 0),
    };
  } finally {
    await crew.remove();
  }
}

interface Member {
  readonly process: OtherProcess;
  readonly errand: Errand;
  /** What it has reported. */
  readonly lines: Line[];
  difference: Difference;
  done?: Promise<Done | Error>;
}

/** Some processes. */
export class Crew {
  readonly #errand: (name: string, number: number) => Errand;
  readonly #members: Member[] = [];
  readonly #all: Member[] = [];

  constructor(errand: (name: string, number: number) => Errand) {
    this.#errand = errand;
  }

  /** What all processes did, in the times of this one. */
  get operations(): { session: number; operation: Operation }[] {
    return this.#all.flatMap(({ lines, difference: { offset } }) =>
      operationsOf(lines).map(({ session, operation }) => ({
        session,
        operation: shifted(operation, offset),
      }))
    );
  }

  /** By how much those times may be wrong beside each other. */
  get slack(): number {
    return slackOf(this.#all.map(({ difference }) => difference));
  }

  /** Starts one more, which waits to be told to go. */
  add(at: number = this.#members.length): void {
    const number = this.#all.length;
    const name = `p${number}`;
    const lines: Line[] = [];
    const process = new OtherProcess({
      name,
      module: new URL("_process.ts", import.meta.url).href,
      onReport: (line) => lines.push(line as Line),
    });
    const errand = this.#errand(name, number);
    const difference = { offset: 0, error: 0 };
    const member: Member = { process, errand, lines, difference };
    this.#members[at] = member;
    this.#all.push(member);
  }

  /** Kills one as a crash would, whatever it is at, and lets another take its place. */
  async kill(at: number): Promise<void> {
    await this.#members[at]?.process.kill();
    this.add(at);
    const member = this.#members[at];
    if (member) await open(member);
    if (member) start(member);
  }

  async ready(): Promise<void> {
    await Promise.all(this.#members.map(open));
  }

  go(): void {
    for (const member of this.#members) start(member);
  }

  stop(): void {
    for (const { process } of this.#members) process.tell({ do: "stop" });
  }

  /** Waits until all have done their work. */
  async end(): Promise<Done[]> {
    const all = await Promise.all(this.#members.map(({ done }) => done));
    return all.flatMap((done) => {
      if (done instanceof Error) throw done;
      return done ?? [];
    });
  }

  /** Ends all processes. */
  async remove(): Promise<void> {
    await Promise.all(this.#all.map(({ process }) => process.end()));
  }
}

async function open(member: Member): Promise<void> {
  const { process, errand } = member;
  await process.ask({ do: "open", errand } satisfies Order);
  member.difference = await compareClocks(
    () => process.ask({ do: "clock" } satisfies Order),
    clock,
  );
}

function start(member: Member): void {
  const done = member.process.ask({ do: "go" } satisfies Order);
  member.done = done.then((done) => done as Done, (error: Error) => error);
}
