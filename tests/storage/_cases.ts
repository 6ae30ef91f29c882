/**
 * Cases: requests, how the world begins, and a plan of their steps. A case that breaks a promise is made as small as it
 * can be.
 *
 * @module
 */
import { type Breach, check, type Remains } from "./_model.ts";
import { play, type Program, programs, type Start } from "./_requests.ts";
import {
  atRandom,
  type Decide,
  type Deviation,
  type Fault,
  follow,
  type Plan,
  random,
  recorded,
  repeats,
  Schedule,
  type Step,
} from "./_schedule.ts";

/** Requests, side by side. */
export interface Case {
  readonly start: Start;
  readonly requests: readonly Program[];
  readonly plan: Plan;
  /** As in `ScheduleOptions`. */
  readonly answers: boolean;
  readonly faults: readonly Fault[];
}

/** What came of a case. */
export interface Result {
  readonly breaches: readonly Breach[];
  readonly remains: Remains;
  readonly schedule: Schedule;
}

/** Runs a case. `schedule` follows its plan, unless another is given. */
export async function run(
  { start, requests, plan, answers, faults }: Case,
  schedule: Schedule = new Schedule(plan, { answers, faults }),
): Promise<Result> {
  const world = await play(schedule, start, requests);
  return { ...await check(world), schedule };
}

/** Whether these requests can begin like this. */
export function fits(start: Start, requests: readonly Program[]): boolean {
  return requests.every(({ owned, anonymous }) =>
    (start.owned || !owned) && (start.session !== "signed in" || !anonymous)
  );
}

/** The shortest case for each promise that was broken. */
export class Found {
  readonly #shortest = new Map<string, { case: Case; seed: number }>();
  /** How many runs broke a promise. */
  broken = 0;
  runs = 0;
  #unsent = 0;
  #empty = 0;

  /** @param seed What the case was drawn from; -1 if it was not. */
  add(at: Case, { breaches, remains }: Result, seed: number = -1): void {
    this.runs++;
    this.#unsent += remains.unsent;
    this.#empty += remains.empty;
    if (breaches.length > 0) this.broken++;
    for (const { promise } of breaches) {
      const known = this.#shortest.get(promise);
      if (known && weigh(known.case) <= weigh(at)) continue;
      this.#shortest.set(promise, { case: at, seed });
    }
  }

  /** Throws what was found, with the steps of the smallest case for each promise. */
  async verify(): Promise<void> {
    const texts: string[] = [];
    for (const [promise, { case: found, seed }] of this.#shortest) {
      texts.push(await explain(await shrink(found, promise), promise, seed));
    }
    if (texts.length === 0) return;
    throw new Error(
      `${this.broken} of ${this.runs} runs break a promise; all together left ${this.#unsent} sessions that nobody has the id of, and ${this.#empty} empty entries of lists\n${
        texts.join("\n")
      }`,
    );
  }
}

async function explain(
  at: Case,
  promise: string,
  seed: number,
): Promise<string> {
  const { breaches, schedule } = await run(at);
  const how = breaches.find((breach) => breach.promise === promise)?.how;
  const { start, requests, plan } = at;
  const names = requests.map(({ name }) => name).join(", ");
  return [
    `\n${promise}: ${how}`,
    `  requests: ${names}; start: ${JSON.stringify(start)}${
      seed < 0 ? "" : `; seed: ${seed}`
    }`,
    `  plan: ${JSON.stringify(plan)}`,
    schedule.report(),
  ].join("\n");
}

/** Drops requests, deviations and options as long as the case still breaks the promise. */
async function shrink(found: Case, promise: string): Promise<Case> {
  let best = found;
  let { schedule } = await run(best);
  for (let again = true; again;) {
    again = false;
    for (const [smaller, decide] of smallerThan(best, schedule.steps)) {
      const plan: Deviation[] = [];
      const next = new Schedule(recorded(decide, plan), smaller);
      const { breaches } = await run(smaller, next);
      if (!breaches.some((breach) => breach.promise === promise)) continue;
      best = { ...smaller, plan };
      schedule = next;
      again = true;
      break;
    }
  }
  return best;
}

/** Cases with less in them. Each comes with what decides its steps: as far as it can, those that are left. */
function* smallerThan(
  at: Case,
  steps: readonly Step[],
): Generator<[Case, Decide]> {
  const { start, requests, plan, answers } = at;
  for (const index of requests.keys()) {
    if (requests.length === 1) break;
    const others = steps.filter(({ who }) => who !== index).map((step) =>
      step.who > index ? { ...step, who: step.who - 1 } : step
    );
    yield [
      { ...at, requests: requests.toSpliced(index, 1) },
      repeats(others),
    ];
  }
  if (answers) {
    const calls = steps.filter(({ what }) => !what.startsWith("answer to"));
    yield [{ ...at, answers: false }, repeats(calls)];
  }
  for (const option of ["together", "idle", "indexed", "moves"] as const) {
    if (!start[option]) continue;
    yield [{ ...at, start: { ...start, [option]: false } }, repeats(steps)];
  }
  if (start.maxPerOwner !== undefined) {
    const any = { ...start, maxPerOwner: undefined };
    yield [{ ...at, start: any }, repeats(steps)];
  }
  if (start.retries) {
    const fewer = { ...start, retries: start.retries - 1 };
    yield [{ ...at, start: fewer }, repeats(steps)];
  }
  for (const [index, { at: step, to, fault }] of plan.entries()) {
    yield [at, follow(plan.toSpliced(index, 1))];
    if (fault) {
      const healed = steps.with(step, { ...steps[step]!, fault: undefined });
      yield [at, repeats(healed)];
      if (to > 0) {
        yield [
          at,
          follow(plan.toSpliced(index, 1, { at: step, to: 0, fault })),
        ];
      }
    }
  }
}

function weigh({ start, requests, plan }: Case): number {
  const faults = plan.filter(({ fault }) => fault).length;
  return requests.length * 3 + plan.length + faults * 2 + (start.retries ?? 0);
}

/** Draws a case, and runs it. */
export async function runRandom(
  seed: number,
  { faults, most, retries = [0, 1, 2] }: {
    faults: readonly Fault[];
    most: number;
    retries?: readonly number[];
  },
): Promise<{ drawn: Case; result: Result }> {
  const draw = random(seed);
  const pick = <T>(items: readonly T[]): T =>
    items[Math.floor(draw() * items.length)] as T;
  const owned = draw() < 0.7;
  const start: Start = {
    owned,
    session: pick(["none", "anonymous", "signed in"]),
    together: draw() < 0.5,
    retries: pick(retries),
    idle: draw() < 0.2,
    indexed: draw() < 0.3,
    moves: draw() < 0.4,
    maxPerOwner: owned && draw() < 0.2 ? 2 : undefined,
  };
  const possible = programs.filter((program) => fits(start, [program]));
  const requests = Array.from(
    { length: pick([2, 3, 3, 4]) },
    () => pick(possible),
  );
  const answers = draw() < 0.3;
  const plan: Deviation[] = [];
  const odds = {
    switches: pick([0.1, 0.3, 0.6]),
    failures: pick([0, 0.1, 0.3]),
  };
  const decide = recorded(atRandom(draw, { ...odds, most }), plan);
  const drawn: Case = { start, requests, plan, answers, faults };
  const schedule = new Schedule(decide, { answers, faults });
  return { drawn, result: await run(drawn, schedule) };
}
