/**
 * Several processes on the same sessions: started together, and their notes put together into one history a session.
 */
import type { SessionStorage } from "@satchel/session";
import { describe, type Operation, refute, type Snapshot } from "./_history.ts";
import { type Begun, type Jar, look } from "./_work.ts";

/** What happened to one session. */
export interface Track {
  /** The id that it began with. */
  readonly first: string;
  readonly history: readonly Operation[];
}

/**
 * Milliseconds of one clock for all processes of this machine.
 *
 * Each process adds what has passed since it began to the time at which it did: on Linux, six processes were found to
 * agree to 5 µs. Where somebody sets the machine's clock between the starts of two processes they do not, and a race
 * may be found where there is none.
 */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}

/** More than what clocks of two processes differ by, in milliseconds. */
export const SLACK: number = 0.2;

/** Makes sessions for everybody to work on. */
export async function createTracks(
  storage: SessionStorage,
  count: number,
  jar: Jar,
  now: () => number,
): Promise<Operation[][]> {
  const tracks: Operation[][] = [];
  for (let i = 0; i < count; i++) {
    const session = await storage.read(null);
    const start = now();
    const sets = { a: "0", b: "0" };
    for (const [key, text] of Object.entries(sets)) session.set(key, text);
    const id = await storage.save(session);
    if (!id) throw new Error("Cannot race: the session was not stored");
    jar.add(i, id);
    const begun: Begun = { process: "first", kind: "commit", id, sets, start };
    tracks.push([{ ...begun, end: now(), outcome: "ok", saw: sets }]);
  }
  return tracks;
}

/** Reads a session under every id that it ever had, when everybody is done. */
export async function readLast(
  storage: SessionStorage,
  ids: readonly string[],
  now: () => number,
): Promise<Operation[]> {
  const reads: Operation[] = [];
  for (const id of ids) {
    const start = now();
    const session = await storage.read(id);
    const begun: Begun = { process: "last", kind: "read", id, start };
    const end = now();
    reads.push(
      session.id === id
        ? { ...begun, end, outcome: "ok", saw: look(session) }
        : { ...begun, end, outcome: "gone" },
    );
  }
  return reads;
}

/** What cannot be explained of some sessions, and what is missing in them. */
export function findings(
  tracks: readonly Track[],
  slack: number = SLACK,
): string[] {
  return tracks.flatMap(({ first, history }) => {
    const finding = refute(history, first, slack);
    return [...finding ? [describe(finding)] : [], ...missing(history)];
  });
}

/**
 * Counts by hand: what a process was last told to be stored under its own keys must be there in the end, and nothing
 * else may be. Of processes that were told of every commit's outcome, in a session that still has its first id.
 */
function missing(history: readonly Operation[]): string[] {
  const last = history.findLast(({ process }) => process === "last");
  if (!last?.saw || history.some(({ next }) => next !== undefined)) return [];
  const unsure = new Set(
    history.filter(({ outcome, kind }) =>
      outcome === "unknown" && kind === "commit"
    ).map(({ process }) => process),
  );
  const expected = new Map<string, string>();
  const commits = history.filter(({ kind, outcome, process }) =>
    kind === "commit" && outcome === "ok" && !unsure.has(process)
  ).sort((a, b) => a.end - b.end);
  for (const { sets = {}, process } of commits) {
    for (const [key, text] of Object.entries(sets)) {
      if (!isOf(key, process)) continue;
      if (text === null) expected.delete(key);
      else expected.set(key, text);
    }
  }
  const names = new Set(commits.map(({ process }) => process));
  const found: Snapshot = last.saw;
  const there = Object.keys(found).filter((key) =>
    [...names].some((name) => isOf(key, name))
  );
  return [...new Set([...expected.keys(), ...there])]
    .filter((key) => expected.get(key) !== found[key])
    .map((key) => `${key}: ${found[key]} instead of ${expected.get(key)}`);
}

function isOf(key: string, process: string): boolean {
  return key === process || key.startsWith(`${process}.`);
}

/** How often something came of commits; of reads, how many there were. */
export interface Counts {
  readonly ok: number;
  readonly late: number;
  readonly conflict: number;
  readonly unknown: number;
  readonly read: number;
}

/** Counts the operations of some sessions. */
export function countsOf(tracks: readonly Track[]): Counts {
  const all = tracks.flatMap(({ history }) => history);
  const commits = (outcome: Operation["outcome"]) =>
    all.filter((each) => each.kind !== "read" && each.outcome === outcome)
      .length;
  return {
    ok: commits("ok"),
    late: commits("gone"),
    conflict: commits("conflict"),
    unknown: commits("unknown"),
    read: all.filter(({ kind }) => kind === "read").length,
  };
}
