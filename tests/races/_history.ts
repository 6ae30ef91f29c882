/**
 * Whether what several processes saw of one session can be explained: by an order of their operations, one after the
 * other, that agrees with the clock, and in which each sees what those before it did.
 *
 * That is linearizability (Herlihy and Wing 1990), of the whole session rather than of each key: a read shows all keys
 * at once, and a commit that was acknowledged shows what it left. So a lost update, a stale or a torn read, a flash
 * seen twice and an id that lives again are all one finding: no such order exists. The search goes through the history
 * event by event and keeps every state that is still possible (Lowe 2017, "just-in-time linearization"). It is
 * exponential in how many operations overlap, which is as many as there are processes, and linear in the rest.
 */

/** Keys and what is under them. */
export type Snapshot = Readonly<Record<string, string>>;

/** What one process did, and what came of it. */
export interface Operation {
  /** Who. A process whose operation came to nothing known goes on under another name. */
  readonly process: string;
  readonly kind: "read" | "commit" | "destroy";
  /** The session's id, as the process knew it. */
  readonly id: string;
  /** Keys set, each to a text that is never written again, and keys unset (`null`). */
  readonly sets?: Readonly<Record<string, string | null>>;
  /** Flashes consumed, as they were read. */
  readonly takes?: Snapshot;
  /** The id that the session was given. */
  readonly next?: string;
  /** When it began, and when its outcome was known: `Infinity` where it never was. */
  readonly start: number;
  readonly end: number;
  /**
   * - `ok`: done
   * - `gone`: there was no session under the id
   * - `conflict`: not done, because others got in between
   * - `unknown`: done or not, now or later
   */
  readonly outcome: "ok" | "gone" | "conflict" | "unknown";
  /** All that the session held, of a read or, after it, of a commit; {@linkcode SOMETHING} for a flash left unread. */
  readonly saw?: Snapshot;
}

/** A flash that is there, whatever it says. */
export const SOMETHING = "?";

/** A session as it may have been. */
export interface State {
  /** The ids that it has had; the last is alive, unless the session is over. */
  readonly ids: readonly string[];
  /** What it holds; `undefined` where it is over. */
  readonly values: Snapshot | undefined;
}

/** An operation that nothing explains. */
export interface Finding {
  readonly operation: Operation;
  /** How the session may have stood before it. */
  readonly possible: readonly State[];
}

/** A way in which it may have gone so far: what stands, and which of the operations under way are part of that. */
interface Path {
  readonly state: State;
  readonly done: ReadonlySet<Operation>;
}

/**
 * Looks for an order that explains a history of one session.
 *
 * @param history The operations, in any order.
 * @param first The id under which the session, still empty, was created.
 * @param slack Milliseconds by which clocks of two processes may differ.
 * @returns The first operation, by its end, up to which there is no such order.
 */
export function refute(
  history: readonly Operation[],
  first: string,
  slack = 0,
): Finding | undefined {
  let paths: Path[] = [{
    state: { ids: [first], values: {} },
    done: new Set(),
  }];
  const open = new Set<Operation>();
  for (const { operation, ends } of eventsOf(relevant(history), slack)) {
    if (!ends) {
      open.add(operation);
      paths = paths.map((path) => withReads(path, open));
      continue;
    }
    const next = settle(paths, operation, open);
    if (next.length === 0) {
      return { operation, possible: paths.map(({ state }) => state) };
    }
    paths = next;
    open.delete(operation);
  }
  return undefined;
}

/** A finding in words. */
export function describe({ operation, possible }: Finding): string {
  return `no order explains ${JSON.stringify(operation)}; before it: ${
    possible.map((state) => JSON.stringify(state)).join(" or ")
  }`;
}

/**
 * The operations that have something to explain.
 *
 * A commit whose outcome is unknown counts if anybody saw what it wrote, and then it was done before that. If nobody
 * did, leaving it out changes nothing for anybody: texts are written once, and its process wrote to those keys no more.
 * It may have ended the id that it was to replace, all the same. Where somebody came with the id that it gave, it was
 * told of, and done: its process was killed before it could say so.
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
  return history.flatMap((operation) => {
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

/** Beginnings and ends in the order of time. What is never over has no end: it explains, and needs no explanation. */
function eventsOf(
  history: readonly Operation[],
  slack: number,
): { operation: Operation; ends: boolean }[] {
  const events: { operation: Operation; ends: boolean; at: number }[] = [];
  const lasts = new Map<string, number>();
  for (const operation of history.toSorted((a, b) => b.start - a.start)) {
    const { process, start, end } = operation;
    events.push({ operation, ends: false, at: start });
    // A process does one thing after the other, and by one clock.
    const next = Math.max(end, lasts.get(process) ?? Infinity);
    const at = Math.min(end + slack, (end + next) / 2);
    if (at < Infinity) events.push({ operation, ends: true, at });
    lasts.set(process, start);
  }
  // What begins as another ends overlaps with it.
  return events.sort((a, b) => a.at - b.at || Number(a.ends) - Number(b.ends));
}

/** All ways on from `paths` in which `operation`, which has ended, is done. */
function settle(
  paths: readonly Path[],
  operation: Operation,
  open: ReadonlySet<Operation>,
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
    for (const each of open) {
      if (path.done.has(each)) continue;
      const state = apply(path.state, each);
      if (!state) continue;
      const done = new Set(path.done).add(each);
      todo.push(withReads({ state, done }, open));
    }
  }
  return settled;
}

/** Does at once what is possible and changes nothing: waiting could only make it impossible. */
function withReads(path: Path, open: ReadonlySet<Operation>): Path {
  const done = new Set(path.done);
  for (const each of open) {
    if (each.outcome === "unknown" || done.has(each)) continue;
    if (apply(path.state, each) === path.state) done.add(each);
  }
  return { state: path.state, done };
}

/** What an operation makes of a session; `undefined` where it cannot have gone that way. */
function apply(state: State, operation: Operation): State | undefined {
  const { kind, id, outcome, saw, next } = operation;
  const { ids, values } = state;
  // Nobody knows an id before there is one.
  if (!ids.includes(id)) return undefined;
  // Whoever had the session ends it, under whatever id it has by now.
  if (kind === "destroy") return values ? { ids, values: undefined } : state;
  const alive = values !== undefined && ids.at(-1) === id;
  if (outcome === "gone") return alive ? undefined : state;
  if (!alive) return undefined;
  // Of an id that was given and never told, nobody knows.
  const ends = outcome === "unknown" && next !== undefined;
  if (ends) return { ids, values: undefined };
  const after = kind === "read" ? values : written(values, operation);
  if (saw && !shows(after, saw)) return undefined;
  if (kind === "read") return state;
  return { ids: next === undefined ? ids : [...ids, next], values: after };
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

function shows(values: Snapshot, saw: Snapshot): boolean {
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
