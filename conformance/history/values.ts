/**
 * What processes store in sessions, and how they look at a session: its id, its keys, and all that it holds.
 *
 * @module
 */
import type { Sent } from "../trial/port.ts";
import type { SessionLike } from "../types.ts";
import { type Snapshot, SOMETHING } from "./history.ts";

/** The key whose text says which session it is; set once. */
export const MARK = "of";
/** How many keys of its own a process has in a session, beside the one that each commit sets. */
export const KEYS = 4;
/** Under how many names a process continues, if sessions cannot list their keys. */
export const LIVES = 4;

/** What a session is made with. */
export function firstValues(session: number): Record<string, string> {
  const text = textOf(session, "first", 0);
  return { [MARK]: text, a: text, b: text };
}

/** The session that a text was written for, or `undefined` if no process writes such a text. */
export function sessionOf(text: string): number | undefined {
  const [, session] = text.match(/^s(\d+)\.[\w~]+\.\d+$/) ?? [];
  return session === undefined ? undefined : Number(session);
}

/** A text that is written once. */
export function textOf(
  session: number,
  process: string,
  count: number,
): string {
  return `s${session}.${process}.${count}`;
}

/** The id of a session, or its cookie if the library's sessions do not have ids. */
export function idOf(session: SessionLike, sent?: Sent): string | undefined {
  const { id } = session;
  if (typeof id === "string" && id !== "") return id;
  if (typeof id === "number") return `${id}`;
  if (id !== undefined && id !== "" && id !== null) return undefined;
  return sent?.kind === "cookie" ? sent.cookie : undefined;
}

/** Every key under which the processes of these names can store something. */
export function keysOf(names: readonly string[]): string[] {
  const own = names.flatMap((name) =>
    Array.from(
      { length: LIVES },
      (_, i) => i === 0 ? name : `${name}~${i + 1}`,
    )
  );
  return [
    ...[MARK, "a", "b"],
    ...own.flatMap((
      name,
    ) => [name, ...Array.from({ length: KEYS }, (_, i) => `${name}.${i}`)]),
  ];
}

/** All that a session holds, its flash unread. */
export function look(
  session: SessionLike,
  keys?: readonly string[],
): Snapshot {
  const { data = {} } = session as { data?: Record<string, unknown> };
  const all = keys ??
    Object.keys(data).filter((key) => !key.startsWith("__flash_"));
  const found: Record<string, string> = {};
  for (const key of all) {
    if (!session.has(key)) continue;
    const value = session.get(key);
    found[key] = typeof value === "string" ? value : `(${typeof value})`;
  }
  return session.has("flash") ? { ...found, flash: SOMETHING } : found;
}
