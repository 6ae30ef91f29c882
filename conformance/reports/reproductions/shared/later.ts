/** Time that passes for a library that uses `Date`. */

/** Runs something as if some time had passed; more can pass. */
export async function later<T>(
  ms: number,
  work: (pass: (ms: number) => void) => Promise<T>,
): Promise<T> {
  const Real = Date;
  let passed = ms;
  globalThis.Date = class extends Real {
    constructor(value?: number | string) {
      super(value ?? Real.now() + passed);
    }
    static override now(): number {
      return Real.now() + passed;
    }
  } as DateConstructor;
  try {
    return await work((more) => void (passed += more));
  } finally {
    globalThis.Date = Real;
  }
}
