/**
 * Requests that run side by side, in every order of their calls to engines.
 *
 * @module
 */
import type { Engine } from "../../storage/contract.ts";

/** Which request's turn it is; requests beyond the list take turns in order. */
export class Schedule {
  readonly taken: number[] = [];
  /** How many requests could have gone at each turn. */
  readonly choices: number[] = [];
  readonly #plan: readonly number[];
  /** For each request, the calls that wait for their turn. */
  readonly #waiting: (() => void)[][] = [];
  /** The last request, which continues unless the plan says otherwise. */
  #last = 0;
  #running = 0;

  constructor(plan: readonly number[]) {
    this.#plan = plan;
  }

  /** The engine as request `who` sees it: each call waits for its turn. */
  engine(engine: Engine, who: number): Engine {
    const turn = () =>
      new Promise<void>((resolve) => {
        (this.#waiting[who] ??= []).push(resolve);
        this.#next();
      });
    const step =
      <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
      async (...args: A) => {
        await turn();
        const result = await call.apply(engine, args);
        this.#next();
        return result;
      };
    return {
      guarantees: { ...engine.guarantees, evicts: "nothing" },
      read: step(engine.read),
      write: step(engine.write),
      delete: step(engine.delete),
    };
  }

  async run(requests: readonly (() => Promise<unknown>)[]): Promise<unknown[]> {
    this.#running = requests.length;
    return await Promise.all(requests.map(async (request) => {
      const result = await request();
      this.#running--;
      this.#next();
      return result;
    }));
  }

  /** Lets one request go on, once all wait. */
  #next(): void {
    const ready = [...this.#waiting.keys()]
      .filter((who) => (this.#waiting[who]?.length ?? 0) > 0)
      .sort((a, b) => Number(b === this.#last) - Number(a === this.#last));
    if (ready.length === 0 || ready.length < this.#running) return;
    const planned = this.#plan[this.taken.length] ?? 0;
    const choice = Math.min(planned, ready.length - 1);
    this.taken.push(choice);
    this.choices.push(ready.length);
    this.#last = ready[choice] ?? 0;
    this.#waiting[this.#last]?.shift()?.();
  }
}

/**
 * Runs what `once` makes of a schedule until every order has been tried; returns their number.
 *
 * @param options `switches`: how often one request may get ahead of another that could have gone on. Orders with few
 * are enough to find nearly every race, and far less than all.
 */
export async function everyOrder(
  once: (schedule: Schedule) => Promise<void>,
  { switches = Infinity }: { switches?: number } = {},
): Promise<number> {
  let plan: number[] | undefined = [];
  let count = 0;
  while (plan) {
    const schedule: Schedule = new Schedule(plan);
    await once(schedule);
    count++;
    // The next plan: the last turn at which another request could have gone, goes to that.
    const { taken, choices } = schedule;
    let at: number = taken.length - 1;
    const spent = (until: number) =>
      taken.slice(0, until).filter((choice) => choice > 0).length;
    while (
      at >= 0 &&
      ((taken[at] ?? 0) + 1 >= (choices[at] ?? 0) || spent(at) >= switches)
    ) at--;
    plan = at < 0 ? undefined : [...taken.slice(0, at), (taken[at] ?? 0) + 1];
  }
  return count;
}
