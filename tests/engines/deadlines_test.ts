import { assert, assertEquals } from "@std/assert";
import { Deadlines, type Due } from "../../storage/engines/deadlines.ts";
import { rowName } from "../_row.ts";

let moves = 0;

/** Counts how often an item moves: a comparison or four precede each move. */
class Counted implements Due {
  expires: number;
  #position = -1;
  constructor(expires: number) {
    this.expires = expires;
  }
  get position(): number {
    return this.#position;
  }
  set position(position: number) {
    moves++;
    this.#position = position;
  }
}

/** Pseudo-random numbers, the same each time. */
function numbers(): (end: number) => number {
  let state = 1;
  return (end) => (state = state * 48271 % 2147483647) % end;
}

Deno.test("Deadlines moves a dozen items at most, when one of a hundred thousand comes, changes or goes", () => {
  const below = numbers();
  const deadlines = new Deadlines<Counted>();
  const items: Counted[] = [];
  let most = 0;
  const step = (change: () => void) => {
    moves = 0;
    change();
    most = Math.max(most, moves);
  };
  // The last ones expire first, which is the most work.
  for (let i = 100_000; i > 0; i--) {
    const item = new Counted(i);
    items.push(item);
    step(() => deadlines.add(item));
  }
  for (let i = 0; i < 10_000; i++) {
    const item = items[below(items.length)]!;
    item.expires = below(200_000);
    step(() => deadlines.update(item));
  }
  let before = -Infinity;
  for (let left = items.length; left > 0; left--) {
    const { first } = deadlines;
    assert(first && first.expires >= before);
    before = first.expires;
    step(() => deadlines.remove(first));
  }
  assertEquals(deadlines.first, undefined);
  assert(most <= 12, `${most} moves`);
});

Deno.test("Deadlines finds the item that expires first, when items come, change and go at random", () => {
  const below = numbers();
  const deadlines = new Deadlines<Counted>();
  const items = new Set<Counted>();
  for (let step = 0; step < 20_000; step++) {
    const chosen = [...items][below(Math.max(items.size, 1))];
    const what = below(5);
    if (!chosen || what < 2 && items.size < 60) {
      const item = new Counted([below(1000), Infinity][below(20) && 0]!);
      items.add(item);
      deadlines.add(item);
    } else if (what < 4) {
      chosen.expires = below(1000) + 0.5;
      deadlines.update(chosen);
    } else {
      items.delete(chosen);
      deadlines.remove(chosen);
    }
    const expected = Math.min(...[...items].map(({ expires }) => expires));
    assertEquals(
      deadlines.first?.expires ?? Infinity,
      expected,
      rowName(step),
    );
  }
});
