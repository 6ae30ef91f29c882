import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallTimeout } from "../../core/call_timeout.ts";

const never = () => new Promise<never>(() => {});

/** Runs with timers that the test controls, as numbers or as objects. */
async function withTimers(
  kind: "numbers" | "objects",
  body: (timers: Timers) => Promise<void>,
): Promise<void> {
  const { setTimeout, clearTimeout, performance } = globalThis;
  const timers = new Timers(kind);
  const clock = Object.create(performance, {
    now: { value: () => timers.now },
  });
  Object.assign(globalThis, {
    setTimeout: timers.set,
    clearTimeout: timers.clear,
  });
  Object.defineProperty(globalThis, "performance", {
    value: clock,
    configurable: true,
    writable: true,
  });
  try {
    await body(timers);
  } finally {
    Object.assign(globalThis, { setTimeout, clearTimeout });
    Object.defineProperty(globalThis, "performance", {
      value: performance,
      configurable: true,
      writable: true,
    });
  }
}

class Timers {
  now = 0;
  /** How often a timer was set. */
  sets = 0;
  /** When each fires, and whether it keeps the process alive. */
  readonly pending = new Map<
    unknown,
    { at: number; wake: () => void; holds: boolean }
  >();
  readonly #kind: "numbers" | "objects";

  constructor(kind: "numbers" | "objects") {
    this.#kind = kind;
  }

  readonly set = (wake: () => void, ms: number): unknown => {
    this.sets++;
    const timer = this.#kind === "numbers" ? this.sets : {
      ref: () => this.#hold(timer, true),
      unref: () => this.#hold(timer, false),
    };
    this.pending.set(timer, { at: this.now + ms, wake, holds: true });
    return timer;
  };

  readonly clear = (timer: unknown): boolean => this.pending.delete(timer);

  get holding(): number {
    return [...this.pending.values()].filter(({ holds }) => holds).length;
  }

  /** Moves the time and fires the timers that are due. */
  async pass(ms: number): Promise<void> {
    this.now += ms;
    for (const [timer, { at, wake }] of this.pending) {
      if (at > this.now) continue;
      this.pending.delete(timer);
      wake();
    }
    for (let i = 0; i < 10; i++) await undefined;
  }

  #hold(timer: unknown, holds: boolean): void {
    const found = this.pending.get(timer);
    assert(found, "a timer that is over");
    found.holds = holds;
  }
}

/** Records the outcome of a call. */
function outcome(call: Promise<unknown>): { is: unknown } {
  const noted: { is: unknown } = { is: "pending" };
  call.then((value) => noted.is = value, (error) => noted.is = error.message);
  return noted;
}

for (const kind of ["objects", "numbers"] as const) {
  Deno.test(`CallTimeout.run() rejects each late call, with one timer at a time, when timers are ${kind}`, async () => {
    await withTimers(kind, async (timers) => {
      const timeout = new CallTimeout(1000);
      const first = outcome(timeout.run(never));
      await timers.pass(400);
      const second = outcome(timeout.run(never));
      const answered = outcome(timeout.run(() => Promise.resolve("answer")));
      const failed = outcome(
        timeout.run(() => Promise.reject(new Error("failed"))),
      );
      await timers.pass(599);
      assertEquals(answered.is, "answer");
      assertEquals(failed.is, "failed");
      assertEquals([first.is, timers.sets], ["pending", 1]);
      await timers.pass(1);
      assertEquals(first.is, "no answer within 1 s");
      assertEquals([second.is, timers.sets], ["pending", 2]);
      await timers.pass(399);
      assertEquals(second.is, "pending");
      await timers.pass(1);
      assertEquals(second.is, "no answer within 1 s");
      assertEquals(timers.pending.size, 0);
    });
  });

  Deno.test(`CallTimeout.run() does not keep the process alive without pending calls, when timers are ${kind}`, async () => {
    await withTimers(kind, async (timers) => {
      const timeout = new CallTimeout(1000);
      assertEquals(await timeout.run(() => Promise.resolve(1)), 1);
      assertEquals(timers.holding, 0);
      const late = outcome(timeout.run(never));
      assertEquals(timers.holding, 1);
      await timers.pass(1000);
      await timers.pass(1000);
      assertEquals(late.is, "no answer within 1 s");
      assertEquals(timers.holding, 0);
    });
  });
}

Deno.test("CallTimeout.run() sets one timer for many calls", async () => {
  await withTimers("objects", async (timers) => {
    const timeout = new CallTimeout(1000);
    for (let i = 0; i < 100; i++) await timeout.run(() => Promise.resolve());
    assertEquals(timers.sets, 1);
    await timers.pass(1000);
    assertEquals(timers.pending.size, 0);
  });
});

Deno.test("CallTimeout.run() calls onTimeout once for each late call, with the caller's error", async () => {
  await withTimers("objects", async (timers) => {
    const timeout = new CallTimeout(1000, "the server is silent");
    const errors: Error[] = [];
    const onTimeout = (error: Error) => void errors.push(error);
    const answer = () => Promise.resolve("answer");
    const refuse = () => Promise.reject(new Error("refused"));
    const calls = [never, never, answer, refuse].map((call) =>
      outcome(timeout.run(call, onTimeout))
    );
    await timers.pass(999);
    assertEquals(errors, []);
    await timers.pass(1);
    const message = "the server is silent";
    const outcomes = [message, message, "answer", "refused"];
    assertEquals(calls.map(({ is }) => is), outcomes);
    assertEquals(errors.map((error) => error.message), [message, message]);
    const later = outcome(timeout.run(never, onTimeout));
    await timers.pass(1000);
    assertEquals([later.is, errors.length], [message, 3]);
  });
});

Deno.test("CallTimeout.run() accepts limits that are too long for a timer", async () => {
  await withTimers("objects", async (timers) => {
    const years = 2 ** 33;
    const call = outcome(new CallTimeout(years).run(never));
    await timers.pass(2 ** 31 - 1);
    assertEquals(call.is, "pending");
    for (let i = 0; i < 4; i++) await timers.pass(2 ** 31 - 1);
    assertEquals(call.is, `no answer within ${years / 1000} s`);
  });
});

Deno.test("CallTimeout.run() rejects and does not set a timer, when the call throws synchronously", async () => {
  await withTimers("objects", async (timers) => {
    const timeout = new CallTimeout(1000);
    await assertRejects(
      () =>
        timeout.run(() => {
          throw new TypeError("at once");
        }),
      TypeError,
      "at once",
    );
    assertEquals(timers.sets, 0);
  });
});
