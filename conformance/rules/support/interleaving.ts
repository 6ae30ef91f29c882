/**
 * Requests of one visitor that overlap, and their possible results.
 *
 * @module
 */
import { alike } from "../../trial/alike.ts";
import {
  act,
  apply,
  copyOf,
  type Entries,
  fits,
  noEntries,
  observe,
  type Op,
  view,
} from "./model.ts";
import { Violation } from "../../trial/port.ts";
import type { Trial } from "../../trial/trial.ts";
import type { VisitorRequest } from "../../trial/visitor.ts";

/** Several requests on one cookie, each begun before any is saved. */
export interface Scenario {
  /** What each request does. */
  readonly programs: readonly (readonly Op[])[];
  /** Whose turn it is, step by step. The rest follows in order. */
  readonly turns: readonly number[];
  /** Whether all saves run at the same time, rather than in turn. */
  readonly parallel: boolean;
}

const KEYS = ["user", "a", "b", "c", "news", "notice"];

/** What is stored before; `c` is absent. */
const BASE: readonly Op[] = [
  { do: "set", key: "user", value: "u1" },
  { do: "set", key: "a", value: 0 },
  { do: "set", key: "b", value: 0 },
  { do: "flash", key: "notice", value: "Saved" },
];

/**
 * The operations for some numbers, one for each key.
 *
 * The effect of each does not depend on other requests: an unset finds its key, and a flash is either read by these
 * requests or set by them. Otherwise a merged change could look like a lost one.
 */
export function programOf(numbers: readonly number[], who: number): Op[] {
  const ops: Op[] = [];
  const used = new Set<string>();
  for (const [i, n] of numbers.entries()) {
    const value = `${who}.${i}`;
    const menu: readonly Op[] = [
      { do: "set", key: "a", value },
      { do: "set", key: "b", value },
      { do: "set", key: "c", value },
      { do: "unset", key: "a" },
      { do: "unset", key: "b" },
      { do: "get", key: "notice" },
      { do: "flash", key: "news", value },
      { do: "get", key: "user" },
      { do: "regenerate" },
      { do: "destroy" },
    ];
    const op = menu[n % menu.length] as Op;
    const key = "key" in op ? op.key : op.do;
    if (used.has(key)) continue;
    used.add(key);
    ops.push(op);
    if (op.do === "destroy") break;
  }
  return ops;
}

/**
 * Plays a scenario in a namespace of its own.
 *
 * @throws {Violation} If the result is neither that of a serial order nor a declared conflict.
 */
export async function interleave(
  t: Trial,
  { programs, turns, parallel }: Scenario,
): Promise<void> {
  const visitor = await t.visitor(await t.open({}));
  const base = noEntries();
  await visitor.visit((request) => {
    for (const op of BASE) {
      if (!fits(op, t, request)) continue;
      act(request, op);
      apply(base, op);
    }
  });
  await t.settle();
  const { cookie: first } = visitor;
  const actors: Actor[] = [];
  for (const program of programs) {
    const request = await visitor.request();
    const ops = program.filter((op) => fits(op, t, request));
    actors.push({ request, ops, steps: stepsOf(request, ops) });
  }
  await playInTurn(actors, turns, parallel);
  await t.settle();
  const allowed = outcomes(t, base, actors);
  const sent = actors.flatMap(({ request: { sent } }) =>
    sent.kind === "cookie" ? [sent.cookie] : []
  );
  // A cookie that was sent may have ended before its response arrives. If ids can end, only live ones count.
  const byId = t.claims("revoke") && !t.claims("selfContained");
  const cookies = byId ? new Set([first, ...sent]) : [visitor.cookie];
  const states = [];
  for (const cookie of cookies) {
    const { seen } = await observe(visitor.storage, cookie, KEYS);
    const ended = actors.some(({ ops, request }) =>
      ops.some((op) => op.do === "destroy") ||
      ops.some((op) => op.do === "regenerate") && request.sent.kind === "cookie"
    );
    const isEmpty = Object.keys(seen).length === 0;
    if (byId && ended && cookie === first && !isEmpty) {
      throw new Violation("the old id is valid again", { got: seen, want: {} });
    }
    if (!byId || !isEmpty) states.push(seen);
  }
  for (const got of states.length > 0 ? states : [{}]) {
    if (allowed.some((want) => alike(got, want))) continue;
    throw new Violation("no order of the requests leads to this state", {
      got,
      want: { oneOf: allowed },
    });
  }
}

interface Actor {
  readonly request: VisitorRequest;
  readonly ops: readonly Op[];
  readonly steps: (() => unknown)[];
}

function stepsOf(request: VisitorRequest, ops: readonly Op[]) {
  const steps = ops.filter((op) => op.do !== "destroy").map((op) => {
    return (): unknown => act(request, op);
  });
  const ends = ops.some((op) => op.do === "destroy");
  return [...steps, () => ends ? request.destroy() : request.save()];
}

async function playInTurn(
  actors: readonly Actor[],
  turns: readonly number[],
  parallel: boolean,
): Promise<void> {
  const queues = actors.map(({ steps }) => [...steps]);
  const saves: Promise<unknown>[] = [];
  for (let i = 0; queues.some((queue) => queue.length > 0); i++) {
    const waiting = queues.filter((queue) => queue.length > 0);
    const queue = waiting[(turns[i] ?? 0) % waiting.length];
    const result = queue?.shift()?.();
    if (!(result instanceof Promise)) continue;
    // This many steps ahead of the next.
    for (let j = turns[i] ?? 0; parallel && j > 0; j--) await null;
    if (parallel) saves.push(result);
    else await result;
  }
  await settled(saves);
}

async function settled(promises: Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(promises);
  await Promise.all(promises);
}

/** The possible results of the requests, as {@linkcode observe} shows them. */
function outcomes(
  t: Trial,
  base: Entries,
  actors: readonly Actor[],
): Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  for (const order of orders(actors)) {
    if (!mayLeaveOut(t, order, actors)) continue;
    let entries: Entries | undefined = copyOf(base);
    for (const { ops } of order) {
      if (!entries) break;
      for (const op of ops) apply(entries, op);
      if (ops.some((op) => op.do === "destroy")) entries = undefined;
    }
    const seen = entries ? view(entries, KEYS) : {};
    if (!found.some((other) => alike(other, seen))) found.push(seen);
  }
  return found;
}

/**
 * Whether all other requests may have no effect: their session had ended and they sent no cookie, or, if changes are
 * not merged, another request replaced the whole state.
 */
function mayLeaveOut(
  t: Trial,
  order: readonly Actor[],
  actors: readonly Actor[],
): boolean {
  const left = actors.filter((actor) => !order.includes(actor));
  if (left.length === 0 || !t.claims("merge")) return true;
  const ended = order.some(({ ops }) =>
    ops.some((op) => op.do === "regenerate" || op.do === "destroy")
  );
  return ended && left.every(({ request }) => request.sent.kind !== "cookie");
}

/** Every order of every non-empty choice of actors. */
function orders(actors: readonly Actor[]): Actor[][] {
  return actors.flatMap((actor) => {
    const others = actors.filter((other) => other !== actor);
    return [[actor], ...orders(others).map((rest) => [actor, ...rest])];
  });
}
