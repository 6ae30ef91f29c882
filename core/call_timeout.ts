/**
 * How long a call may take, without a timer for each.
 *
 * @module
 */
import { timersEndWithRequest } from "./runtime.ts";

/** A call that waits, between the one before it and the one after it: those who wait make a ring. */
class Waiting {
  /** When its time is up, in milliseconds of the monotonic clock. */
  readonly due: number;
  readonly reject: (error: Error) => void;
  before: Waiting = this;
  after: Waiting = this;

  constructor(due: number, reject: (error: Error) => void) {
    this.due = due;
    this.reject = reject;
  }

  add(last: Waiting): void {
    last.before = this.before;
    last.after = this;
    this.before.after = last;
    this.before = last;
  }

  /** Leaves the ring, and points at none of it: garbage that points at younger garbage keeps it from going. */
  leave(): void {
    this.before.after = this.after;
    this.after.before = this.before;
    this.before = this.after = this;
  }
}

/** A timer of Node, Bun or Deno. Elsewhere it is a number. */
interface Timer {
  ref(): unknown;
  unref(): unknown;
}

/** The longest that a timer takes: 24 days. */
const LONGEST = 2 ** 31 - 1;

/**
 * Lets calls take `ms` milliseconds each.
 *
 * @returns What runs a call, and rejects where that takes too long; what comes after that is ignored.
 */
export function patience(
  ms: number,
): <T>(call: () => Promise<T>) => Promise<T> {
  if (timersEndWithRequest) return (call) => new Patience(ms, false).run(call);
  const shared = new Patience(ms, true);
  return (call) => shared.run(call);
}

/**
 * One timer, for the call that has waited longest. It stays when that has its answer, without keeping the process from
 * its end: to set and clear a timer costs more than the rest of a call to an engine in memory.
 */
class Patience {
  readonly #ms: number;
  readonly #stays: boolean;
  /** Where the ring begins and ends; in between in the order in which their time is up. */
  readonly #ring = new Waiting(Infinity, () => {});
  #timer: Timer | number | undefined;

  constructor(ms: number, stays: boolean) {
    this.#ms = ms;
    this.#stays = stays;
  }

  run<T>(call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const answer = call();
      const waiting = new Waiting(performance.now() + this.#ms, reject);
      this.#add(waiting);
      answer.then((value) => {
        this.#remove(waiting);
        resolve(value);
      }, (error) => {
        this.#remove(waiting);
        reject(error);
      });
    });
  }

  #add(waiting: Waiting): void {
    if (this.#timer === undefined) this.#set(this.#ms);
    else if (this.#isIdle) (this.#timer as Timer).ref();
    this.#ring.add(waiting);
  }

  #remove(waiting: Waiting): void {
    waiting.leave();
    if (!this.#isIdle) return;
    if (this.#stays && typeof this.#timer === "object") this.#timer.unref();
    else {
      clearTimeout(this.#timer as number | undefined);
      this.#timer = undefined;
    }
  }

  #set(ms: number): void {
    const wake = () => this.#wake();
    this.#timer = setTimeout(wake, Math.min(ms, LONGEST)) as unknown as Timer;
  }

  #wake(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (;;) {
      const first = this.#ring.after;
      if (first === this.#ring) return;
      if (first.due > now) return this.#set(first.due - now);
      first.leave();
      first.reject(new Error(`no answer within ${this.#ms / 1000} s`));
    }
  }

  get #isIdle(): boolean {
    return this.#ring.after === this.#ring;
  }
}
