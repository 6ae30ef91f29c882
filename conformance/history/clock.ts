/**
 * The clocks of processes, which do not agree: somebody may set the machine's clock between the starts of two.
 *
 * @module
 */
import type { Operation } from "./history.ts";

/** Questions about the clock of a process: the quickest answer decides. */
const QUESTIONS = 25;

/** How the clock of a process differs from the one that it was compared with, in milliseconds. */
export interface Difference {
  /** Add this to its times. */
  readonly offset: number;
  /** How far `offset` may be from the truth. */
  readonly error: number;
}

/** Milliseconds since 1970. It never goes back, and no change of the machine's clock moves it after the start. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Compares the clock of a process with `clock`: what it says was said between the question and the answer.
 *
 * @param ask Asks the process for its time.
 */
export async function compareClocks(
  ask: () => Promise<unknown>,
  clock: () => number,
): Promise<Difference> {
  let [least, most] = [-Infinity, Infinity];
  for (let i = 0; i < QUESTIONS; i++) {
    const before = clock();
    const said = Number(await ask());
    least = Math.max(least, before - said);
    most = Math.min(most, clock() - said);
  }
  return { offset: (least + most) / 2, error: Math.abs(most - least) / 2 };
}

/** An operation of a process, in the times of the clock that its own was compared with. */
export function shifted<T extends Operation>(operation: T, offset: number): T {
  const { start, end } = operation;
  return { ...operation, start: start + offset, end: end + offset };
}

/** By how much the shifted times of two processes may be wrong beside each other. */
export function slackOf(differences: readonly Difference[]): number {
  return 2 * Math.max(0, ...differences.map(({ error }) => error));
}
