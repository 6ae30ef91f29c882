/**
 * One session on trial: what nothing explains, and the few operations that contradict each other.
 *
 * @module
 */
import {
  type Anomaly,
  type AnomalyKind,
  LAST,
  type Logged,
  type Track,
} from "./anomaly.ts";
import {
  type Finding,
  type Model,
  refute,
  type Snapshot,
  SOMETHING,
  type State,
} from "./history.ts";
import { MARK, sessionOf } from "./values.ts";

/** One session on trial. */
export class Case {
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

  /** What is wrong with it: at most one anomaly of each kind. */
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
