/**
 * Which rules histories break that nothing explains.
 *
 * @module
 */
import type { Anomaly, Logged, Track } from "./anomaly.ts";
import { Case } from "./case.ts";
import type { Model } from "./history.ts";
import { MARK } from "./values.ts";

/** A process without the number of its life. */
function baseOf(process: string): string {
  return process.replace(/~\d+$/, "");
}

/**
 * Judges the histories of all sessions.
 *
 * @param tracks The sessions.
 * @param model What the storage promises.
 * @param killed The names of the processes that were killed.
 * @returns At most a few anomalies for each session.
 */
export function judge(
  tracks: readonly Track[],
  model: Model,
  killed: ReadonlySet<string>,
): Anomaly[] {
  const twice = findTwice(tracks);
  // What two sessions hold under one id cannot be told apart any more.
  const shared = new Set(twice.flatMap(({ sessions }) => sessions));
  const found = twice.map(({ anomaly }) => anomaly);
  for (const track of tracks) {
    if (!shared.has(track.session)) {
      found.push(...new Case(track, tracks, model).anomalies());
    }
  }
  return assign(found, tracks, killed);
}

/** The last saves of a process that was killed are lost with it, if no other process ever saw anything of them. */
function assign(
  found: readonly Anomaly[],
  tracks: readonly Track[],
  killed: ReadonlySet<string>,
): Anomaly[] {
  const all = tracks.flatMap(({ created, history }) => [created, ...history]);
  const isTaken = (write: Logged | undefined): boolean => {
    const name = baseOf(write?.process ?? "");
    if (!write?.sets || !killed.has(name)) return false;
    const seen = new Set(
      all.filter(({ process }) => baseOf(process) !== name)
        .flatMap(({ saw = {} }) => Object.values(saw)),
    );
    return all.filter(({ process, start }) =>
      baseOf(process) === name && start >= write.start
    ).every(({ sets = {} }) =>
      Object.values(sets).every((text) => text === null || !seen.has(text))
    );
  };
  return found.map((each) =>
    (each.kind === "lost" || each.kind === "old") && isTaken(each.write)
      ? { ...each, kind: "half", reason: `${each.reason}; it was killed later` }
      : each
  );
}

function findTwice(
  tracks: readonly Track[],
): { anomaly: Anomaly; sessions: number[] }[] {
  const given = new Map<string, { session: number; event: Logged }[]>();
  for (const { session, created, history } of tracks) {
    const named = history.filter(({ next, outcome }) =>
      next !== undefined && outcome === "ok"
    );
    for (const event of [created, ...named]) {
      const id = event.next ?? event.id;
      const all = given.get(id) ?? [];
      given.set(id, all);
      all.push({ session, event });
    }
  }
  return [...given.values()].filter((all) => all.length > 1).map((all) => {
    const sessions = all.map(({ session }) => session);
    const events = all.map(({ event }) => event)
      .sort((a, b) => a.start - b.start).slice(0, 2);
    const [one, two] = events;
    return {
      sessions,
      anomaly: {
        kind: "twice" as const,
        session: sessions[0] ?? 0,
        reason:
          `the session that ${two?.process} made was given the id of a session that ${one?.process} made`,
        ...{ events, keys: [MARK] },
      },
    };
  });
}
