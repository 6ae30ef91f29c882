/**
 * Timers that still run after a storage is closed.
 *
 * @module
 */
import type { Trial } from "../../trial/trial.ts";

/** How many storages are opened together: a timer that each leaves behind is counted this many times. */
const OPENS = 3;

/** How often it is repeated, since other code may start timers at the same time. */
const ROUNDS = 3;

/**
 * Opens storages and closes them again, and fails if each leaves a timer behind.
 *
 * An interval counts; if there is nothing to close, only one that keeps the process alive. A timeout counts if opening
 * alone started it and it keeps the process alive, as far as the runtime reports that. A client or a clock that several
 * instances share may keep timers of its own for a while.
 */
export async function leaveNoTimer(t: Trial): Promise<void> {
  for (const used of [false, true]) {
    let left = OPENS;
    for (let i = 0; i < ROUNDS && left >= OPENS; i++) {
      left = await round(t, used);
    }
    t.ok(left < OPENS, "each storage leaves a timer running");
  }
}

/** Opens some storages and closes them. Returns how many timers they leave. */
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
    // Releasing a timer may take a turn.
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
  /** Whether it keeps the process alive; `undefined` if the runtime does not say. */
  readonly holds: boolean | undefined;
}

interface Watch {
  /** How many of the timers that were started since then are still running. */
  count(which: (timer: Timer) => boolean): number;
  /** Stops watching. */
  end(): void;
}

type Call = (...args: unknown[]) => unknown;
type Timers = Record<
  "setTimeout" | "setInterval" | "clearTimeout" | "clearInterval",
  Call
>;

/** Watches all timers that start and end from now on. */
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
    // With all its properties: Node's functions can be promisified.
    const watched = new Proxy(real, {
      apply: (_, self, args) =>
        instead((...given) => Reflect.apply(real, self, given), args),
    });
    try {
      runtime[name] = watched;
    } catch {
      // Frozen globals cannot be watched.
      return;
    }
    undo.push(() => {
      // Unless other code has replaced it in the meantime.
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

/** A timer, unless it was ended in a way that is not watched. */
function timerOf(timer: unknown, kind: Timer["kind"]): Timer | undefined {
  // Node, Bun and Deno return an object with methods that end the timer; others return a number.
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
