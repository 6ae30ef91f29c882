/**
 * Items in the order of their last use.
 *
 * @module
 */

/** An item in one {@linkcode Recency}, which alone changes these fields. */
export interface Used<Item> {
  before: Item | undefined;
  after: Item | undefined;
}

/**
 * Finds the least recently used item: a linked list. A `Map` would have the same order, but on V8 it looks through the
 * gaps that deleted entries leave before it finds its first one.
 */
export class Recency<Item extends Used<Item>> {
  #first: Item | undefined;
  #last: Item | undefined;
  #size = 0;

  /** The least recently used item. */
  get first(): Item | undefined {
    return this.#first;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds an item as the most recently used one. */
  add(item: Item): void {
    item.before = this.#last;
    item.after = undefined;
    if (this.#last) this.#last.after = item;
    else this.#first = item;
    this.#last = item;
    this.#size++;
  }

  remove(item: Item): void {
    const { before, after } = item;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    this.#size--;
  }
}
