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

/** How each process of a round is to be killed, by its seat: the same for the same seed. */
export function planKills(
  random: Random,
  plan: {
    /** By seat, the session that only the process in it changes. */
    readonly own: readonly number[];
    /** The sessions that all processes change. */
    readonly shared: readonly number[];
    /** How many changes are spared at most. */
    readonly spared: number;
    readonly round: number;
  },
): Kill[] {
  const { own, shared, round } = plan;
  const first = random.int(own.length);
  return own.map((session, seat) => {
    const i = (first + seat) % own.length;
    // In a session of its own nobody repairs what it leaves; in another, locks and late writes concern others.
    const isAlone = (round + (i >> 1)) % 2 === 0;
    return {
      session: isAlone ? session : random.pick(shared),
      spared: random.int(plan.spared + 1),
      when: i % 2 === 0 ? "during" : "after",
      // Early in one change, late in another; in each round otherwise.
      share: ((i + round) % own.length + random.next()) / own.length,
    };
  });
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
