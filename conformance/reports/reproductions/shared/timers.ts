/** Time that passes for a library that uses `setTimeout` and `performance.now()`. */

/** The timers of a library, which run once a clock has passed them. */
export class Timers {
  readonly #now: () => number;
  readonly #waiting = new Map<unknown, { at: number; run: () => void }>();

  /** `now` is the clock, in milliseconds. As in a new process, time begins at 0. */
  constructor(now: () => number) {
    const start = now();
    this.#now = () => now() - start;
  }

  /** Runs the timers that are due, and then `work`. Up to the first `await` of `work`, both see this clock. */
  run<T>(work: () => T): T {
    const { setTimeout, clearTimeout } = globalThis;
    const { now } = performance;
    performance.now = this.#now;
    globalThis.setTimeout = this.#set as unknown as typeof setTimeout;
    globalThis.clearTimeout = (timer) => void this.#waiting.delete(timer);
    try {
      this.#runDue();
      return work();
    } finally {
      Object.assign(globalThis, { setTimeout, clearTimeout });
      performance.now = now;
    }
  }

  readonly #set = (run: () => void, ms: number): unknown => {
    const timer = {};
    this.#waiting.set(timer, { at: this.#now() + ms, run });
    return timer;
  };

  #runDue(): void {
    for (;;) {
      const [next] = [...this.#waiting].sort(([, a], [, b]) => a.at - b.at);
      if (!next || next[1].at > this.#now()) return;
      this.#waiting.delete(next[0]);
      next[1].run();
    }
  }
}
