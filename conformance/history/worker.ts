/**
 * One process of a history: it opens the target in its own module, and works on the sessions that all processes share.
 *
 * @module
 */
import { portOf } from "../trial/port.ts";
import { Random } from "../trial/random.ts";
import type { Opened, OpenOptions, Target } from "../types.ts";
import { clock } from "./clock.ts";
import { fileJar } from "./jar.ts";
import { fatalLog, type Kill } from "./kill.ts";
import { create, isConflict, reportingLog } from "./log.ts";
import { node } from "./node.ts";
import { killSelf, serve, takesOrders } from "./talk.ts";
import { keysOf, look } from "./values.ts";
import { type Plan, type Ticket, work, type World } from "./work.ts";

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
  | { readonly do: "create"; readonly sessions: readonly number[] }
  | {
    readonly do: "work";
    readonly sessions: readonly number[];
    readonly kill?: Kill | undefined;
  }
  | { readonly do: "stop" }
  | { readonly do: "close" };

/** Opens a target as every process of a history does. */
export async function openShared(
  target: Target,
  { namespace, directory }: Pick<Errand, "namespace" | "directory">,
): Promise<Opened> {
  const options: OpenOptions = { namespace, now: Date.now };
  // Not enumerable: a target that hands `...options` on to its storage does not hand on what only some targets need.
  Object.defineProperty(options, "directory", { value: directory });
  return await target.open(options);
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
      const random = new Random(errand.seed);
      world = {
        port: portOf(opened.storage),
        jar: fileJar(errand.cookies),
        log: reportingLog(),
        random,
        think: () => new Promise((done) => setTimeout(done, random.int(4))),
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
      case "work": {
        const { sessions, kill } = order;
        const { log } = world;
        await work({ ...errand.plan, keys, sessions }, {
          ...world,
          log: kill ? fatalLog(log, kill, { clock, die: killSelf }) : log,
        });
        break;
      }
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

if (takesOrders(WORKER)) {
  // A target's own output is no answer.
  // deno-lint-ignore no-console -- it is redirected, not used
  console.log = console.info = console.debug = console.error;
  const process = node("process");
  process.on("unhandledRejection", (error) => {
    // deno-lint-ignore no-console -- the other process reads it
    console.error(error);
    process.exit(1);
  });
  takeOrders();
}
