/**
 * Finds a short case of a failure.
 *
 * @module
 */
import { Violation } from "../../trial/port.ts";
import type { Trial } from "../../trial/trial.ts";

/** The most attempts. */
const MAX_ATTEMPTS = 150;
/** The longest time for the attempts, in milliseconds. */
const MAX_TIME = 2_000;

/**
 * Runs a case. If it fails, removes the pieces that are not needed for the failure.
 *
 * @param parts The case, piece by piece.
 * @param run Runs the case of some pieces.
 * @throws {Violation} The failure of the shortest case, with its trace.
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
