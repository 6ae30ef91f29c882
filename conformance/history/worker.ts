/**
 * One process of a history: it opens the target in its own module, and works on the sessions that all processes share.
 *
 * @module
 */
import process from "node:process";
import { portOf } from "../trial/port.ts";
import { Random } from "../trial/random.ts";
import type { Opened, Target } from "../types.ts";
import { fileJar } from "./files.ts";
import type { Operation } from "./history.ts";
import { report, serve, takesOrders } from "./talk.ts";
import {
  type Begun,
  type Ended,
  firstValues,
  idOf,
  keysOf,
  type Log,
  look,
  type Plan,
  type Ticket,
  work,
  type World,
} from "./work.ts";

/** This module's address. Started by {@linkcode OtherProcess}, it takes orders. */
export const WORKER: string = import.meta.url;

/** What a process has to know first. */
export interface Errand {
  /** The module that exports the target, and the target's name. */
  readonly module: string;
  readonly target: string;
  readonly namespace: string;
  /** The folder that all processes share: for the storage, and for cookies. */
  readonly directory: string;
  readonly cookies: string;
  readonly seed: number;
  /** The names of all processes. */
  readonly names: readonly string[];
  readonly plan: Omit<Plan, "sessions" | "keys">;
}

/** An order. */
export type Order =
  | { readonly do: "open"; readonly errand: Errand }
  | { readonly do: "clock" }
  | { readonly do: "see"; readonly ticket: Ticket }
  | { readonly do: "create" | "work"; readonly sessions: readonly number[] }
  | { readonly do: "stop" }
  | { readonly do: "close" };

/** A line of a process's log: an operation that begins, or one that has ended. JSON does not have `Infinity`. */
export interface Line {
  readonly number: number;
  readonly session: number;
  readonly begun?: Begun;
  readonly ended?: Omit<Ended, "end"> & { readonly end: number | null };
}

/** Milliseconds. The process that gives the orders measures how the clocks differ. */
export function clock(): number {
  return performance.timeOrigin + performance.now();
}

/** Opens a target as every process of a history does. */
export async function openShared(
  target: Target,
  { namespace, directory }: Pick<Errand, "namespace" | "directory">,
): Promise<Opened> {
  return await target.open({ namespace, directory, now: Date.now });
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
        report({ number, session, ended: { ...ended, end: finite(ended.end) } });
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

/** Takes orders about one target. */
function takeOrders(): void {
  let stopped = false;
  let opened: Opened | undefined;
  let errand: Errand | undefined;
  let world: World | undefined;
  const obey = async (order: Order): Promise<unknown> => {
    if (order.do === "clock") return clock();
    if (order.do === "open") {
      errand = order.errand;
      opened = await openShared(await targetOf(errand), errand);
      world = {
        port: portOf(opened.storage),
        jar: fileJar(errand.cookies),
        log: reportingLog(),
        random: new Random(errand.seed),
        ...{ clock, isConflict, stopped: () => stopped },
      };
    }
    if (!world || !errand) throw new TypeError("there is no open storage");
    const keys = keysOf(errand.names);
    switch (order.do) {
      case "see": {
        const found = await world.port.read(order.ticket.cookie);
        return Object.keys(look(found, keys)).length > 0;
      }
      case "create":
        for (const each of order.sessions) {
          await create(each, world, errand.plan.name);
        }
        break;
      case "work":
        await work({ ...errand.plan, keys, sessions: order.sessions }, world);
        break;
      case "close":
        // The target's own `close` may remove what was stored.
        await opened?.storage.close?.();
    }
    return null;
  };
  const hear = (order: Order) => {
    stopped ||= order.do === "stop";
    return order.do === "stop";
  };
  serve(
    (order) => obey(order as Order),
    (order) => hear(order as Order),
  );
}

/** Finds the target in its module. */
async function targetOf({ module, target }: Errand): Promise<Target> {
  const names: Record<string, unknown> = await import(module);
  const found = Object.values(names).flat().find((value) =>
    typeof value === "object" && value !== null &&
    (value as Partial<Target>).name === target &&
    typeof (value as Partial<Target>).open === "function"
  );
  if (found) return found as Target;
  throw new TypeError(
    `the module does not export a target with the name ${
      JSON.stringify(target)
    }`,
  );
}

if (takesOrders()) {
  // A target's own output is no answer.
  // deno-lint-ignore no-console -- it is redirected, not used
  console.log = console.info = console.debug = console.error;
  process.on("unhandledRejection", (error) => {
    // deno-lint-ignore no-console -- the other process reads it
    console.error(error);
    process.exit(1);
  });
  takeOrders();
}
