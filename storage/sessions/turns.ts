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
    if (found) return this.#takeLater(key, found, work, wait);
    const shared = { turn: 0 };
    const result = work(shared);
    // Nobody can have come while the work was done at once.
    if (!isThenable(result)) return result;
    const queue = { waiting: [], shared };
    this.#queues.set(key, queue);
    return result.finally(() => this.#next(key, queue));
  }

  async #takeLater<T>(
    key: unknown,
    queue: Queue<Value>,
    work: (shared: Shared<Value>) => Awaitable<T>,
    wait: (before: Promise<void>) => Promise<void>,
  ): Promise<T> {
    await this.#wait(key, queue, wait);
    try {
      return await work(queue.shared);
    } finally {
      this.#next(key, queue);
    }
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

  #next(key: unknown, queue: Queue<Value>): void {
    const next = queue.waiting.shift();
    if (next) next();
    else if (this.#queues.get(key) === queue) this.#queues.delete(key);
  }
}

/** Saves a session object after its earlier saves, by any storage. */
export function inTurn<T>(
  state: SessionState,
  save: () => Awaitable<T>,
): Awaitable<T> {
  const { saving } = state;
  // A listener of the save that is running asks for another one. It may still have to wait for something.
  if (saving === "now") {
    return Promise.resolve().then(() => inTurn(state, save));
  }
  if (saving) return saveLater(state, saving.then(save, save));
  state.saving = "now";
  try {
    const result = save();
    return isThenable(result) ? saveLater(state, result) : result;
  } finally {
    if (state.saving === "now") state.saving = undefined;
  }
}

/** Lets later saves wait for one. */
function saveLater<T>(state: SessionState, result: Promise<T>): Promise<T> {
  const saving = result.finally(() => {
    if (state.saving === saving) state.saving = undefined;
  });
  state.saving = saving;
  return saving;
}
