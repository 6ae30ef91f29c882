/**
 * Measures cells round robin: CPU time of the whole process, garbage collection and compilers included.
 *
 * @module
 */
import process from "node:process";
import type { Cell } from "./rows.ts";

/** A median and the quartiles around it. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The median and quartiles of numbers. */
export function spread(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number) => {
    const place = (sorted.length - 1) * share;
    const low = sorted[Math.floor(place)] ?? NaN;
    const high = sorted[Math.ceil(place)] ?? NaN;
    return low + (high - low) * (place % 1);
  };
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** The CPU time of this process, in µs. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** A cell with what was measured of it. */
export interface Measured extends Cell {
  /** The CPU time of a request in each round, in µs; null in those that it sat out. */
  readonly times: (number | null)[];
}

/** Options of {@linkcode measure}. */
export interface MeasureOptions {
  readonly rounds: number;
  /** CPU time of one cell in one round, in µs. */
  readonly turn?: number;
}

/** CPU time of one cell before the first round, in µs: compilers need thousands of calls. */
const WARM_UP = 60_000;
/** Rounds that a cell sits out after one that took it ten turns or more. */
const REST = 4;

/** Measures cells: each in its turn, and each round begins with another. */
export async function measure(
  cells: readonly Cell[],
  { rounds, turn = 5_000 }: MeasureOptions,
): Promise<Measured[]> {
  const measured: Measured[] = [];
  const runs = new Map<Measured, number>();
  const slow = new Set<Measured>();
  let n = 0;
  const run = async (cell: Cell, times: number) => {
    const start = cpu();
    for (let i = 0; i < times; i++) await cell.run(++n);
    return cpu() - start;
  };
  for (const cell of cells) {
    const one: Measured = { ...cell, times: [] };
    measured.push(one);
    let times = 1;
    let spent = 0;
    while ((spent = await run(one, times)) < WARM_UP) times *= 2;
    if (spent / times > 2 * turn) slow.add(one);
    runs.set(one, Math.max(1, Math.round(times * turn / spent)));
  }
  for (let round = -2; round < rounds; round++) {
    for (const one of rotated(measured, round)) {
      if (slow.has(one) && round % REST !== 0) {
        if (round >= 0) one.times.push(null);
        continue;
      }
      const times = runs.get(one) ?? 1;
      const spent = await run(one, times);
      if (round >= 0) one.times.push(spent / times / one.requests);
      // The first rounds warm up, and find how many runs fill a turn.
      else runs.set(one, Math.max(1, Math.round(times * turn / spent)));
    }
  }
  return measured;
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = Math.abs(by * 7) % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
