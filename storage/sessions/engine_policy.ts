/**
 * What the storages on an engine or a database share: calls that time out, turns, attempts and errors.
 *
 * @module
 */
import { attempt, type Awaitable, isThenable } from "../../core/awaitable.ts";
import { CallTimeout } from "../../core/call_timeout.ts";
import { SessionError } from "../../core/errors.ts";
import { delay, timersEndWithRequest } from "../../core/runtime.ts";
import type { Subject } from "./events.ts";
import { Policy } from "./policy.ts";
import { type Shared, Turns } from "./turns.ts";

/** Enough for four processes, each with hundreds of requests at once that write one record. */
export const MAX_ATTEMPTS = 50;
const MAX_DELAY = 40;

/** How long, in milliseconds, after its deadline a record is kept, because this clock can be ahead of another one. */
export const SWEEP_AFTER: number = 3_600_000;

/** The checked options of a storage on an engine or a database. */
export class EnginePolicy extends Policy {
  readonly #timeout = new CallTimeout(this.patience);
  readonly #turns = new Turns();

  /**
   * Runs a read-modify-write after the earlier ones of the key in this process. It must not take another turn.
   *
   * @throws {SessionError} If waiting takes longer than a call to the engine may: `store-failed`.
   */
  turn<T, Value>(
    what: string,
    key: string,
    work: (shared: Shared<Value>) => Awaitable<T>,
  ): Awaitable<T> {
    // On Workers a request must not wait for another one's I/O. The requests then meet at the engine.
    if (timersEndWithRequest()) return work({ turn: 0 });
    return (this.#turns as Turns<Value>).take(
      key,
      work,
      async (before) => await this.call(what, () => before),
    );
  }

  /**
   * Calls the engine.
   *
   * @throws {SessionError} If the engine fails or times out: `store-failed`.
   */
  call<T>(
    what: string,
    call: () => Awaitable<T>,
    about?: Subject,
  ): Awaitable<T> {
    return attempt(() => {
      const answer = call();
      return isThenable(answer)
        ? this.#timeout.run(() => Promise.resolve(answer))
        : answer;
    }, (cause) => {
      throw this.failure(what, cause, about);
    });
  }

  /** Reports a failure of the engine, and returns the error to throw. */
  failure(what: string, cause: unknown, about?: Subject): SessionError {
    const typed = cause instanceof SessionError ? cause : undefined;
    // Other errors, such as a record that is too large, are not the engine's fault.
    if (!typed || typed.code === "store-failed") {
      this.report("engine-error", { ...about, cause });
    }
    return typed ?? new SessionError(
      "store-failed",
      `Cannot ${what}: the engine failed`,
      { cause },
    );
  }

  /**
   * Reports a conflict, and waits before the next attempt.
   *
   * @throws {SessionError} If that was the last attempt: `conflict`.
   */
  async backOff(
    what: string,
    attempt: number,
    about?: Subject,
  ): Promise<void> {
    this.report("conflict", about);
    if (attempt === MAX_ATTEMPTS) {
      throw new SessionError(
        "conflict",
        `Cannot ${what}: other requests changed it first, ${MAX_ATTEMPTS} times in a row`,
      );
    }
    // After a wait, a request often finds another one at work and loses again. So every second attempt does not wait.
    if (attempt % 2 === 0) {
      await delay(Math.random() * Math.min(MAX_DELAY, 2 ** attempt));
    }
  }
}
