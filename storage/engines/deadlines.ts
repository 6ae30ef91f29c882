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

/** Each item in the heap has four children. Four deadlines in a row are one read from memory. */
const CHILDREN_BITS = 2;
const CHILDREN = 1 << CHILDREN_BITS;
const CHUNK_BITS = 10;
/** A position's place in its chunk. */
const PLACE = (1 << CHUNK_BITS) - 1;

interface Chunk<Item> {
  readonly items: Item[];
  /** Their deadlines, so that comparisons do not visit the items. */
  readonly expires: number[];
}

/**
 * Finds the item that expires first without looking through the others: a heap. It consists of chunks, because from
 * time to time an array copies all of its items when it grows: 10 milliseconds, for a million.
 */
export class Deadlines<Item extends Due> {
  readonly #chunks: Chunk<Item>[] = [];
  #size = 0;

  /** The item that expires first. */
  get first(): Item | undefined {
    return this.#chunks[0]?.items[0];
  }

  add(item: Item): void {
    if ((this.#size & PLACE) === 0) {
      this.#chunks.push({ items: [], expires: [] });
    }
    this.#place(item, this.#size++);
  }

  remove(item: Item): void {
    const chunk = this.#chunks.at(-1);
    const last = chunk?.items.pop();
    if (!chunk || !last) return;
    chunk.expires.pop();
    this.#size--;
    if (chunk.items.length === 0) this.#chunks.pop();
    if (last !== item) this.#place(last, item.position);
  }

  /** Call it when the deadline of an item has changed. */
  update(item: Item): void {
    this.#place(item, item.position);
  }

  /** Puts an item where its deadline belongs. Begins at a position that is free, or its own. */
  #place(item: Item, start: number): void {
    const { expires } = item;
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> CHILDREN_BITS;
      if (this.#at(parent) <= expires) break;
      this.#move(parent, position);
      position = parent;
    }
    while (true) {
      const child = this.#firstChild(position);
      if (child === undefined || expires <= this.#at(child)) break;
      this.#move(child, position);
      position = child;
    }
    this.#put(item, expires, position);
  }

  #firstChild(position: number): number | undefined {
    let first: number | undefined;
    let earliest = Infinity;
    const start = position * CHILDREN + 1;
    const end = Math.min(start + CHILDREN, this.#size);
    for (let child = start; child < end; child++) {
      const expires = this.#at(child);
      if (first !== undefined && !(expires < earliest)) continue;
      first = child;
      earliest = expires;
    }
    return first;
  }

  #at(position: number): number {
    const chunk = this.#chunks[position >> CHUNK_BITS];
    return chunk?.expires[position & PLACE] ?? Infinity;
  }

  #move(from: number, to: number): void {
    const chunk = this.#chunks[from >> CHUNK_BITS];
    const item = chunk?.items[from & PLACE];
    if (chunk && item) this.#put(item, this.#at(from), to);
  }

  #put(item: Item, expires: number, position: number): void {
    const chunk = this.#chunks[position >> CHUNK_BITS];
    if (!chunk) return;
    chunk.items[position & PLACE] = item;
    chunk.expires[position & PLACE] = expires;
    item.position = position;
  }
}
