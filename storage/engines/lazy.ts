/**
 * Opening connections and loading packages on first use.
 *
 * @module
 */

/**
 * Opens something on first use.
 *
 * Parallel calls share one attempt. A failed attempt is forgotten: the next call tries again.
 */
export class Lazy<T> {
  readonly #open: () => Promise<T>;
  #opening: Promise<T> | undefined;
  #value: T | undefined;

  /** @param open Opens it. */
  constructor(open: () => Promise<T>) {
    this.#open = open;
  }

  /** The value, if it is open now. */
  get value(): T | undefined {
    return this.#value;
  }

  /**
   * Opens it, if it is not open.
   *
   * @throws {Error} If it cannot be opened.
   */
  get(): Promise<T> {
    if (!this.#opening) {
      const opening = this.#open();
      this.#opening = opening;
      opening.then((value) => {
        if (this.#opening === opening) this.#value = value;
      }, () => {
        if (this.#opening === opening) this.#opening = undefined;
      });
    }
    return this.#opening;
  }

  /**
   * Takes the value out, to close it. The next call opens another.
   *
   * @returns `undefined` if nothing is open or being opened.
   */
  take(): Promise<T> | undefined {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#value = undefined;
    return opening;
  }

  /** Forgets a value that no longer works, unless another has replaced it. */
  forget(value: T): void {
    if (this.#value === value) this.take();
  }
}
