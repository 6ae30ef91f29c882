/**
 * When a process is to be killed, and how it keeps that moment on a machine of any speed.
 *
 * A signal from another process comes too late for an operation of a millisecond, and on a busy machine for any. So a
 * process kills itself: the signal is the same, and nothing of the process runs afterwards.
 *
 * @module
 */
import type { Random } from "../trial/random.ts";
import type { Log } from "./work.ts";

/** Which change a process does not survive. */
export interface Kill {
  /** The first changes of this session are spared, so many of them; then any change will do. */
  readonly session: number;
  readonly spared: number;
  /** In the middle of a change, or as soon as it has reported that the change was answered. */
  readonly when: "during" | "after";
  /** Where the middle is: a share of the time that the change before took, from 0 to 1. */
  readonly share: number;
}

/** How many changes may end before their middle, each tried at half the share: then a storage never waits. */
const MISSES = 4;

/** Which processes are to be killed in a round, by their seats: the same ones for the same seed. */
export function planKills(
  random: Random,
  plan: {
    readonly kills: number;
    readonly processes: number;
    /** The session that only the process in this seat changes. */
    readonly own: (seat: number) => number;
    /** The sessions that all processes change. */
    readonly shared: readonly number[];
    /** How many changes are spared at most. */
    readonly spared: number;
    readonly round: number;
  },
): ReadonlyMap<number, Kill> {
  const first = random.int(plan.processes);
  return new Map(Array.from({ length: plan.kills }, (_, i) => {
    const seat = (first + i) % plan.processes;
    // In a session of its own nobody repairs what it leaves; in another, locks and late writes concern others.
    const alone = (plan.round + (i >> 1)) % 2 === 0;
    return [seat, {
      session: alone ? plan.own(seat) : random.pick(plan.shared),
      spared: random.int(plan.spared + 1),
      when: i % 2 === 0 ? "during" : "after",
      // Early in one change, late in another; in each round otherwise.
      share: ((i + plan.round) % plan.kills + random.next()) / plan.kills,
    }];
  }));
}

/** A log of a process that kills itself by `die`. */
export function fatalLog(
  log: Log,
  { session: first, spared, when, share }: Kill,
  { clock, die }: { readonly clock: () => number; readonly die: () => void },
): Log {
  let changes = 0;
  let misses = 0;
  let usual = 0;
  return {
    begin(session, begun) {
      const over = log.begin(session, begun);
      if (begun.kind === "read") return over;
      if (session === first || changes > 0) changes++;
      const isDue = changes > spared;
      const start = clock();
      let ended = false;
      const look = () => {
        if (ended) return;
        if (clock() - start >= usual * share / 2 ** misses) return die();
        setImmediate(look);
      };
      if (isDue && when === "during") setImmediate(look);
      return (end) => {
        ended = true;
        over(end);
        usual = clock() - start;
        const isTold = end.outcome === "ok" || end.outcome === "answered";
        if (!isDue || !isTold) return;
        if (when === "after" || misses++ === MISSES) die();
      };
    },
  };
}
