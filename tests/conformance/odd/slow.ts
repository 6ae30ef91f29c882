/**
 * Storages that are right, and whose engine needs time for each call, as one in another region does.
 */
import { everyCall, odd, type OddTarget } from "./_build.ts";

/** How long a call takes, in milliseconds. */
export const LATENCIES: readonly number[] = [5, 20, 50, 200];

/** An engine that answers after so many milliseconds. */
export function slow(ms: number): OddTarget {
  return waiting(`${ms} ms a call`, () => ms);
}

/** An engine that answers after any time from 0 to twice so many milliseconds. */
export function unsteady(ms: number): OddTarget {
  return waiting(`0 to ${2 * ms} ms a call`, () => Math.random() * 2 * ms);
}

/** On the way to the engine and on the way back, half of the time each. */
function waiting(name: string, ms: () => number): OddTarget {
  const wait = (ms: number) =>
    new Promise<void>((resolve) => setTimeout(resolve, ms));
  return odd(name, {
    engine: (memory) =>
      everyCall(memory, async (call) => {
        const half = ms() / 2;
        await wait(half);
        const result = await call();
        await wait(half);
        return result;
      }),
  });
}
