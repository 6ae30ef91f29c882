/**
 * The trace of an anomaly, for a report: process names and sessions' numbers, never an id or a cookie.
 *
 * @module
 */
import { SOMETHING } from "./history.ts";
import type { Anomaly, Logged, Track } from "./anomaly.ts";

/** A value as a report shows it: the processes wrote short ones. */
const LONGEST = 40;

/** The operations of an anomaly, in order, one line each. */
export function traceOf(
  { events, keys, session }: Anomaly,
  tracks: readonly Track[],
): string[] {
  const start = Math.min(...tracks.map(({ created }) => created.start));
  return events.map((each, i) => {
    const found = tracks.find(({ created, history }) =>
      each === created || history.includes(each)
    );
    // A finding's operation is a copy if its outcome was found out later.
    const number = found?.session ?? session;
    const track = tracks.find((track) => track.session === number);
    return `${i + 1}. ${when(each, start)}  ${each.process} ${
      what(each, number, keys)
    }${whichId(each, track)} → ${answer(each, keys)}`;
  });
}

function when({ start, end }: Logged, zero: number): string {
  const ms = (at: number) => (at - zero).toFixed(1);
  return end === Infinity ? `${ms(start)}– ms` : `${ms(start)}–${ms(end)} ms`;
}

function what(
  { kind, sets = {}, next }: Logged,
  session: number,
  keys: readonly string[],
): string {
  if (kind === "read") return `reads session ${session}`;
  if (kind === "destroy") return `destroys session ${session}`;
  const named = Object.entries(sets).filter(([key]) => keys.includes(key));
  const shown = (named.length > 0 ? named : Object.entries(sets).slice(0, 2))
    .map(([key, text]) =>
      text === null ? `removes ${key}` : `sets ${key} to ${short(text)}`
    );
  const renamed = next === undefined ? [] : ["takes a new id"];
  return `saves session ${session}: ${[...shown, ...renamed].join(", ")}`;
}

function whichId({ id }: Logged, track: Track | undefined): string {
  const ids = [
    ...new Set([
      track?.created.id,
      ...track?.history.flatMap(({ next }) => next ?? []) ?? [],
    ]),
  ];
  return ids.length < 2 ? "" : ` (id ${ids.indexOf(id) + 1})`;
}

function answer(
  { kind, outcome, saw, killed, error }: Logged,
  keys: readonly string[],
): string {
  if (killed) return "killed before the answer";
  if (outcome === "unknown") return error ?? "failed";
  if (outcome === "gone") return "there is no such session";
  if (outcome === "conflict") return "refused: a conflict";
  if (kind === "destroy") return "destroyed";
  if (kind === "commit") return "saved";
  if (keys.length === 0) return "it is there";
  return keys.map((key) => {
    const text = saw?.[key];
    if (text === undefined) return `${key} is missing`;
    return `${key} is ${text === SOMETHING ? "there" : short(text)}`;
  }).join(", ");
}

function short(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
