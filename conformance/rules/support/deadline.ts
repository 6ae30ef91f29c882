/**
 * A deadline, watched by whatever clock a target has.
 *
 * @module
 */
import type { Trial } from "../../trial/trial.ts";

/** When something that was just saved will be over, as near as the target's clock can tell. */
export class Deadline {
  readonly #t: Trial;
  readonly #ms: number;
  readonly #earliest: number;
  readonly #latest: number;

  private constructor(t: Trial, ms: number, from: number, to: number) {
    this.#t = t;
    this.#ms = ms;
    this.#earliest = from + ms;
    this.#latest = to + ms;
  }

  /** The deadline of what `save` saves for so many seconds. */
  static async of(
    t: Trial,
    seconds: number,
    save: () => Promise<unknown>,
  ): Promise<Deadline> {
    const from = t.elapsed;
    await save();
    return new Deadline(t, seconds * 1000, from, t.elapsed);
  }

  /** Lets time pass until shortly before it: a millisecond, where the clock is exact. */
  async approach(): Promise<void> {
    const t = this.#t;
    const early = t.exact ? 1 : Math.max(2 * t.slack, this.#ms / 4);
    await t.advance(Math.max(0, this.#earliest - early - t.elapsed));
  }

  /** Lets time pass until it has surely come: to the millisecond, where the clock is exact. */
  async pass(): Promise<void> {
    const t = this.#t;
    await t.advance(Math.max(0, this.#latest + t.slack - t.elapsed));
  }

  /** Fails unless a condition holds, provided that the deadline is still ahead: a busy machine may have missed it. */
  ahead(condition: boolean, what: string): void {
    const t = this.#t;
    if (!condition && t.elapsed >= this.#earliest - t.slack && !t.exact) {
      t.notRun("the machine was too busy to look before the deadline");
    }
    t.ok(condition, what);
  }
}
