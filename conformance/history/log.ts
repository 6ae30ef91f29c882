/**
 * What a process reports of its operations, and how that is read.
 *
 * @module
 */
import type { Operation } from "./history.ts";
import { report } from "./talk.ts";
import { firstValues, idOf } from "./values.ts";
import type { Begun, Ended, Log, Ticket, World } from "./work.ts";

/** A line of a process's log: an operation that begins, or one that has ended. JSON does not have `Infinity`. */
export interface Line {
  readonly number: number;
  readonly session: number;
  readonly begun?: Begun;
  readonly ended?: Omit<Ended, "end"> & { readonly end: number | null };
}

/** Whether an error says that a save was not done, because others got in between. */
export function isConflict(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === "conflict";
}

/** Records operations by reporting them. */
export function reportingLog(): Log {
  let count = 0;
  return {
    begin(session, begun) {
      const number = count++;
      report({ number, session, begun } satisfies Line);
      return (ended) =>
        report({
          number,
          session,
          ended: { ...ended, end: finite(ended.end) },
        });
    },
  };
}

function finite(end: number): number | null {
  return end === Infinity ? null : end;
}

/** Reads the log of a process. Operations without an end were in progress when it was killed. */
export function operationsOf(
  lines: readonly Line[],
): { session: number; operation: Operation & Pick<Ended, "error"> }[] {
  const begun = new Map<number, { session: number; begun: Begun }>();
  const all: { session: number; operation: Operation }[] = [];
  for (const { number, session, begun: begins, ended } of lines) {
    if (begins) begun.set(number, { session, begun: begins });
    const found = begun.get(number);
    if (!ended || !found) continue;
    begun.delete(number);
    const end = ended.end ?? Infinity;
    all.push({ session, operation: { ...found.begun, ...ended, end } });
  }
  for (const { session, begun: { ...begins } } of begun.values()) {
    const operation: Operation = {
      ...begins,
      ...{ end: Infinity, outcome: "unknown", killed: true },
    };
    all.push({ session, operation });
  }
  return all;
}

/** Makes a session for all processes to work on. */
export async function create(
  session: number,
  { port, jar, log, clock }: Pick<World, "port" | "jar" | "log" | "clock">,
  process: string,
): Promise<Ticket> {
  const made = await port.read(null);
  const sets = firstValues(session);
  for (const [key, text] of Object.entries(sets)) made.set(key, text);
  const start = clock();
  const sent = await port.save(made);
  const end = clock();
  const id = idOf(made, sent);
  if (sent.kind !== "cookie" || id === undefined) {
    throw new TypeError("a new session with values was saved without a cookie");
  }
  const ticket = { id, cookie: sent.cookie };
  log.begin(session, {
    ...{ process, kind: "commit", id, sets, whole: sets, start },
  })({ end, outcome: "ok" });
  jar.add(session, ticket);
  return ticket;
}
