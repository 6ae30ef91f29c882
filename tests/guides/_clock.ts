/**
 * Time for snippets that read the clock themselves, as the guides' do.
 *
 * @module
 */

/** A clock that stands still until the test moves it. */
export interface GlobalClock extends Disposable {
  /** Moves it by so many seconds. */
  pass(seconds: number): void;
}

/** Stops `Date` for everybody, storages that are made from then on included, until it is disposed of. */
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
