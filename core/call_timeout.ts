/**
 * Limits the time of calls, with one timer for all of them.
 *
 * @module
 */
import { timersEndWithRequest } from "./runtime.ts";

/** A pending call. */
interface PendingCall {
  /** When it times out, in milliseconds of the monotonic clock. */
  readonly due: number;
  readonly reject: (error: Error) => void;
  readonly onTimeout: ((error: Error) => void) | undefined;
}

/** A timer of Node, Bun or Deno. On Workers and in browsers it is a number. */
interface Timer {
  ref(): unknown;
  unref(): unknown;
}

/** The longest delay that `setTimeout` accepts: 24 days. */
const LONGEST = 2_147_483_647;

/**
 * Rejects a call that does not settle within a fixed time.
 *
 * All calls share one timer, set for the oldest of them. It stays set when that call settles, but then does not keep
 * the process alive. Setting and clearing a timer per call would take longer than a call to an engine in memory.
 */
export class CallTimeout {
  readonly #ms: number;
  readonly #message: string;
  /** All calls have the same limit, so they time out in the order of insertion. */
  readonly #pending = new Set<PendingCall>();
  #timer: Timer | number | undefined;

  /**
   * @param ms The limit, in milliseconds.
   * @param message The message of the error.
   */
  constructor(
    ms: number,
    message: string = `no answer within ${ms / 1000} s`,
  ) {
    this.#ms = ms;
    this.#message = message;
  }

  /**
   * Runs a call.
   *
   * @param call The call.
   * @param onTimeout Called with the error after a timeout, to close what the call waits for.
   * @returns The result of the call.
   * @throws {Error} If the call times out. A later result is ignored.
   */
  run<T>(
    call: () => Promise<T>,
    onTimeout?: (error: Error) => void,
  ): Promise<T> {
    // On Workers a timer ends with the request that set it, so requests cannot share one.
    const timeout = timersEndWithRequest()
      ? new CallTimeout(this.#ms, this.#message)
      : this;
    return timeout.#run(call, onTimeout);
  }

  #run<T>(
    call: () => Promise<T>,
    onTimeout: ((error: Error) => void) | undefined,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const answer = call();
      const pending = { due: performance.now() + this.#ms, reject, onTimeout };
      if (this.#timer === undefined) this.#set(this.#ms);
      else if (this.#pending.size === 0) (this.#timer as Timer).ref();
      this.#pending.add(pending);
      answer.then((value) => {
        this.#settle(pending);
        resolve(value);
      }, (error) => {
        this.#settle(pending);
        reject(error);
      });
    });
  }

  #settle(pending: PendingCall): void {
    if (!this.#pending.delete(pending) || this.#pending.size > 0) return;
    if (!timersEndWithRequest() && typeof this.#timer === "object") {
      this.#timer.unref();
    } else {
      clearTimeout(this.#timer as number | undefined);
      this.#timer = undefined;
    }
  }

  #set(ms: number): void {
    const wake = () => this.#wake();
    this.#timer = setTimeout(wake, Math.min(ms, LONGEST)) as unknown as Timer;
  }

  #wake(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const pending of this.#pending) {
      if (pending.due > now) return this.#set(pending.due - now);
      this.#pending.delete(pending);
      const error = new Error(this.#message);
      pending.reject(error);
      pending.onTimeout?.(error);
    }
  }
}
