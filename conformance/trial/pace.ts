/**
 * How fast a storage answers, and how much time its rules therefore get.
 *
 * @module
 */
import type { CheckOptions } from "../types.ts";

/** How long a rule may take by default, in milliseconds. */
const SHORTEST = 10_000;
/** In milliseconds. */
const LONGEST = 180_000;

/** So many calls fit into the default deadline of a rule. */
const CALLS = 1000;

/** From this latency on, in milliseconds, rules do not run all of their cases. */
const SLOW = 2;

/** How much time the cases of a rule have: at least so many milliseconds, and time for so many calls. */
const LEAST_MS = 1500;
const LEAST_CALLS = 50;

/** How many rules of a slow storage run at the same time. */
const LANES = 8;

/** How much time rules get. */
export interface Pace {
  /** How long a call to the storage takes, in milliseconds. */
  readonly latencyMs: number;
  /** How long one rule may take, in milliseconds. */
  readonly deadlineMs: number;
  /** How long the cases of a rule may take, in milliseconds. */
  readonly casesMs: number;
  /** How many rules run at the same time. */
  readonly lanes: number;
  /** Why no rule can be tried. */
  readonly problem?: string;
}

type PaceOptions = Pick<CheckOptions, "deadline" | "slow">;

/**
 * The time for rules.
 *
 * @param latencyMs How long a call to the storage takes, in milliseconds.
 * @param options What the user decides: how long one rule may take, in seconds, and whether all cases run.
 */
export function paceFor(
  latencyMs: number,
  { deadline, slow: thorough = false }: PaceOptions = {},
): Pace {
  const slow = latencyMs >= SLOW;
  const least = thorough ? LONGEST : SHORTEST;
  return {
    latencyMs,
    deadlineMs: deadline === undefined
      ? Math.min(LONGEST, Math.max(least, CALLS * latencyMs))
      : deadline * 1000,
    // A fast storage runs all cases, so that a seed always repeats the same run.
    casesMs: slow && !thorough
      ? Math.max(LEAST_MS, LEAST_CALLS * latencyMs)
      : Infinity,
    lanes: slow ? LANES : 1,
  };
}

/** The longest time that a rule can take by default, in milliseconds: for a test runner, before anything is measured. */
export const LONGEST_DEADLINE: number = LONGEST;

/** The calls to a storage in progress and so far. */
export class Pulse {
  readonly #pending = new Map<object, { what: string; since: number }>();
  readonly #took: number[] = [];

  /** Makes a call to the storage. */
  async beat<T>(what: string, call: () => Promise<T>): Promise<T> {
    const mark = {};
    const since = performance.now();
    this.#pending.set(mark, { what, since });
    try {
      return await call();
    } finally {
      this.#pending.delete(mark);
      this.#took.push(performance.now() - since);
    }
  }

  /** How many calls have ended. */
  get calls(): number {
    return this.#took.length;
  }

  /** The median of the calls, in milliseconds. */
  get latencyMs(): number {
    const sorted = this.#took.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? 0;
  }

  /** The call that has not answered for the longest time, and how long, in milliseconds. */
  get oldest(): { what: string; ms: number } | undefined {
    // In the order of their insertion.
    const [first] = this.#pending.values();
    return first && { what: first.what, ms: performance.now() - first.since };
  }
}

/** Milliseconds as text. */
export function inSeconds(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`;
}
