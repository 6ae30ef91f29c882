/**
 * A clock for what cannot be undone.
 *
 * @module
 */

const HOUR = 3_600_000;

/**
 * A clock that is at most an hour behind another one. It does not follow a jump ahead of the last hour, because the
 * clock may be wrong, and be set back. It follows each step back at once.
 */
export class CautiousClock {
  readonly #now: () => number;
  readonly #elapsed: () => number;
  /** When the present hour began, in elapsed time. */
  #began = -Infinity;
  /** How much the clock was ahead of the elapsed time, when it was least: in the present hour, and in the one before. */
  #least = Infinity;
  #leastBefore = Infinity;

  /** @param elapsed A clock that nobody sets. */
  constructor(now: () => number, elapsed: () => number) {
    this.#now = now;
    this.#elapsed = elapsed;
  }

  /** Call it from time to time: what happens between two calls is one jump. Returns `NaN` if the clock does. */
  now(): number {
    const now = this.#now();
    if (Number.isNaN(now)) return now;
    const elapsed = this.#elapsed();
    const ahead = now - elapsed;
    if (elapsed - this.#began >= HOUR) {
      this.#began = elapsed;
      this.#leastBefore = this.#least;
      this.#least = ahead;
    }
    this.#least = Math.min(this.#least, ahead);
    const steady = elapsed + Math.min(this.#least, this.#leastBefore);
    return Math.max(steady, now - HOUR);
  }
}
