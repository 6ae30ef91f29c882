/**
 * Runs the read-modify-writes of one key one after another. Requests of this process then do not collide at the engine.
 *
 * @module
 */

import { type Awaitable, isThenable } from "../../core/awaitable.ts";
import type { SessionState } from "../../core/session_state.ts";

/** What the turns of one key share, as long as one waits for the next. */
export interface Shared<Value> {
  /** How many turns there were before this one. */
  turn: number;
  /** What the last turn wrote; `undefined` if this turn must read it from the engine. */
  newest?: Value | undefined;
}

/**
 * After so many turns, one reads from the engine what it changes. Another process, which must read after each conflict,
 * would otherwise never be faster.
 */
const READS_AFTER = 4;

interface Queue<Value> {
  /** Begins the turn of each waiter. */
  readonly waiting: (() => void)[];
  readonly shared: Shared<Value>;
}

/** The queues of the keys. A queue goes with its last waiter. */
export class Turns<Value = unknown> {
  readonly #queues = new Map<unknown, Queue<Value>>();

  /**
   * Runs `work` after the earlier turns of the key. It must not take another turn of a key.
   *
   * @param wait Waits for the earlier turns. If it rejects, the turn is given up.
   */
  take<T>(
    key: unknown,
    work: (shared: Shared<Value>) => Awaitable<T>,
    wait: (before: Promise<void>) => Promise<void> = (before) => before,
  ): Awaitable<T> {
    const found = this.#queues.get(key);
    if (found) {
      return this.#wait(key, found, wait).then(() =>
        this.#run(key, found, work)
      );
    }
    const queue = { waiting: [], shared: { turn: 0 } };
    this.#queues.set(key, queue);
    return this.#run(key, queue, work);
  }

  #run<T>(
    key: unknown,
    queue: Queue<Value>,
    work: (shared: Shared<Value>) => Awaitable<T>,
  ): Awaitable<T> {
    const next = () => this.#next(key, queue);
    let result: Awaitable<T>;
    try {
      result = work(queue.shared);
    } catch (error) {
      next();
      throw error;
    }
    if (isThenable(result)) return result.finally(next);
    next();
    return result;
  }

  async #wait(
    key: unknown,
    queue: Queue<Value>,
    wait: (before: Promise<void>) => Promise<void>,
  ): Promise<void> {
    const { shared, waiting } = queue;
    let begin = () => {};
    const before = new Promise<void>((resolve) => begin = resolve);
    waiting.push(begin);
    try {
      await wait(before);
    } catch (error) {
      const at = waiting.indexOf(begin);
      if (at < 0) this.#next(key, queue);
      else waiting.splice(at, 1);
      throw error;
    }
    if (++shared.turn % READS_AFTER === 0) shared.newest = undefined;
  }

  #next(key: unknown, { waiting }: Queue<Value>): void {
    const next = waiting.shift();
    if (next) next();
    else this.#queues.delete(key);
  }
}

/** The saves of each session object. There is one for all storages, because two of them can save one session. */
const saves = /* @__PURE__ */ new Turns();

/** Saves a session object after its earlier saves, by any storage. */
export function inTurn<T>(
  state: SessionState,
  save: () => Awaitable<T>,
): Awaitable<T> {
  return saves.take(state, save);
}
