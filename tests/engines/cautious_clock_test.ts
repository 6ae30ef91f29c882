import { assertEquals } from "@std/assert";
import { CautiousClock } from "../../storage/engines/cautious_clock.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function setUp() {
  const state = { now: 1_000_000_000, elapsed: 0 };
  const clock = new CautiousClock(() => state.now, () => state.elapsed);
  /** Returns how far the clock is behind, in minutes. */
  const behind = () => (state.now - clock.now()) / MINUTE;
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += MINUTE) {
      state.now += MINUTE;
      state.elapsed += MINUTE;
      clock.now();
    }
  };
  behind();
  return { state, behind, pass };
}

Deno.test("now() is exact, when the clock is steady", () => {
  const { behind, pass } = setUp();
  for (const ms of [MINUTE, HOUR, 5 * HOUR]) {
    pass(ms);
    assertEquals(behind(), 0, `${ms}`);
  }
});

Deno.test("now() does not follow a jump ahead for an hour, and follows it within two", () => {
  for (const age of [0, 30 * MINUTE, 59 * MINUTE, HOUR, 90 * MINUTE]) {
    const { state, behind, pass } = setUp();
    pass(age);
    state.now += 30 * MINUTE;
    assertEquals(behind(), 30, `${age}`);
    pass(HOUR - MINUTE);
    assertEquals(behind(), 30, `${age}`);
    pass(HOUR + MINUTE);
    assertEquals(behind(), 0, `${age}`);
  }
});

Deno.test("now() is an hour behind at most, when the clock jumps by a day", () => {
  const { state, behind } = setUp();
  state.now += 24 * HOUR;
  assertEquals(behind(), 60);
});

Deno.test("now() follows a step back at once, when the clock is set back", () => {
  const { state, behind, pass } = setUp();
  state.now += 30 * MINUTE;
  pass(MINUTE);
  state.now -= 30 * MINUTE;
  assertEquals(behind(), 0);
  state.now -= 24 * HOUR;
  assertEquals(behind(), 0);
});

Deno.test("now() returns NaN and forgets nothing, when the clock is broken for a moment", () => {
  const { state, behind } = setUp();
  const { now } = state;
  state.now = NaN;
  assertEquals(behind(), NaN);
  state.now = now + 30 * MINUTE;
  assertEquals(behind(), 30);
});
