/**
 * Which rule a history breaks that nothing explains, and the few operations that contradict each other.
 *
 * @module
 */
import {
  type Finding,
  type Model,
  type Operation,
  refute,
  type Snapshot,
  SOMETHING,
  type State,
} from "./history.ts";
import { MARK, sessionOf } from "./work.ts";

/**
 * What is wrong.
 *
 * - `lost`: a save that was answered, or the whole session, is gone
 * - `back`: a session works under an id that was destroyed or replaced
 * - `mixed`: a session holds what was saved in another
 * - `old`: a read shows what was there before
 * - `made-up`: a read shows what no process saved, or half of a save
 * - `twice`: two sessions were given one id
 * - `half`: a process that was killed left half a save, or one of its saves that was answered is lost with it
 */
export type AnomalyKind =
  | "lost"
  | "back"
  | "mixed"
  | "old"
  | "made-up"
  | "twice"
  | "half";

/** An operation, and the error that ended it. */
export type Logged = Operation & { readonly error?: string };

/** What happened to one session. */
export interface Track {
  readonly session: number;
  /** How it was created. */
  readonly created: Logged;
  /** Everything else. */
  readonly history: readonly Logged[];
}

/** Something that nothing explains. */
export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly session: number;
  readonly reason: string;
  /** The operations that contradict each other, the failing one last. */
  readonly events: readonly Logged[];
  /** The keys that they disagree about. */
  readonly keys: readonly string[];
  /** The save that is lost, or not seen. */
  readonly write?: Logged;
}

/** The process that reads everything when all others have ended. */
export const LAST = "last";

