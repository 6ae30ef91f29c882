/**
 * A clock for snippets that call `Date` themselves.
 *
 * @module
 */

/** A clock that moves only when the test advances it. */
export interface GlobalClock extends Disposable {
  /** Moves it forward by a number of seconds. */
  pass(seconds: number): void;
}

/** Replaces `Date` until it is disposed of, also for storages that are created meanwhile. */
export function stopTime(): GlobalClock {
  const RealDate = Date;
  let now = RealDate.UTC(2026, 0, 1);
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, self) =>
      Reflect.construct(target, args.length === 0 ? [now] : args, self),
    get: (target, key) => key === "now" ? () => now : Reflect.get(target, key),
  });
  return {
    pass(seconds) {
      now += seconds * 1000;
    },
    [Symbol.dispose]() {
      globalThis.Date = RealDate;
    },
  };
}
