/**
 * Requests that run side by side, in every order of their calls to engines, while calls fail.
 *
 * A schedule decides which request goes on next, and whether its call fails. A plan holds only what differs from the
 * usual: a request goes on as long as it can, and no call fails. So the shortest plan is the simplest one to read, and a
 * plan that was drawn at random can be run again.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Engine } from "../../storage/contract.ts";
import { EngineError } from "./_fake_engine.ts";

/**
 * How a call ends, if not with its answer:
 *
 * - `fails`: without an effect
 * - `answer lost`: it takes effect, and then fails
 * - `times out`: it fails, and takes effect later
 */
export type Fault = "fails" | "answer lost" | "times out";

/** Where a schedule differs from the usual: another request goes on, or the call of the one that does fails. */
export interface Deviation {
  /** The number of the step. */
  readonly at: number;
  /** Which of the requests that wait goes on; 0 is the one that went last, if it can. */
  readonly to: number;
  readonly fault?: Fault | undefined;
}

/** Deviations, in the order of their steps. */
export type Plan = readonly Deviation[];

/** A step that was taken. */
export interface Step {
  readonly who: number;
  readonly what: string;
  readonly fault: Fault | undefined;
  /** How many requests could have gone on. */
  readonly ready: number;
  /** How the call of each of them, in order, could have failed. */
  readonly faults: readonly (readonly Fault[])[];
}

/** A call, or another point of a request, that waits for its turn. */
interface Waiting {
  readonly what: string;
  readonly faults: readonly Fault[];
  go(fault: Fault | undefined): void;
}

/**
 * Decides a step. `ready` has the requests that wait, the one that went last first, and how their calls can fail;
 * `waiting` says for what they wait.
 */
export type Decide = (
  at: number,
  ready: readonly (readonly Fault[])[],
  waiting: readonly { readonly who: number; readonly what: string }[],
) => { to: number; fault?: Fault | undefined };

/** Options of a {@linkcode Schedule}. */
export interface ScheduleOptions {
  /**
   * Whether a call has a second step: its answer. A request does nothing between an answer and its next call that
   * others see, unless they share a process, so orders of calls are usually enough.
   */
  readonly answers?: boolean;
  /** Which faults there are. */
  readonly faults?: readonly Fault[];
}

const VERBS = ["read", "write", "delete", "touch", "owned", "move"] as const;

/** After so many turns of the microtask queue without a new step, each request waits. */
const SETTLED = 60;

/** The most lines of a report. */
const LONGEST_REPORT = 60;

/** Which request goes on, and whose call fails. */
export class Schedule {
  readonly steps: Step[] = [];
  readonly #decide: Decide;
  readonly #options: ScheduleOptions;
  /** For each request, the points that wait for their turn. */
  readonly #waiting: Waiting[][] = [];
  readonly #who = new AsyncLocalStorage<number>();
  readonly #keys = new Map<string, string>();
  /** The last request, which continues unless the plan says otherwise. */
  #last = 0;
  #requests = 0;
  #running = 0;
  #arrivals = 0;

  constructor(decide: Plan | Decide, options: ScheduleOptions = {}) {
    this.#decide = typeof decide === "function" ? decide : follow(decide);
    this.#options = options;
  }

  /** The engine as requests see it: each call waits for its turn. */
  engine(engine: Engine): Engine {
    const scheduled: Record<string, unknown> = {
      guarantees: { ...engine.guarantees, evicts: "nothing" },
    };
    const functions = engine as unknown as Record<string, unknown>;
    for (const verb of VERBS) {
      const call = functions[verb];
      if (typeof call !== "function") continue;
      scheduled[verb] = (key: string, ...rest: unknown[]) =>
        this.#call(verb, key, () => call.call(engine, key, ...rest));
    }
    return scheduled as unknown as Engine;
  }

  /** Names a key in the report. */
  name(key: string, name: string): void {
    this.#keys.set(key, name);
  }

  /** Waits for this request's turn. */
  async turn(what: string): Promise<void> {
    await this.#turn(what, []);
  }

