/**
 * Items in the order of their deadlines.
 *
 * @module
 */

/** An item with a deadline. */
export interface Due {
  readonly expires: number;
  /** Its position among the {@linkcode Deadlines}, which alone change it. */
  position: number;
}

/** Finds the item that expires first without looking through the others: a binary heap. */
export class Deadlines<Item extends Due> {
  readonly #heap: Item[] = [];

  /** The item that expires first. */
  get first(): Item | undefined {
    return this.#heap[0];
  }

  add(item: Item): void {
    this.#put(item, this.#heap.length);
    this.#rise(item);
  }

  remove(item: Item): void {
    const last = this.#heap.pop();
    if (!last || last === item) return;
    this.#put(last, item.position);
    this.update(last);
  }

  /** Call it when the deadline of an item has changed. */
  update(item: Item): void {
    this.#rise(item);
    this.#sink(item);
  }

  #rise(item: Item): void {
    while (item.position > 0) {
      const parent = this.#heap[(item.position - 1) >> 1];
      if (!parent || parent.expires <= item.expires) return;
      this.#swap(parent, item);
    }
  }

  #sink(item: Item): void {
    while (true) {
      const left = this.#heap[item.position * 2 + 1];
      const right = this.#heap[item.position * 2 + 2];
      const child = right && left && right.expires < left.expires
        ? right
        : left;
      if (!child || item.expires <= child.expires) return;
      this.#swap(item, child);
    }
  }

  #swap(upper: Item, lower: Item): void {
    const { position } = upper;
    this.#put(upper, lower.position);
    this.#put(lower, position);
  }

  #put(item: Item, position: number): void {
    this.#heap[position] = item;
    item.position = position;
  }
}