/** A process without the number of its life. */
export function baseOf(process: string): string {
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

/** One session on trial. */
class Case {
  readonly #track: Track;
  readonly #all: readonly Track[];
  readonly #model: Model;
  readonly #writers = new Map<string, Logged>();

  constructor(track: Track, all: readonly Track[], model: Model) {
    this.#track = track;
    this.#all = all;
    this.#model = model;
    for (const each of [track.created, ...track.history]) {
      for (const text of Object.values(each.sets ?? {})) {
        if (text !== null) this.#writers.set(text, each);
      }
    }
  }

  anomalies(): Anomaly[] {
    const { created, history } = this.#track;
    const found = new Map<AnomalyKind, Anomaly>();
    const sound: Logged[] = [created];
    for (const each of history) {
      const anomaly = this.#wrongValue(each) ?? this.#unreadable(each);
      if (!anomaly) sound.push(each);
      else if (!found.has(anomaly.kind)) found.set(anomaly.kind, anomaly);
    }
    // First without reads: if the saves cannot be explained, reads say nothing new. Then with them.
    const saves = refute(
      sound,
      created.id,
      this.#model,
      ({ kind, process }) => kind !== "read" || process === LAST,
    );
    const finding = saves ?? refute(sound, created.id, this.#model);
    if (finding) {
      const anomaly = this.#explain(finding, sound, saves !== undefined);
      if (!found.has(anomaly.kind)) found.set(anomaly.kind, anomaly);
    }
    return [...found.values()];
  }

  /** A read that shows what was never in the session. */
  #wrongValue(read: Logged): Anomaly | undefined {
    if (!read.saw) return undefined;
    for (const [key, text] of Object.entries(read.saw)) {
      if (text === SOMETHING) continue;
      const session = sessionOf(text);
      const writer = this.#writers.get(text);
      if (session !== undefined && session !== this.#track.session) {
        return this.#anomaly(
          "mixed",
          [
            ...this.#writerIn(session, text),
            read,
          ],
          [key],
          `${read.process} read what was saved in session ${session}`,
        );
      }
      if (!writer || writer.sets?.[key] !== text) {
        const events = writer ? [writer, read] : [read];
        return this.#anomaly("made-up", events, [key], `no process saved that`);
      }
      if (writer.outcome === "conflict") {
        const reason =
          `the save of ${writer.process} was refused as a conflict`;
        return this.#anomaly("made-up", [writer, read], [key], reason);
      }
    }
    const { a, b } = read.saw;
    const isWhole = a === b && MARK in read.saw;
    if (isWhole) return undefined;
    const writers = [a, b].map((text) => this.#writers.get(text ?? ""))
      .filter((each) => each !== undefined);
    const cut = writers.find(({ killed }) => killed) ?? this.#cut(read);
    return this.#anomaly(
      cut ? "half" : "made-up",
      [...cut ? [cut] : writers, read],
      ["a", "b", MARK],
      `${read.process} read half of a save`,
    );
  }

  /** A session that cannot be read any more when every process has ended. */
  #unreadable(read: Logged): Anomaly | undefined {
    if (read.process !== LAST || read.outcome !== "unknown") return undefined;
    const cut = this.#cut(read);
    return this.#anomaly(
      cut ? "half" : "lost",
      [cut ?? this.#lastSave(read), read],
      [],
      `the session cannot be read any more: ${read.error ?? "it failed"}`,
    );
  }

  #explain(
    { operation, possible }: Finding,
    history: readonly Logged[],
    isSave: boolean,
  ): Anomaly {
    const last: Logged = operation;
    const alive = possible.filter(({ ids, values }) =>
      values && ids.at(-1) === last.id
    );
    if (last.outcome === "gone") {
      const cut = this.#cut(last);
      return this.#anomaly(
        cut ? "half" : isSave ? "lost" : "old",
        [cut ?? this.#lastSave(last), last],
        [],
        "the session is not there",
      );
    }
    if (alive.length === 0) return this.#afterEnd(last, history, isSave);
    return this.#wrongState(last, alive, history, isSave);
  }

  /** A session that is there under an id that has ended. */
  #afterEnd(
    last: Logged,
    history: readonly Logged[],
    isSave: boolean,
  ): Anomaly {
    const end = history.filter(({ kind, id, next, outcome }) =>
      (kind === "destroy" || next !== undefined && id === last.id) &&
      outcome === "ok"
    ).sort((a, b) => a.end - b.end).find(({ end }) => end <= last.end);
    const late = this.#writersOf(last.saw).find((each) =>
      end !== undefined && each.end > end.end
    );
    const how = end?.kind === "destroy" ? "destroyed" : "given a new id";
    const events = [end, late].filter((each) => each !== undefined);
    return this.#anomaly(
      isSave || late ? "back" : "old",
      [...events, last],
      late ? Object.keys(late.sets ?? {}) : [],
      `the session was ${how}, and ${last.process} finds it under the old id`,
    );
  }

  /** A session that holds something else than it can. */
  #wrongState(
    last: Logged,
    possible: readonly State[],
    history: readonly Logged[],
    isSave: boolean,
  ): Anomaly {
    const saw = last.saw ?? {};
    const [key, want] = nearest(possible, saw);
    const torn = this.#writersOf(saw).find((each) => this.#isTorn(each, last));
    if (torn && !torn.killed) {
      return this.#anomaly(
        "made-up",
        [torn, last],
        Object.keys(torn.sets ?? {}),
        `${last.process} read half of a save`,
      );
    }
    const cut = torn;
    const write = want === undefined
      ? history.findLast(({ sets = {}, end }) =>
        sets[key] === null && end <= last.end
      )
      : history.filter(({ sets, whole, end }) =>
        end <= last.end && (sets?.[key] === want || whole?.[key] === want)
      ).sort((a, b) => a.end - b.end).at(-1) ?? this.#writers.get(want);
    const other =
      history.filter(({ process, kind, saw, start }) =>
        !isSave && kind === "read" && start < last.start && write &&
        process !== last.process && want !== undefined && saw?.[key] === want
      ).at(-1) ?? (isSave ? this.#overwriter(write, last) : undefined);
    const events = [cut ?? write, other].filter((each) => each !== undefined);
    const which = want === undefined ? "removed" : "saved";
    return this.#anomaly(
      cut ? "half" : isSave ? "lost" : "old",
      [...events, last],
      cut ? Object.keys(cut.sets ?? {}) : [key],
      cut
        ? `${cut.process} was killed, and half of its save is there`
        : `what ${write?.process ?? "a process"} was told is ${which} is not ${
          isSave ? "so in the end" : "so for a later read"
        }`,
    );
  }

  /**
   * Whether a read shows a part of a save, and something older where the rest of it belongs. Of a save that was answered
   * before, the rest was there or is late: that is another fault.
   */
  #isTorn(write: Logged, read: Logged): boolean {
    const { saw = {} } = read;
    if (write.end < read.start) return false;
    return Object.entries(write.sets ?? {}).some(([key, text]) => {
      const seen = saw[key];
      if (seen === (text ?? undefined) || seen === SOMETHING) return false;
      if (seen === undefined) {
        return !this.#track.history.some(({ sets = {}, start, end }) =>
          sets[key] === null && end >= write.start && start <= read.end
        );
      }
      const other = this.#writers.get(seen);
      return other !== undefined && other.end < write.start;
    });
  }

  /** The save after a lost one whose values are still there. */
  #overwriter(write: Logged | undefined, last: Logged): Logged | undefined {
    return this.#writersOf(last.saw).filter((each) =>
      write && each !== write && each.end > write.start && !each.next
    ).sort((a, b) => a.end - b.end)[0];
  }

  /** A save that was in progress when its process was killed, before a read ended. */
  #cut(read: Logged): Logged | undefined {
    return this.#track.history.findLast(({ killed, kind, start }) =>
      killed && kind === "commit" && start < read.end
    );
  }

  #lastSave(before: Logged): Logged {
    return this.#track.history.filter(({ kind, outcome, end }) =>
      kind === "commit" && (outcome === "ok" || outcome === "answered") &&
      end <= before.start
    ).sort((a, b) => a.end - b.end).at(-1) ?? this.#track.created;
  }

  #writersOf(saw: Snapshot = {}): Logged[] {
    return [...new Set(Object.values(saw))].flatMap((text) =>
      this.#writers.get(text) ?? []
    );
  }

  #writerIn(session: number, text: string): Logged[] {
    const track = this.#all.find((each) => each.session === session);
    const all = track ? [track.created, ...track.history] : [];
    return all.filter(({ sets = {} }) => Object.values(sets).includes(text))
      .slice(0, 1);
  }

  /** An anomaly. Of its events, the failing one comes last; the save that it contradicts is the first that is given. */
  #anomaly(
    kind: AnomalyKind,
    events: readonly Logged[],
    keys: readonly string[],
    reason: string,
  ): Anomaly {
    const last = events.slice(-1);
    const before = [...new Set(events.slice(0, -1))]
      .sort((a, b) => a.start - b.start);
    return {
      ...{ kind, session: this.#track.session, reason, keys },
      events: [...before, ...last],
      ...events.length > 1 && events[0] ? { write: events[0] } : {},
    };
  }
}

/** The key in which a read differs from the state that is most like it, and what that state has there. */
function nearest(
  possible: readonly State[],
  saw: Snapshot,
): readonly [string, string | undefined] {
  const differences = possible.map(({ values = {} }) =>
    [...new Set([...Object.keys(values), ...Object.keys(saw)])]
      .filter((key) => values[key] !== saw[key] && saw[key] !== SOMETHING)
      .map((key) => [key, values[key]] as const)
  ).sort((a, b) => a.length - b.length);
  return differences[0]?.[0] ?? [MARK, undefined];
}
