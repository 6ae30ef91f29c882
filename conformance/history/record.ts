/**
 * Records the histories of sessions that several processes work on.
 *
 * @module
 */
import { claimsOf } from "../capabilities.ts";
import { portOf } from "../trial/port.ts";
import { Random } from "../trial/random.ts";
import type { Opened, Target } from "../types.ts";
import { clock, shifted, slackOf } from "./clock.ts";
import { Crew } from "./crew.ts";
import { fileJar } from "./jar.ts";
import type { Model } from "./history.ts";
import { planKills } from "./kill.ts";
import { LAST, type Logged, type Track } from "./anomaly.ts";
import { WorkerError } from "./talk.ts";
import { create, operationsOf } from "./log.ts";
import { type Errand, openShared } from "./worker.ts";
import { keysOf, look, MARK } from "./values.ts";
import { type Jar, type Mix, type Plan, VISITS, wordsOf } from "./work.ts";

/** Sessions of a round that all processes work on. */
const SESSIONS = 6;
/** How many saves of a session each process is answered. */
const COMMITS = 6;
/** How often a session is read that cannot be read, when all others have ended. */
const TRIES = 3;
/** How long to wait until a process looks again for a session that it does not see, in milliseconds. */
const PAUSE = 100;

/** What is to be recorded. */
export interface HistoryPlan {
  readonly module: string;
  readonly seed: number;
  readonly processes: number;
  readonly rounds: number;
  readonly kill: boolean;
  /** In seconds. */
  readonly deadline: number;
  readonly execArgv: readonly string[] | undefined;
}

/** What was recorded. */
export interface Histories {
  readonly tracks: readonly Track[];
  readonly model: Model;
  /** Whether processes were to be killed, and the names of those that were. */
  readonly kill: boolean;
  readonly killed: ReadonlySet<string>;
  readonly rounds: { readonly ran: number; readonly of: number };
  readonly notes: readonly string[];
  /** How long a read took, in milliseconds. */
  readonly latencyMs: number;
  /** Why there is nothing to judge. */
  readonly failure?: {
    readonly outcome: "error" | "not-run";
    readonly reason: string;
  };
}

/** The target is wrong, or cannot be reached by several processes. */
class TargetError extends Error {
  override readonly name = "TargetError";
}

/** Lets processes work on a target, and reads everything in the end. */
export async function record(
  target: Target,
  plan: HistoryPlan,
  folders: Pick<Errand, "directory" | "cookies">,
): Promise<Histories> {
  const recorder = new Recorder(target, plan, folders);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new WorkerError(recorder.lateness)),
      plan.deadline * 1000,
    );
  });
  try {
    await Promise.race([recorder.run(), late]);
    return recorder.histories();
  } catch (error) {
    const reason = error instanceof WorkerError || error instanceof TargetError
      ? error.message
      : `the target failed: ${wordsOf(error)}`;
    return { ...recorder.histories(), failure: { outcome: "error", reason } };
  } finally {
    clearTimeout(timer);
    await recorder.end();
  }
}

class Recorder {
  readonly #target: Target;
  readonly #plan: HistoryPlan;
  readonly #errand: Omit<Errand, "plan" | "seed">;
  readonly #jar: Jar;
  readonly #crew: Crew;
  readonly #random: Random;
  readonly #opened: Opened[] = [];
  readonly #sessions: number[] = [];
  readonly #reads: { session: number; operation: Logged }[] = [];
  readonly #started = performance.now();
  #ran = 0;
  #doing = "opening the target";

