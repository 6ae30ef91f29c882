/**
 * Two calls that overlap, one as far ahead of the other as can be told apart.
 *
 * @module
 */

type Call = () => Promise<unknown>;

/** A call that takes more steps of its promises than this leaves the process. */
const MOST_STEPS = 200;

/** How one call can be ahead of another. */
export interface HeadStarts {
  /** How far ahead, from not at all on. */
  readonly lengths: readonly number[];
  /** Begins a call, begins the next when the first is that far ahead, and waits for both. */
  meet(length: number, first: Call, second: Call): Promise<void>;
}

/** The head starts that a call such as this can have; makes the call once, to see how many steps it takes. */
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
  // Two calls to an engine are more than a step apart, and so are the moments that count.
  const lengths = Array.from({ length: steps / 2 + 1 }, (_, i) => 2 * i);
  return { lengths, meet: meeting(() => Promise.resolve()) };
}

function meeting(step: () => Promise<void>): HeadStarts["meet"] {
  return async (length, first, second) => {
    const ahead = first();
    // It may fail before anybody waits for it.
    ahead.catch(() => {});
    for (let i = 0; i < length; i++) await step();
    await settled([ahead, second()]);
  };
}

/** As `Promise.all`, but leaves nothing running behind a failure. */
export async function settled<T>(promises: Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}

/** A turn of the event loop: in microseconds, where a timer takes a millisecond. */
function turn(): Promise<void> {
  const { setImmediate = setTimeout } = globalThis as unknown as {
    setImmediate?(callback: () => void): unknown;
  };
  return new Promise((resolve) => void setImmediate(resolve));
}
