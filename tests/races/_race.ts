/**
 * Several processes on the same sessions: started together, and their notes put together into one history a session.
 */
import { SessionError, type SessionStorage } from "@satchel/session";
import {
  type Finding,
  type Operation,
  refute,
  type Snapshot,
  STRICT,
} from "../../conformance/history/history.ts";
import { look } from "../../conformance/history/values.ts";
import type { Jar, Log, Ticket } from "../../conformance/history/work.ts";
import { create } from "../../conformance/history/log.ts";
import { type Port, portOf } from "../../conformance/trial/port.ts";

/** What happened to one session. */
export interface Track {
  /** The id that it began with. */
  readonly first: string;
  readonly history: Operation[];
}

/** The values of cookies alone: `null` then says that a save came too late. */
export function portTo(storage: SessionStorage): Port {
  return portOf({
    read: (value) => storage.read(value),
    save: (session, options) => storage.save(session, options),
  });
}

/** What an error of a storage says; any other is a mistake of this program or of the library. */
export function isConflict(error: unknown): boolean {
  const code = error instanceof SessionError ? error.code : undefined;
  if (code === "conflict") return true;
  if (code === "store-failed") return false;
  throw error;
}

/** Makes sessions for everybody to work on. */
export async function createTracks(
  port: Port,
  count: number,
  jar: Jar,
  clock: () => number,
): Promise<Track[]> {
  const tracks: Track[] = [];
  for (let session = 0; session < count; session++) {
    const history: Operation[] = [];
    const log: Log = {
      begin: (_, begun) => (ended) => void history.push({ ...begun, ...ended }),
    };
    const { id } = await create(session, { port, jar, log, clock }, "first");
    tracks.push({ first: id, history });
  }
  return tracks;
}

/** Reads a session under every id that it ever had, when everybody is done. */
export async function readLast(
  port: Port,
  tickets: readonly Ticket[],
  now: () => number,
): Promise<Operation[]> {
  const reads: Operation[] = [];
  for (const { id, cookie } of tickets) {
    const start = now();
    const saw = look(await port.read(cookie));
    const begun = { process: "last", kind: "read", id, start } as const;
    const end = now();
    reads.push(
      Object.keys(saw).length > 0
        ? { ...begun, end, outcome: "ok", saw }
        : { ...begun, end, outcome: "gone" },
    );
  }
  return reads;
}

/** A finding in words. */
export function describe({ operation, possible }: Finding): string {
  return `no order explains ${JSON.stringify(operation)}; before it: ${
    possible.map((state) => JSON.stringify(state)).join(" or ")
  }`;
}

/** What cannot be explained of some sessions, and what is missing in them. Times may be wrong by `slack`. */
export function findings(tracks: readonly Track[], slack: number): string[] {
  return tracks.flatMap(({ first, history }) => {
    const finding = refute(history, first, { ...STRICT, slack });
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
