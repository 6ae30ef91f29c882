/**
 * The processes of a race, as seen from the one that starts them.
 */
import { openStorage, type Place } from "./_engines.ts";
import type { CrowdPlan, Told } from "./_crowd.ts";
import type { Operation } from "./_history.ts";
import {
  clock,
  type Counts,
  countsOf,
  createTracks,
  findings,
  readLast,
  type Track,
} from "./_race.ts";
import type { Begun, Ended, Jar, Log, Plan } from "./_work.ts";

/** What a process is sent to do. */
export interface Errand {
  readonly place: Place;
  /** A race, or many requests at once. */
  readonly plan: Plan | CrowdPlan;
  /** The folder of this race. */
  readonly dir: string;
}

/** What is to be run. */
export interface RaceOptions {
  readonly place: Place;
  readonly processes: number;
  readonly plan: Omit<Plan, "name" | "seed">;
  /** Something to do to the processes while they run; they are told to end when it is done. */
  readonly during?: (crew: Crew) => Promise<void>;
}

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
  const { place, plan } = options;
  const dir = await Deno.makeTempDir();
  const { storage, close } = await openStorage(place);
  try {
    const jar = fileJar(dir);
    const tracks = await createTracks(storage, plan.sessions, jar, clock);
    const { merges, seconds, names } = await run(options, dir);
    for (const name of names) readLog(dir, name, tracks);
    const all: Track[] = [];
    for (const [i, history] of tracks.entries()) {
      const ids = jar.ids(i);
      history.push(...await readLast(storage, ids, clock));
      all.push({ first: ids[0] ?? "", history });
    }
    return { ...countsOf(all), findings: findings(all), merges, seconds };
  } finally {
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
  const dir = await Deno.makeTempDir();
  try {
    const crew = new Crew((name) => ({ place, plan: { ...plan, name }, dir }));
    for (let i = 0; i < processes; i++) crew.add();
    await crew.ready();
    await crew.go();
    const merges = await crew.end();
    const all = crew.names.map((name): Told =>
      JSON.parse(Deno.readTextFileSync(logOf(dir, name)))
    );
    return {
      statuses: all.flatMap(({ statuses }) => statuses),
      cookies: all.flatMap(({ cookies }) => cookies),
      merges,
    };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function run(
  { place, processes, plan, during }: RaceOptions,
  dir: string,
): Promise<{ merges: number; seconds: number; names: readonly string[] }> {
  const crew = new Crew((name) => ({
    place,
    plan: {
      ...plan,
      name,
      seed: crypto.getRandomValues(new Uint32Array(1))[0] ?? 0,
    },
    dir,
  }));
  for (let i = 0; i < processes; i++) await crew.add();
  await crew.ready();
  const start = clock();
  await crew.go();
  if (during) {
    await during(crew);
    await crew.stop();
  }
  const merges = await crew.end();
  return { merges, seconds: (clock() - start) / 1000, names: crew.names };
}

/** Some processes. */
export class Crew {
  readonly names: string[] = [];
  readonly #errand: (name: string) => Errand;
  readonly #members: Member[] = [];

  constructor(errand: (name: string) => Errand) {
    this.#errand = errand;
  }

  /** Starts one more, which waits to be told to go. */
  add(at: number = this.#members.length): void {
    const name = `p${this.names.length}`;
    this.names.push(name);
    this.#members[at] = new Member(this.#errand(name));
  }

  /** Kills one as a crash would, whatever it is at, and lets another take its place. */
  async kill(at: number): Promise<void> {
    await this.#members[at]?.kill();
    this.add(at);
    await this.#members[at]?.ready();
    await this.#members[at]?.go();
  }

  async ready(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.ready()));
  }

  async go(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.go()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()));
  }

  /** Waits until all have ended, and gives how often they merged. */
  async end(): Promise<number> {
    const merges = await Promise.all(this.#members.map((each) => each.end()));
    return merges.reduce((sum, each) => sum + each, 0);
  }
}

class Member {
  readonly #child: Deno.ChildProcess;
  readonly #says: ReadableStreamDefaultReader<string>;
  readonly #told: WritableStreamDefaultWriter<Uint8Array>;

  constructor(errand: Errand) {
    const script = new URL("_process.ts", import.meta.url).href;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", script, JSON.stringify(errand)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#says = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    this.#told = this.#child.stdin.getWriter();
  }

  async ready(): Promise<void> {
    const { value } = await this.#says.read();
    if (value !== "ready\n") throw new Error("A process did not start");
  }

  async go(): Promise<void> {
    await this.#told.write(new TextEncoder().encode("go\n"));
  }

  async stop(): Promise<void> {
    // One that has ended by itself hears of it no more.
    await this.#told.close().catch(() => {});
  }

  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It was done already.
    }
    await this.#said();
    await this.stop();
    await this.#child.status;
  }

  async end(): Promise<number> {
    const said = await this.#said();
    await this.stop();
    const { success } = await this.#child.status;
    if (!success) throw new Error("A process failed");
    return Number(said);
  }

  async #said(): Promise<string> {
    let said = "";
    while (true) {
      const { done, value } = await this.#says.read();
      if (done) return said;
      said += value;
    }
  }
}

/** The ids of sessions in a folder that all processes share; a line is added by one call, whole or not at all. */
export function fileJar(dir: string): Jar {
  const file = (session: number) => `${dir}/session-${session}`;
  return {
    ids: (session) =>
      Deno.readTextFileSync(file(session)).split("\n").slice(0, -1),
    add(session, id) {
      Deno.writeTextFileSync(file(session), `${id}\n`, { append: true });
    },
  };
}

/** A line when an operation begins, and one when it is over: what a killed process was at has only the first. */
export function fileLog(dir: string, name: string): Log {
  const file = Deno.openSync(logOf(dir, name), { create: true, append: true });
  const encoder = new TextEncoder();
  let count = 0;
  const note = (line: unknown) => {
    file.writeSync(encoder.encode(`${JSON.stringify(line)}\n`));
  };
  return {
    begin(session, begun) {
      const number = count++;
      note({ number, session, begun });
      return (ended) => note({ number, ended });
    },
  };
}

interface Line {
  readonly number: number;
  readonly session: number;
  readonly begun?: Begun;
  readonly ended?: Ended;
}

function readLog(dir: string, name: string, tracks: Operation[][]): void {
  const begun = new Map<number, { session: number; begun: Begun }>();
  // What stands after the last line's end is half a line.
  const lines = Deno.readTextFileSync(logOf(dir, name)).split("\n").slice(
    0,
    -1,
  );
  const add = (number: number, ended: Ended) => {
    const found = begun.get(number);
    if (found) tracks[found.session]?.push({ ...found.begun, ...ended });
    begun.delete(number);
  };
  for (const text of lines) {
    const line: Line = JSON.parse(text);
    if (line.begun) begun.set(line.number, { ...line, begun: line.begun });
    // JSON has no Infinity.
    else if (line.ended) {
      add(line.number, { ...line.ended, end: line.ended.end ?? Infinity });
    }
  }
  for (const number of [...begun.keys()]) {
    add(number, { end: Infinity, outcome: "unknown" });
  }
}

/** The file of what a process has seen. */
export function logOf(dir: string, name: string): string {
  return `${dir}/log-${name}`;
}
