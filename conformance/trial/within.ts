/**
 * The time limit of a rule.
 *
 * @module
 */
import { inSeconds } from "./pace.ts";
import type { Trial } from "./trial.ts";

/** A rule ran out of time. */
export class Late extends Error {
  override readonly name = "Late";
  readonly deadlineMs: number;
  /** The target's own hook that was running. */
  readonly hook: string | undefined;
  /** The call to the storage that had not answered for most of that time. */
  readonly call: string | undefined;
  readonly calls: number;
  readonly latencyMs: number;

  constructor(deadlineMs: number, { busy, pulse }: Trial) {
    super("out of time");
    const { oldest, calls, latencyMs } = pulse;
    this.deadlineMs = deadlineMs;
    this.hook = busy;
    this.call = oldest && oldest.ms >= deadlineMs / 2 ? oldest.what : undefined;
    this.calls = calls;
    this.latencyMs = latencyMs;
  }
}

/** Whether the storage or a hook did not answer, rather than being slow. */
export function isSilent({ hook, call }: Late): boolean {
  return hook !== undefined || call !== undefined;
}

/** What happened, and what to change. */
export function inWords(late: Late): string {
  const { deadlineMs, hook, call, calls, latencyMs } = late;
  const limit = inSeconds(deadlineMs);
  if (hook !== undefined) {
    return `${hook} took more than ${limit}; check that what it waits for is running, or give it more time with deadline`;
  }
  if (call !== undefined) {
    return `${call} has not answered within ${limit}; check that the engine is running and reachable, or give it more time with deadline`;
  }
  return `it did not end within ${limit}, in which the storage answered ${calls} calls (about ${
    latencyMs.toPrecision(2)
  } ms each); give it more time with deadline`;
}

/**
 * Waits for a call, with a time limit. The time that the trial itself waits does not count.
 *
 * @throws {Late} If the call takes longer.
 */
export async function within(
  deadlineMs: number,
  trial: Trial,
  call: () => Promise<void>,
): Promise<void> {
  const start = performance.now() - trial.waitedMs;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const look = () => {
      const left = start + deadlineMs + trial.waitedMs - performance.now();
      if (left <= 0) reject(new Late(deadlineMs, trial));
      else timer = setTimeout(look, left);
    };
    look();
  });
  const done = call();
  // After the time limit, the call is not awaited any more.
  done.catch(() => {});
  late.catch(() => {});
  try {
    await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
