/**
 * Whether there is an explanation for what several processes saw of one session: an order of their operations, one
 * after the other, that agrees with the clock, and in which each operation sees what those before it did.
 *
 * That is linearizability (Herlihy and Wing 1990), of the whole session rather than of each key: a read shows all keys
 * at once. So a lost update, a stale or a torn read, a flash that is seen twice and an id that works again are all one
 * finding: no such order exists. The search goes through the history event by event and keeps every state that is still
 * possible (Lowe 2017, "just-in-time linearization"). It is exponential in how many operations overlap, which is as many
 * as there are processes, and linear in the rest.
 *
 * @module
 */

/** Keys and what is under them. */
export type Snapshot = Readonly<Record<string, string>>;

/** What one process did, and what came of it. */
export interface Operation {
  /** Which process. After an operation with an unknown outcome, a process continues under another name. */
  readonly process: string;
  readonly kind: "read" | "commit" | "destroy";
  /** The session's id, as the process knew it. */
  readonly id: string;
  /** Keys set, each to a text that is never written again, and keys unset (`null`). */
  readonly sets?: Readonly<Record<string, string | null>>;
  /** Flashes consumed, as they were read. */
  readonly takes?: Snapshot;
  /** All that the session object held when it was saved, of a storage whose last writer wins. */
  readonly whole?: Snapshot;
  /** The id that the session was given. */
  readonly next?: string;
  /** When it began, and when its outcome was known: `Infinity` if it never was. */
  readonly start: number;
  readonly end: number;
  /**
   * - `ok`: done
   * - `answered`: done if the session was alive, and dropped if it was not; the answer does not say which
   * - `gone`: there was no session under the id
   * - `conflict`: not done, because others got in between
   * - `unknown`: done or not, now or later
   */
  readonly outcome: "ok" | "answered" | "gone" | "conflict" | "unknown";
  /** All that the session held, of a read or, after it, of a commit; {@linkcode SOMETHING} for a flash left unread. */
  readonly saw?: Snapshot;
  /** Whether its process was killed before the outcome was known. */
  readonly killed?: boolean;
}

/** An unread flash, whatever its text. */
export const SOMETHING = "?";

/** What a storage promises, as far as it decides what an operation does. */
export interface Model {
  /** Commits of different keys at once are both kept. Without it, the last one may replace all that the session held. */
  readonly merge: boolean;
  /** A destroy under an id that was replaced ends the session too. Without it, it may or may not. */
  readonly follow: boolean;
  /** How much the clocks of two processes may differ, in milliseconds. */
  readonly slack: number;
}

/** The strictest model, of processes with one clock. */
export const STRICT: Model = { merge: true, follow: true, slack: 0 };

/** A session as it may have been. */
export interface State {
  /** The ids that it has had; the last is alive, unless the session has ended. */
  readonly ids: readonly string[];
  /** What it holds; `undefined` if it has ended. */
  readonly values: Snapshot | undefined;
}

/** An operation that nothing explains. */
export interface Finding {
  readonly operation: Operation;
  /** The states of the session that were possible before it. */
  readonly possible: readonly State[];
}

/** One course of events that is still possible: the state, and the operations in progress that are already part of it. */
interface Path {
  readonly state: State;
  readonly done: ReadonlySet<Operation>;
}

/**
 * Looks for an order that explains a history of one session.
 *
 * @param history The operations, in any order.
 * @param first The id under which the session, still empty, was created.
 * @param model What the storage promises, and how exact the clock is.
 * @param keep Which operations have to be explained; the others only tell what became of those with an unknown outcome.
 * @returns The first operation, by its end, up to which there is no such order.
 */
export function refute(
  history: readonly Operation[],
  first: string,
  model: Model = STRICT,
  keep: (operation: Operation) => boolean = () => true,
): Finding | undefined {
  let paths: Path[] = [{
    state: { ids: [first], values: {} },
    done: new Set(),
  }];
  const open = new Set<Operation>();
  const kept = relevant(history).filter(keep);
  for (const { operation, ends } of eventsOf(kept, model.slack)) {
    if (!ends) {
      open.add(operation);
      paths = paths.map((path) => withReads(path, open, model));
      continue;
    }
    const next = settle(paths, operation, open, model);
    if (next.length === 0) {
      return { operation, possible: paths.map(({ state }) => state) };
    }
    paths = next;
    open.delete(operation);
  }
  return undefined;
}

/**
 * The operations that have something to explain.
 *
 * A commit whose outcome is unknown counts if a process saw what it wrote, and then it was done before that. If none
 * did, leaving it out changes nothing: texts are written once, and its process never writes to those keys again. It may
 * have ended the id that it was to replace, all the same. If a process used the id that it gave, the commit was done and
 * the id was known: its process was killed before it could say so.
 */
