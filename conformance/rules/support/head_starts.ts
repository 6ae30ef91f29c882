/**
 * Two calls that overlap, at every distance that makes a difference.
 *
 * @module
 */

type Call = () => Promise<unknown>;

/** A call that takes more promise steps than this leaves the process. */
const MOST_STEPS = 200;

/** How far one call can be ahead of another. */
export interface HeadStarts {
  /** The distances in steps, from 0 on. */
  readonly lengths: readonly number[];
  /** Begins one call, begins the other after so many steps, and waits for both. */
  meet(length: number, first: Call, second: Call): Promise<void>;
}

/** The head starts for such a call. Makes the call once to count its steps. */
export async function headStarts(call: Call): Promise<HeadStarts> {
  let done = false;
  const doing = call().finally(() => done = true);
  doing.catch(() => {});
  let steps = 0;
  for (; !done && steps < MOST_STEPS; steps++) await null;
  await doing;
  if (steps === MOST_STEPS) {
    return { lengths: [0, 1, 3, 9, 27], meet: meeting(turn) };
  }
  // Two calls to an engine are more than a step apart, so trying every second step is enough.
  const lengths = Array.from({ length: steps / 2 + 1 }, (_, i) => 2 * i);
  return { lengths, meet: meeting(() => Promise.resolve()) };
}

function meeting(step: () => Promise<void>): HeadStarts["meet"] {
  return async (length, first, second) => {
    const ahead = first();
    // It may reject before it is awaited.
    ahead.catch(() => {});
    for (let i = 0; i < length; i++) await step();
    await settled([ahead, second()]);
  };
}

/** As `Promise.all`, but waits for all calls if one fails. */
export async function settled<T>(promises: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}

/** A turn of the event loop. It takes microseconds; a timer takes a millisecond. */
function turn(): Promise<void> {
  const { setImmediate = setTimeout } = globalThis as unknown as {
    setImmediate?(callback: () => void): unknown;
  };
  return new Promise((resolve) => void setImmediate(resolve));
}
