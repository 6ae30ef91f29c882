/**
 * Finds a short case of a failure.
 *
 * @module
 */
import { Violation } from "../../trial/port.ts";
import type { Trial } from "../../trial/trial.ts";

/** A short case is worth this many attempts. */
const MAX_ATTEMPTS = 150;
/** And this much time, in milliseconds. */
const MAX_TIME = 2_000;

/**
 * Plays a case, and where it fails, drops what it fails without.
 *
 * @param parts The case, piece by piece.
 * @param run Plays the case that pieces make.
 * @throws {Violation} What the shortest case came to; the trace is that of the shortest case.
 */
export async function shrinking<T>(
  t: Trial,
  parts: readonly T[],
  run: (parts: readonly T[]) => Promise<void>,
): Promise<void> {
  const attempt = async (parts: readonly T[]) => {
    t.trace.lines.length = 0;
    try {
      await run(parts);
    } catch (error) {
      if (error instanceof Violation) return error;
      throw error;
    }
  };
  let failure = await attempt(parts);
  if (!failure) return;
  const until = performance.now() + MAX_TIME;
  let short = [...parts];
  let trace = [...t.trace.lines];
  let attempts = 0;
  for (let size = Math.ceil(short.length / 2); size > 0;) {
    const before = short.length;
    for (let at = short.length - size; at >= 0; at -= size) {
      if (++attempts > MAX_ATTEMPTS || performance.now() > until) break;
      const fewer = short.toSpliced(at, size);
      const still = await attempt(fewer);
      if (!still) continue;
      [failure, short, trace] = [still, fewer, [...t.trace.lines]];
    }
    if (size === 1 && short.length === before) break;
    size = size === 1 ? 1 : Math.floor(size / 2);
  }
  t.trace.lines.splice(0, t.trace.lines.length, ...trace);
  throw failure;
}
