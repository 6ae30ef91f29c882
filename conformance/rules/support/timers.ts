/**
 * Timers that run on when everything is closed.
 *
 * @module
 */
import type { Trial } from "../../trial/trial.ts";

/** How many storages are opened at a time: what each of them leaves behind is there as many times. */
const OPENS = 3;

/** Somebody else may begin timers at the same time, but not as many each time. */
const ROUNDS = 3;

/**
 * Opens storages and closes them again, and fails if each leaves a timer behind.
 *
 * An interval counts always; where there is nothing to close, unless it keeps no process from its end. A timeout counts
 * if it does keep the process from its end, as far as the runtime can tell, and if merely opening began it: a client
 * that several instances share may hold on to timers of its own, for a while, and so may a clock that they share.
 */
export async function leaveNoTimer(t: Trial): Promise<void> {
  for (const used of [false, true]) {
    let left = OPENS;
    for (let i = 0; i < ROUNDS && left >= OPENS; i++) {
      left = await round(t, used);
    }
    t.ok(left < OPENS, "a timer of each that was opened runs on");
  }
}

/** Opens some and closes them; gives how many timers they leave. */
async function round(t: Trial, used: boolean): Promise<number> {
  const timers = watchTimers();
  try {
    let closes = false;
    for (let i = 0; i < OPENS; i++) {
      const storage = await t.open({});
      closes ||= storage.closes;
      if (used) await (await t.visitor(storage)).visit((r) => r.set("n", i));
      await storage.pause();
      await storage.close();
    }
    // What is let go of may take a turn to go.
    await turn();
    return timers.count(({ kind, holds }) =>
      kind === "interval" ? closes || holds !== false : !used && holds === true
    );
  } finally {
    timers.end();
  }
}

interface Timer {
  readonly kind: "interval" | "timeout";
  /** Whether it keeps the process from its end; `undefined` where the runtime does not say. */
  readonly holds: boolean | undefined;
}

interface Watch {
  /** How many of the timers that were begun since are under way. */
  count(which: (timer: Timer) => boolean): number;
  /** Looks no more. */
  end(): void;
}

type Call = (...args: unknown[]) => unknown;
type Timers = Record<
  "setTimeout" | "setInterval" | "clearTimeout" | "clearInterval",
  Call
>;

/** Looks at the timers that begin and end from now on, of all that runs. */
function watchTimers(): Watch {
  const runtime = globalThis as unknown as Timers;
  const pending = new Map<unknown, Timer["kind"]>();
  const undo: (() => void)[] = [];
  const replace = (
    name: keyof Timers,
    instead: (real: Call, args: unknown[]) => unknown,
  ) => {
    const real = runtime[name];
    if (typeof real !== "function") return;
    // With all that it has besides: Node's can be promisified.
    const watched = new Proxy(real, {
      apply: (_, self, args) =>
        instead((...given) => Reflect.apply(real, self, given), args),
    });
    try {
      runtime[name] = watched;
    } catch {
      // Where globals are frozen, nobody can look.
      return;
    }
    undo.push(() => {
      // Unless somebody else has put something in its place meanwhile.
      if (runtime[name] === watched) runtime[name] = real;
    });
  };
  replace("setInterval", (real, args) => {
    const timer = real(...args);
    pending.set(timer, "interval");
    return timer;
  });
  replace("setTimeout", (real, [callback, ...args]) => {
    const timer = real(
      typeof callback !== "function"
        ? callback
        : function (this: unknown, ...given: unknown[]) {
          pending.delete(timer);
          return Reflect.apply(callback, this, given);
        },
      ...args,
    );
    pending.set(timer, "timeout");
    return timer;
  });
  for (const name of ["clearTimeout", "clearInterval"] as const) {
    replace(name, (real, args) => {
      pending.delete(args[0]);
      return real(...args);
    });
  }
  return {
    count: (which) =>
      Array.from(pending, ([timer, kind]) => timerOf(timer, kind))
        .filter((timer) => timer !== undefined && which(timer)).length,
    end: () => undo.forEach((undo) => undo()),
  };
}

/** A timer, unless it was ended by another way than those that are watched. */
function timerOf(timer: unknown, kind: Timer["kind"]): Timer | undefined {
  // Node, Bun and Deno give an object, which also ends by its own methods; others give a number.
  if (typeof timer !== "object" || timer === null) {
    return { kind, holds: undefined };
  }
  const { _destroyed, hasRef } = timer as {
    readonly _destroyed?: unknown;
    readonly hasRef?: unknown;
  };
  if (_destroyed === true) return undefined;
  const holds = typeof hasRef === "function"
    ? Boolean(hasRef.call(timer))
    : undefined;
  return { kind, holds };
}

/** A turn of the event loop. */
function turn(): Promise<void> {
  const { setImmediate = setTimeout } = globalThis as unknown as {
    setImmediate?(callback: () => void): unknown;
  };
  return new Promise((resolve) => void setImmediate(resolve));
}