  /**
   * Runs requests until all have ended, and all calls that timed out have taken effect.
   *
   * @throws {Error} If a request rejects, or waits for nothing that could come.
   */
  async run<T>(requests: readonly (() => Promise<T>)[]): Promise<T[]> {
    this.#requests = this.#running = requests.length;
    const timers = takeTimers((wait) => this.turn(wait));
    try {
      const results = requests.map((request, who) =>
        this.#who.run(who, async () => {
          try {
            return await request();
          } finally {
            this.#running--;
          }
        })
      );
      // A rejection is thrown below, when all have ended.
      for (const result of results) result.catch(() => {});
      while (await this.#settled()) this.#next();
      return await Promise.all(results);
    } finally {
      timers.restore();
    }
  }

  async #call(
    verb: string,
    key: string,
    effect: () => Promise<unknown>,
  ): Promise<unknown> {
    const what = `${verb} ${this.#nameOf(key)}`;
    const reads = verb === "read" || verb === "owned";
    const faults = (this.#options.faults ?? []).filter((fault) =>
      !reads || fault === "fails"
    );
    const fault = await this.#turn(what, faults);
    if (fault === "fails") throw new EngineError("out of order");
    if (fault === "times out") {
      // Its effect is a step of nobody's.
      const late = this.#requests++;
      this.#who.run(late, () => this.turn(`${what}, late`)).then(effect);
      throw new EngineError("no answer");
    }
    const answer = await effect();
    if (fault === "answer lost") throw new EngineError("connection lost");
    if (this.#options.answers) await this.turn(`answer to ${what}`);
    return answer;
  }

  #turn(what: string, faults: readonly Fault[]): Promise<Fault | undefined> {
    const who = this.#who.getStore() ?? 0;
    this.#arrivals++;
    return new Promise((go) => {
      (this.#waiting[who] ??= []).push({ what, faults, go });
    });
  }

  /** Waits until all requests wait or have ended; `false` if there is nothing left to do. */
  async #settled(): Promise<boolean> {
    let seen = this.#arrivals;
    for (let turn = 0; turn < SETTLED; turn++) {
      await null;
      if (seen !== this.#arrivals) turn = 0;
      seen = this.#arrivals;
    }
    if (this.#waiting.some((points) => points.length > 0)) return true;
    if (this.#running === 0) return false;
    throw new Error(`a request waits for ever\n${this.report()}`);
  }

  #next(): void {
    const ready = [...this.#waiting.keys()]
      .filter((who) => (this.#waiting[who]?.length ?? 0) > 0)
      .sort((a, b) => Number(b === this.#last) - Number(a === this.#last));
    const faults = ready.map((who) => this.#waiting[who]?.[0]?.faults ?? []);
    const waiting = ready.map((who) => ({
      who,
      what: this.#waiting[who]?.[0]?.what ?? "",
    }));
    const decided = this.#decide(this.steps.length, faults, waiting);
    const to = Math.min(decided.to, ready.length - 1);
    const who = ready[to] ?? 0;
    const point = this.#waiting[who]?.shift();
    if (!point) return;
    const fault = decided.fault && point.faults.includes(decided.fault)
      ? decided.fault
      : undefined;
    const { what } = point;
    this.steps.push({ who, what, fault, ready: ready.length, faults });
    this.#last = who;
    point.go(fault);
  }

  /** The steps that were taken, one a line. Of very many, the middle is left out. */
  report(): string {
    const lines = this.steps.map(({ who, what, fault }) =>
      `  ${letter(who)}: ${what}${fault ? `: ${fault.toUpperCase()}` : ""}`
    );
    const more = lines.length - LONGEST_REPORT;
    if (more > 0) {
      lines.splice(LONGEST_REPORT - 10, more, `  … ${more} more steps`);
    }
    return lines.join("\n");
  }

  #nameOf(key: string): string {
    const known = this.#keys.get(key) ?? `key ${this.#keys.size + 1}`;
    this.#keys.set(key, known);
    return known;
  }
}

/** A request's name in scripts and reports. */
export function letter(who: number): string {
  return String.fromCharCode(65 + who);
}

/** Decides by a plan. */
export function follow(plan: Plan): Decide {
  const at = new Map(plan.map((deviation) => [deviation.at, deviation]));
  return (step) => at.get(step) ?? { to: 0 };
}

/** Decides as `steps` went, leaving out requests that do not wait. */
export function repeats(steps: readonly Step[]): Decide {
  const left = [...steps];
  return (_at, _ready, waiting) => {
    for (let step = left.shift(); step; step = left.shift()) {
      const to = waiting.findIndex(({ who }) => who === step.who);
      if (to >= 0) return { to, fault: step.fault };
    }
    return { to: 0 };
  };
}

/** Decides as `decide` does, and notes where that differs from the usual. */
export function recorded(decide: Decide, plan: Deviation[]): Decide {
  return (at, ready, waiting) => {
    const decided = decide(at, ready, waiting);
    const to = Math.min(decided.to, ready.length - 1);
    const fault = ready[to]?.find((fault) => fault === decided.fault);
    if (to > 0 || fault) plan.push({ at, to, fault });
    return { to, fault };
  };
}

/** Makes a short delay a step, and a long one, the limit of a call, endless. */
function takeTimers(wait: (what: string) => Promise<void>): {
  restore(): void;
} {
  const { setTimeout } = globalThis;
  const never = { ref() {}, unref() {} };
  globalThis.setTimeout = ((wake: () => void, ms = 0) => {
    if (ms < 1000) void wait("delay").then(wake);
    return never;
  }) as unknown as typeof setTimeout;
  return {
    restore() {
      globalThis.setTimeout = setTimeout;
    },
  };
}

/** What {@linkcode everyOrder} tries. */
export interface Bounds extends ScheduleOptions {
  /**
   * How often one request may get ahead of another that could have gone on. Orders with few are enough to find nearly
   * every race, and far less than all.
   */
  readonly switches?: number;
  /** How many calls may fail. */
  readonly failures?: number;
}

/** Runs what `once` makes of a schedule until every order within the bounds has been tried; returns their number. */
export async function everyOrder(
  once: (schedule: Schedule, plan: Plan) => Promise<void>,
  bounds: Bounds = {},
): Promise<number> {
  const { switches = Infinity, failures = 0 } = bounds;
  let count = 0;
  const plans: Plan[] = [[]];
  for (let plan = plans.pop(); plan; plan = plans.pop()) {
    const schedule = new Schedule(plan, bounds);
    await once(schedule, plan);
    count++;
    const switched = plan.filter(({ to }) => to > 0).length;
    const failed = plan.filter(({ fault }) => fault).length;
    const from = (plan.at(-1)?.at ?? -1) + 1;
    for (let at = from; at < schedule.steps.length; at++) {
      const { ready = 0, faults = [] } = schedule.steps[at] ?? {};
      for (let to = 0; to < ready; to++) {
        if (to > 0 && switched >= switches) break;
        if (to > 0) plans.push([...plan, { at, to }]);
        if (failed >= failures) continue;
        for (const fault of faults[to] ?? []) {
          plans.push([...plan, { at, to, fault }]);
        }
      }
    }
  }
  return count;
}

/** A source of numbers that a seed determines: mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = state + 0x6d2b79f5 >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** Decides at random. */
export function atRandom(
  draw: () => number,
  { switches, failures, most }: {
    /** How likely another request goes on at a step. */
    switches: number;
    /** How likely a call fails. */
    failures: number;
    /** The most calls that fail. */
    most: number;
  },
): Decide {
  let failed = 0;
  return (_at, ready) => {
    const to = draw() < switches ? Math.floor(draw() * ready.length) : 0;
    const faults = ready[to] ?? [];
    if (faults.length === 0 || failed >= most || draw() >= failures) {
      return { to };
    }
    failed++;
    return { to, fault: faults[Math.floor(draw() * faults.length)] };
  };
}

/**
 * Decides by a script: each line names a request, and the step up to which it goes on. Without a step, it goes on to its
 * end.
 *
 * @param script Lines such as `["A", "write the session"]`. With a third item, the call of that step fails.
 */
export function scripted(
  script: readonly (readonly [who: string, until?: string, fault?: Fault])[],
): Decide {
  const lines = [...script];
  return (_at, _ready, waiting) => {
    for (let line = lines[0]; line; line = lines[0]) {
      const [name, until, fault] = line;
      const to = waiting.findIndex(({ who }) => letter(who) === name);
      if (to < 0) {
        lines.shift(); // It has ended.
        continue;
      }
      const reached = until !== undefined && waiting[to]?.what === until;
      if (!reached) return { to };
      lines.shift();
      return { to, fault };
    }
    return { to: 0 };
  };
}
