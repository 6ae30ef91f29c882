/**
 * Measures cells round robin: CPU time of the whole process, garbage collection and compilers included.
 *
 * @module
 */
import process from "node:process";
import type { Cell } from "./rows.ts";

/** The median of numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.slice(
    Math.floor((sorted.length - 1) / 2),
    Math.floor(sorted.length / 2) + 1,
  );
  return half.reduce((sum, n) => sum + n, 0) / half.length;
}

/** The mean of the faster half of numbers: of the turns that other programs on the hardware slowed down least. */
export function undisturbed(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  const half = sorted.slice(0, Math.ceil(sorted.length / 2));
  return half.reduce((sum, n) => sum + n, 0) / half.length;
}

/** The CPU time of this process, in µs. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** CPU time of one cell's first calls, in µs, of code that is not compiled yet. */
const START = 100_000;
/** CPU time of the calls after them, in µs, if they took no longer than the last of them: compilers need thousands. */
const WARM_UP = 300_000;
/** CPU time of one cell in one round, in µs. */
const TURN = 2_000;
/** A run that takes longer, in µs, sits out rounds. */
const SLOW = 10_000;
/** Rounds that it sits out after one. */
const REST = 6;

/**
 * Measures cells: each in its turn, and each round begins with another.
 *
 * @returns For each cell, the CPU time of a request in each of its turns, in µs.
 */
export async function measure(
  cells: readonly Cell[],
  rounds: number,
): Promise<number[][]> {
  let n = 0;
  const run = async (cell: Cell, times: number) => {
    const start = cpu();
    for (let i = 0; i < times; i++) await cell.run(++n);
    return (cpu() - start) / times;
  };
  const turns = [];
  for (const cell of cells) {
    let [times, each] = [1, 0];
    for (let spent = 0; spent < START; spent += each * times) {
      times = Math.ceil(Math.min(times * 2, TURN / (each || TURN)));
      each = await run(cell, times);
    }
    for (let left = WARM_UP / each; left > 0; left -= times) {
      await run(cell, times);
    }
    turns.push({ cell, times, slow: each > SLOW, took: [] as number[] });
  }
  for (let round = -1; round < rounds; round++) {
    for (const turn of rotated(turns, round)) {
      const { cell, slow, took } = turn;
      if (slow && round % REST !== 0) continue;
      const each = await run(cell, turn.times);
      // The first round finds how many runs fill a turn.
      if (round < 0) turn.times = Math.ceil(TURN / each);
      else took.push(each / cell.requests);
    }
  }
  return turns.map(({ took }) => took);
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = Math.abs(by * 3) % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
