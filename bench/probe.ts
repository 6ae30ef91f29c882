/**
 * Tells whether the processor is left alone.
 *
 * @module
 */
import { cpu } from "./measure.ts";

/** Loops of a probe, which take some 100 µs. */
const LOOPS = 150_000;
/** How much longer than the fastest one a probe takes if something else is on the processor's core. */
const DISTURBED = 1.15;
/** The wait between two probes until that ends, in ms. */
const WAIT = 2;
/** How long to wait in all, in ms. */
const PATIENCE = 2_500;

/**
 * A fixed piece of work. If another program shares the processor's core, of this machine or of another one on the same
 * hardware, it takes up to twice the CPU time; so does a library, but not every one as much.
 */
export class Probe {
  /** The CPU time of the fastest one, in µs. */
  fastest: number;
  /** How many turns were measured although something was on the core, because to wait took too long. */
  disturbed = 0;
  #patience = PATIENCE;

  /** @param fastest That of earlier processes; `Infinity` if it is not known. */
  constructor(fastest: number) {
    this.fastest = fastest;
  }

  /** Finds the fastest, in so many ms. */
  calibrate(ms: number): void {
    const end = performance.now() + ms;
    while (performance.now() < end) this.#isAlone();
  }

  /** Waits until nothing else is on the core. */
  async quiet(): Promise<void> {
    while (!this.#isAlone() && this.#patience > 0) {
      this.#patience -= WAIT;
      await new Promise((resolve) => setTimeout(resolve, WAIT));
    }
  }

  /** Whether nothing else is on the core, or it is not worth to wait for that any more. */
  isQuiet(): boolean {
    if (this.#isAlone()) return true;
    if (this.#patience > 0) return false;
    this.disturbed++;
    return true;
  }

  #isAlone(): boolean {
    const took = work();
    this.fastest = Math.min(this.fastest, took);
    return took < this.fastest * DISTURBED;
  }
}

/** Does many operations that do not wait for each other: they notice first who else uses the core. */
function work(): number {
  const start = cpu();
  let [a, b, c, d] = [1, 2, 3, 4];
  for (let i = 0; i < LOOPS; i++) {
    a = Math.imul(a, 31) + i | 0;
    b = Math.imul(b, 33) ^ i;
    c = Math.imul(c, 37) - i | 0;
    d = Math.imul(d, 41) ^ a;
  }
  const took = cpu() - start;
  // The result is used, so that no compiler leaves the work out.
  return (a ^ b ^ c ^ d) === 0.5 ? 0 : took;
}
