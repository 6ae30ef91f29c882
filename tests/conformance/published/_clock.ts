/**
 * The suite's clock for libraries that use `Date`.
 *
 * While one of their storages is open, `Date` in this process does not move by itself; the suite moves it.
 */
import type { TestClock } from "../../../conformance/mod.ts";

const Real = Date;
let current = Real.now;
let open = 0;

class Moved extends Real {
  // deno-lint-ignore no-explicit-any -- every way to call Date
  constructor(...args: any[]) {
    super(...(args.length === 0 ? [current()] : args) as [number]);
  }

  static override now(): number {
    return current();
  }
}

/** Makes `Date` follow a clock. Returns a function that ends this. */
export function follow(now: () => number): () => void {
  current = now;
  open++;
  globalThis.Date = Moved as DateConstructor;
  return () => {
    open--;
    if (open === 0) globalThis.Date = Real;
  };
}

/** The clock of a target whose `open` calls {@linkcode follow}. */
export const dateClock: TestClock = { kind: "virtual", advance() {} };
