/**
 * Random choices that a seed repeats.
 *
 * @module
 */

/** A seeded generator (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to 1, excluding 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ t >>> 15, t | 1);
    t ^= t + Math.imul(t ^ t >>> 7, t | 61);
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  }

  /** A whole number from 0 to `end`, excluding `end`. */
  int(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.int(list.length)] as T;
  }

  /** The list in another order. */
  shuffle<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }

  /** Letters and digits. */
  word(length: number): string {
    let out = "";
    while (out.length < length) {
      out += "abcdefghijklmnopqrstuvwxyz0123456789"[this.int(36)];
    }
    return out;
  }

  /** Text that is hard to store: quotes, control characters, emoji, lone surrogates. */
  text(): string {
    const pieces = [
      "",
      "a",
      '"',
      "\\",
      "\u0001",
      "\n",
      "é",
      "\u2028",
      "😀",
      "\ud800",
      "__proto__",
      "%",
      ";",
      "constructor",
    ];
    let out = "";
    for (let i = this.int(5); i >= 0; i--) out += this.pick(pieces);
    return out;
  }

  /** Any JSON value. */
  json(depth = 3): unknown {
    const kind = this.int(depth > 0 ? 8 : 6);
    switch (kind) {
      case 0:
        return null;
      case 1:
        return this.int(2) === 0;
      case 2:
        return this.pick([0, -1, 1e300, 5e-324, 0.1, 2 ** 53, -123.456]);
      case 3:
      case 4:
        return this.text();
      case 5:
        return this.int(1000);
      case 6:
        return Array.from({ length: this.int(4) }, () => this.json(depth - 1));
      default: {
        const entries = Array.from(
          { length: this.int(4) },
          () => [this.text(), this.json(depth - 1)] as const,
        );
        return Object.fromEntries(entries);
      }
    }
  }
}
