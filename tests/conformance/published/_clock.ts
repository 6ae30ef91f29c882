/**
 * The suite's clock for libraries that ask `Date` alone.
 *
 * While one of their storages is open, `Date` stands still for everybody in this process, and moves as the suite says.
 */
import type { TestClock } from "../../../conformance/mod.ts";

const Real = Date;
let told = Real.now;
let open = 0;

class Told extends Real {
  // deno-lint-ignore no-explicit-any -- every way to call Date
  constructor(...args: any[]) {
    super(...(args.length === 0 ? [told()] : args) as [number]);
  }

  static override now(): number {
    return told();
  }
}

/** Has `Date` follow a clock until the function that this gives is called. */
export function follow(now: () => number): () => void {
  told = now;
  open++;
  globalThis.Date = Told as DateConstructor;
  return () => {
    open--;
    if (open === 0) globalThis.Date = Real;
  };
}

/** The clock of a target whose `open` calls {@linkcode follow}. */
export const dateClock: TestClock = { kind: "virtual", advance() {} };
