/**
 * A clock for libraries that ask `Date` alone: moves `Date.now()` and `new Date()` for everybody in this process.
 */
import type { TestClock } from "@satchel/session/conformance";

const Real = Date;
let offset = 0;

class Moved extends Real {
  // deno-lint-ignore no-explicit-any -- every way to call Date
  constructor(...args: any[]) {
    if (args.length === 0) super(Real.now() + offset);
    else super(...args as [number]);
  }

  static override now(): number {
    return Real.now() + offset;
  }
}

export const dateClock: TestClock = {
  kind: "virtual",
  advance(ms) {
    globalThis.Date = Moved as DateConstructor;
    offset += ms;
  },
};