  constructor(
    target: Target,
    plan: HistoryPlan,
    folders: Pick<Errand, "directory" | "cookies">,
  ) {
    this.#target = target;
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    this.#jar = fileJar(folders.cookies);
    const { processes, rounds, kill } = plan;
    // In each round, all are killed, and others take their place.
    const count = processes * (kill ? 1 + rounds : 1);
    const names = Array.from({ length: count }, (_, i) => `p${i}`);
    this.#errand = {
      ...folders,
      module: plan.module,
      target: target.name,
      namespace: `history-${plan.seed}-${Date.now()}`,
      names,
    };
    const seeds = names.map(() => this.#random.int(2 ** 31));
    this.#crew = new Crew({
      ...{ names, clock, execArgv: plan.execArgv },
      errand: (name) => ({
        ...this.#errand,
        seed: seeds[names.indexOf(name)] ?? 0,
        plan: { name, ...planOf(target) },
      }),
      greet: (see) => this.#greet(see),
    });
  }

  /** What took too long. */
  get lateness(): string {
    return `${this.#doing} took more than ${this.#plan.deadline} s in all; raise the deadline if the storage is slow`;
  }

  async run(): Promise<void> {
    const { processes, rounds, deadline } = this.#plan;
    await this.#open();
    const port = portOf(this.#opened[0]?.storage);
    // The session that every process must see before it begins.
    await create(0, { port, jar: this.#jar, log: NO_LOG, clock }, "first");
    this.#doing = "starting processes";
    await this.#crew.start(processes);
    this.#doing = "the work of the processes";
    // A process that is busy ends its work well before the run is late.
    let isStopped = false;
    const timer = setTimeout(() => {
      isStopped = true;
      this.#crew.stop();
    }, deadline * 750);
    try {
      for (let round = 0; round < rounds; round++) {
        if (performance.now() - this.#started > deadline * 500) break;
        await this.#round(round);
        if (!isStopped) this.#ran++;
      }
    } finally {
      clearTimeout(timer);
    }
    this.#doing = "closing the storages";
    await this.#crew.close();
    this.#doing = "reading all sessions";
    await this.#readAll();
  }

  async #round(round: number): Promise<void> {
    const { processes, kill } = this.#plan;
    const size = SESSIONS + (kill ? processes : 0);
    const sessions = Array.from(
      { length: size },
      (_, i) => 1 + round * size + i,
    );
    this.#sessions.push(...sessions);
    const shared = sessions.slice(0, SESSIONS);
    const own = sessions.slice(SESSIONS);
    const spared = COMMITS / 2;
    const kills = planKills(this.#random, { own, shared, spared, round });
    await this.#crew.create(sessions);
    await this.#crew.work((seat) => ({
      own: own.slice(seat, seat + 1),
      ...{ shared, kill: kills[seat] },
    }));
  }

  histories(): Histories {
    const { kill, rounds } = this.#plan;
    const reported = this.#crew.reported();
    const tracks = new Map<number, { created?: Logged; history: Logged[] }>(
      this.#sessions.map((session) => [session, { history: [] }]),
    );
    const logged = [
      ...reported.flatMap(({ lines, offset }) =>
        operationsOf(lines).map(({ session, operation }) => ({
          session,
          operation: shifted(operation, offset),
        }))
      ),
      ...this.#reads,
    ];
    for (const { session, operation } of logged) {
      const track = tracks.get(session);
      if (operation.sets?.[MARK] === undefined) track?.history.push(operation);
      else if (track) track.created = operation;
    }
    const claims = claimsOf(this.#target);
    const all = logged.map(({ operation }) => operation);
    const failure = this.#failure(all);
    return {
      tracks: [...tracks].flatMap(([session, { created, history }]) =>
        created ? [{ session, created, history }] : []
      ),
      model: {
        merge: claims.includes("merge"),
        follow: false,
        slack: slackOf(reported),
      },
      kill,
      killed: new Set(
        reported.filter(({ killed }) => killed).map(({ name }) => name),
      ),
      rounds: { ran: this.#ran, of: rounds },
      notes: this.#notes(all, reported.filter(({ killed }) => killed).length),
      latencyMs: median(
        all.filter(({ kind, end }) => kind === "read" && end < Infinity)
          .map(({ start, end }) => end - start),
      ),
      ...failure ? { failure } : {},
    };
  }

  async end(): Promise<void> {
    await this.#crew.end();
    // The run is over; what a target's own `close` says to that is no result.
    for (const opened of this.#opened) {
      await Promise.race([
        (async () => await opened.close?.())().catch(() => {}),
        new Promise((done) => setTimeout(done, 1000)),
      ]);
    }
  }

  async #open(): Promise<void> {
    const opened = await openShared(this.#target, this.#errand);
    this.#opened.push(opened);
  }

  /** Waits until a process sees the first session. */
  async #greet(
    see: (ticket: { id: string; cookie: string }) => Promise<boolean>,
  ): Promise<void> {
    const [ticket] = this.#jar.tickets(0);
    const patience = this.#plan.deadline * 250;
    const start = performance.now();
    while (ticket && !await see(ticket)) {
      if (performance.now() - start > patience) {
        throw new TargetError(
          "another process does not see a session that this one saved: open() has to reach the same engine from every process; use the directory that it receives for files, or do not claim shared",
        );
      }
      await new Promise((done) => setTimeout(done, PAUSE));
    }
  }

  /** Reads every session under every id that it had, by a storage that has seen none of them. */
  async #readAll(): Promise<void> {
    await this.#open();
    const port = portOf(this.#opened.at(-1)?.storage);
    const keys = keysOf(this.#errand.names);
    for (const session of this.#sessions) {
      for (const { id, cookie } of this.#jar.tickets(session)) {
        const begun = { process: LAST, kind: "read", id } as const;
        let operation: Logged | undefined;
        for (let i = 0; i < TRIES && operation?.saw === undefined; i++) {
          const start = clock();
          try {
            const saw = look(await port.read(cookie), keys);
            const end = clock();
            operation = Object.keys(saw).length > 0
              ? { ...begun, start, end, outcome: "ok", saw }
              : { ...begun, start, end, outcome: "gone" };
            if (operation.outcome === "gone") break;
          } catch (error) {
            operation = {
              ...{ ...begun, start, end: Infinity, outcome: "unknown" },
              error: this.#masked(session, wordsOf(error)),
            };
          }
        }
        if (operation) this.#reads.push({ session, operation });
      }
    }
  }

  /** An error without the ids and cookies of its session. */
  #masked(session: number, text: string): string {
    return this.#jar.tickets(session).flatMap(({ id, cookie }) => [cookie, id])
      .reduce((text, secret) => text.replaceAll(secret, "…"), text);
  }

  #failure(all: readonly Logged[]): Histories["failure"] | undefined {
    const isAnswered = all.some(({ kind, outcome, sets }) =>
      kind === "commit" && sets?.[MARK] === undefined &&
      (outcome === "ok" || outcome === "answered")
    );
    const first = all.find(({ error }) => error !== undefined)?.error;
    if (!isAnswered && first !== undefined) {
      const reason = `no save of a process was answered: ${first}`;
      return { outcome: "error", reason };
    }
    if (this.#ran > 0) return undefined;
    const { deadline } = this.#plan;
    return {
      outcome: "not-run",
      reason: `no round ended in time; raise the deadline, ${deadline} s`,
    };
  }

  #notes(all: readonly Logged[], killed: number): string[] {
    const failed = all.filter(({ error }) => error !== undefined);
    const first = failed[0]?.error;
    return [
      `${this.#plan.processes} processes, killed ${killed} times, ${all.length} operations on ${this.#sessions.length} sessions`,
      ...first === undefined
        ? []
        : [`${failed.length} operations failed; the first: ${first}`],
    ];
  }
}

const NO_LOG = { begin: () => () => {} };

/** What the processes do, by what the target claims. */
function planOf(target: Target): Omit<Plan, "name" | "sessions" | "keys"> {
  const claims = claimsOf(target);
  const merge = claims.includes("merge");
  const revoke = claims.includes("revoke");
  const mix: Mix = {
    ...VISITS,
    ...{ flash: 0, take: 0 },
    // Every session may end, but not before others have worked on it.
    destroy: revoke ? 2 * VISITS.destroy : 0,
    // Two new ids at once are one only where saves are compared.
    regenerate: revoke && merge ? VISITS.regenerate : 0,
    stale: revoke ? VISITS.stale : 0,
  };
  return { mix, width: 1, commits: COMMITS, whole: !merge };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}