function relevant(history: readonly Operation[]): Operation[] {
  const seen = new Map<string, number>();
  const told = new Map<string, number>();
  for (const { id, start, saw = {}, end } of history) {
    told.set(id, Math.min(start, told.get(id) ?? Infinity));
    for (const text of Object.values(saw)) {
      seen.set(text, Math.min(end, seen.get(text) ?? Infinity));
    }
  }
  return history.flatMap((operation): Operation[] => {
    const { outcome, kind, sets = {}, next } = operation;
    if (outcome === "conflict") return [];
    if (outcome !== "unknown") return [operation];
    if (kind === "read") return [];
    const known = next === undefined ? undefined : told.get(next);
    if (known !== undefined) {
      return [{ ...operation, outcome: "ok", end: known }];
    }
    if (kind === "destroy" || next !== undefined) {
      return [{ ...operation, end: Infinity }];
    }
    const texts = Object.values(sets).filter((text) => text !== null);
    const end = Math.min(...texts.map((text) => seen.get(text) ?? Infinity));
    return end < Infinity ? [{ ...operation, end }] : [];
  });
}

/** Beginnings and ends in the order of time. An operation that never ends explains others, and needs no explanation. */
function eventsOf(
  history: readonly Operation[],
  slack: number,
): { operation: Operation; ends: boolean }[] {
  const events: { operation: Operation; ends: boolean; at: number }[] = [];
  for (const operation of history) {
    const { start, end } = operation;
    events.push({ operation, ends: false, at: start });
    const at = end + slack;
    if (at < Infinity) events.push({ operation, ends: true, at });
  }
  // An operation that begins as another ends overlaps with it.
  return events.sort((a, b) => a.at - b.at || Number(a.ends) - Number(b.ends));
}

/** All ways on from `paths` in which `operation`, which has ended, is done. */
function settle(
  paths: readonly Path[],
  operation: Operation,
  open: ReadonlySet<Operation>,
  model: Model,
): Path[] {
  const names = new Map([...open].map((each, i) => [each, i]));
  const known = new Set<string>();
  const settled: Path[] = [];
  const todo = [...paths];
  for (let path = todo.pop(); path; path = todo.pop()) {
    const key = keyOf(path, names);
    if (known.has(key)) continue;
    known.add(key);
    if (path.done.has(operation)) {
      const done = new Set(path.done);
      done.delete(operation);
      settled.push({ state: path.state, done });
      continue;
    }
    for (const each of ready(path.done, open)) {
      for (const state of after(path.state, each, model)) {
        const done = new Set(path.done).add(each);
        todo.push(withReads({ state, done }, open, model));
      }
    }
  }
  return settled;
}

/** Does at once what is possible and changes nothing: waiting could only make it impossible. */
function withReads(
  path: Path,
  open: ReadonlySet<Operation>,
  model: Model,
): Path {
  const done = new Set(path.done);
  for (const each of ready(done, open)) {
    if (each.outcome === "unknown") continue;
    const states = after(path.state, each, model);
    if (states.length === 1 && states[0] === path.state) done.add(each);
  }
  return { state: path.state, done };
}

/**
 * What may be done next. By its own clock, a process does one thing after the other, however much clocks differ. An
 * operation without a known end keeps no other waiting.
 */
function* ready(
  done: ReadonlySet<Operation>,
  open: ReadonlySet<Operation>,
): Generator<Operation> {
  const busy = new Set<string>();
  for (const each of open) {
    if (done.has(each) || busy.has(each.process)) continue;
    yield each;
    if (!done.has(each) && each.end < Infinity) busy.add(each.process);
  }
}

/** The states to which an operation may lead; none if it cannot have happened then. */
function after(state: State, operation: Operation, model: Model): State[] {
  const { kind, id, outcome, saw, next } = operation;
  const { ids, values } = state;
  // No process knows an id before there is one.
  if (!ids.includes(id)) return [];
  const current = ids.at(-1) === id;
  if (kind === "destroy") {
    if (!values) return [state];
    const ended = { ids, values: undefined };
    return current || model.follow ? [ended] : [state, ended];
  }
  const alive = values !== undefined && current;
  if (outcome === "gone") return alive ? [] : [state];
  if (!alive) return outcome === "answered" ? [state] : [];
  // An id that was given and never reported is known to no process.
  if (outcome === "unknown" && next !== undefined) {
    return [{ ids, values: undefined }];
  }
  if (kind === "read") return !saw || shows(values, saw) ? [state] : [];
  const results = [written(values, operation)];
  if (!model.merge && operation.whole) results.push(operation.whole);
  return results.filter((held) => !saw || shows(held, saw)).map((held) => ({
    ids: next === undefined ? ids : [...ids, next],
    values: held,
  }));
}

function written(
  values: Snapshot,
  { sets = {}, takes = {} }: Operation,
): Snapshot {
  const all = new Map(Object.entries(values));
  for (const [key, text] of Object.entries(takes)) {
    if (all.get(key) === text) all.delete(key);
  }
  for (const [key, text] of Object.entries(sets)) {
    if (text === null) all.delete(key);
    else all.set(key, text);
  }
  return Object.fromEntries(all);
}

/** Whether a session that holds `values` looks like `saw`. */
export function shows(values: Snapshot, saw: Snapshot): boolean {
  const keys = Object.keys(saw);
  return keys.length === Object.keys(values).length &&
    keys.every((key) =>
      key in values && (saw[key] === SOMETHING || saw[key] === values[key])
    );
}

function keyOf(
  { state, done }: Path,
  names: ReadonlyMap<Operation, number>,
): string {
  const values = Object.entries(state.values ?? {})
    .sort(([a], [b]) => a < b ? -1 : 1);
  const numbers = [...done].map((each) => names.get(each)).sort();
  return JSON.stringify([state.ids, !state.values, values, numbers]);
}
