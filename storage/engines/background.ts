/**
 * Work between requests, which no caller waits for.
 *
 * @module
 */
import { timersEndWithRequest } from "../../core/runtime.ts";

/** What work between requests needs from the platform. Tests replace it. */
export interface Background {
  /** Milliseconds since an instant in the past. Nobody sets this clock, unlike the one of the day. */
  elapsed(): number;
  /**
   * Calls `work` in `ms` milliseconds, if the process still runs then. Returns `false` if it never will: a timer in
   * Workers ends with the request that started it.
   */
  later(ms: number, work: () => void): boolean;
}

/** The platform's own. */
export const background: Background = {
  elapsed: () => performance.now(),
  later(ms, work) {
    if (timersEndWithRequest()) return false;
    try {
      // Unlike `setTimeout`, this neither keeps a process alive, nor counts as a leak of the test that was running, nor
      // runs when a test moves a fake clock. Deno's own `addEventListener` of a signal would keep the process alive.
      EventTarget.prototype.addEventListener.call(
        AbortSignal.timeout(Math.ceil(ms)),
        "abort",
        work,
        { once: true },
      );
      return true;
    } catch {
      // An emulated browser in a test may have other signals.
      return false;
    }
  },
};
