/**
 * MODEL: for any sequence of requests, the result is that of the reference model.
 *
 * @module
 */
import { interleave, programOf } from "./support/interleaving.ts";
import { commandOf, play } from "./support/model.ts";
import { shrinking } from "./support/shrink.ts";
import type { Trial } from "../trial/trial.ts";
import { must, type Rule } from "./support/rule.ts";

export const model: readonly Rule[] = [
  must("MODEL-01", {
    moves: true,
    sentence:
      "After any sequence of requests, the sessions are those of the reference model.",
    why:
      "Visitors combine the cases of the other rules in ways that no test author thought of.",
    async check(t) {
      for (const _ of rounds(t)) {
        const commands = Array.from(
          { length: 5 + t.random.int(20) },
          () => commandOf(numbers(t, 4)),
        );
        await shrinking(t, commands, (commands) => play(t, commands));
      }
    },
  }),
  must("MODEL-02", {
    sentence:
      "The result of overlapping requests is that of the same requests one after the other, or a declared conflict.",
    why:
      "Requests overlap on every page that sends more than one. The result must be one that the code asked for.",
    async check(t) {
      for (const i of rounds(t)) {
        const requests = t.runs >= 100 && i % 3 === 0 ? 3 : 2;
        // The pairs that break most storages come first and always, because random choice sometimes misses them.
        const classic = i < CLASSICS.length * HEAD_STARTS
          ? CLASSICS[i % CLASSICS.length]
          : undefined;
        const head = Math.floor(i / CLASSICS.length);
        const turns = classic
          ? head % 2 === 0 ? [head, 1, 1] : [1, head, 0]
          : numbers(t, 16).map((n) => n % 7);
        // First one after the other: this always shows whether a save loses what the one before it stored.
        const parallel = classic ? head >= 2 : t.random.int(2) === 0;
        const parts = Array.from(
          { length: requests },
          (_, who) =>
            (classic?.[who] ?? numbers(t, 1 + t.random.int(4)))
              .map((n) => ({ who, n })),
        ).flat();
        await shrinking(t, parts, (parts) => {
          const programs = Array.from(
            { length: requests },
            (_, who) =>
              programOf(
                parts.filter((part) => part.who === who).map(({ n }) => n),
                who,
              ),
          );
          return interleave(t, { programs, turns, parallel });
        });
      }
    },
  }),
];

/** Three times as many as other rules; on a fast engine, as many as a moment allows. */
function* rounds(t: Trial): Generator<number> {
  const least = t.runs * 3;
  yield* t.cases(least, { atLeast: CLASSICS.length * SURE_STARTS });
  const until = performance.now() + MOMENT;
  for (let i = least; i < t.runs * 40; i++) {
    if (t.isSlow || performance.now() > until) return;
    yield i;
  }
}

/** In milliseconds. */
const MOMENT = 100;
/** How many steps one request is ahead of the other, in both orders. */
const HEAD_STARTS = 12;
/** So many of these are tried on the slowest engine: saves in turn, and saves at the same time. */
const SURE_STARTS = 4;

/** Numbers for `programOf`: one request destroys the session, regenerates the id or changes another key, while another saves. */
const CLASSICS: readonly (readonly (readonly number[])[])[] = [
  [[9], [0]],
  [[8], [0]],
  [[8], [2]],
  [[0], [1]],
];

function numbers(t: Trial, length: number): number[] {
  return Array.from({ length }, () => t.random.int(2 ** 16));
}
