/**
 * The deadline of a session, for each kind of clock.
 *
 * @module
 */
import type { Trial } from "../../trial/trial.ts";

/** When a session that was just saved expires, as exactly as the target's clock allows. */
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

  /**
   * The deadline of a session that `save` saves for so many seconds.
   *
   * @param before A deadline that must not have passed when it is saved.
   */
  static async of(
    t: Trial,
    seconds: number,
    save: () => Promise<unknown>,
    before?: Deadline,
  ): Promise<Deadline> {
    const from = t.elapsed;
    try {
      await save();
    } finally {
      // A save that fails after its deadline, because it came late, is no fault of the storage.
      if (before) before.#met();
    }
    return new Deadline(t, seconds * 1000, from, t.elapsed);
  }

  /** Lets time pass until shortly before the deadline: one millisecond, if the clock is exact. */
  async approach(): Promise<void> {
    const t = this.#t;
    const early = t.exact ? t.slack : Math.max(2 * t.slack, this.#ms / 4);
    await t.advance(Math.max(0, this.#earliest - early - t.elapsed));
  }

  /** Lets time pass until the deadline has certainly passed: as exactly as the clock allows. */
  async pass(): Promise<void> {
    const t = this.#t;
    await t.advance(Math.max(0, this.#latest + t.slack - t.elapsed));
  }

  /** Fails unless a condition holds; ends the trial if a busy machine has missed the deadline. */
  ahead(condition: boolean, what: string): void {
    if (!condition) this.#met();
    this.#t.ok(condition, what);
  }

  /** Ends the trial if a busy machine has missed the deadline. */
  #met(): void {
    const t = this.#t;
    if (t.exact || t.elapsed < this.#earliest - t.slack) return;
    t.notRun("the machine was too busy to check before the deadline");
  }
}
