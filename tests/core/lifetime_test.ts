import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  checkTimeouts,
  deadline,
  DEFAULT_LIFETIME,
  isAhead,
  type Life,
  lifetimeOf,
  renewInterval,
  type Timeouts,
  touchInterval,
} from "../../core/lifetime.ts";
import type { SessionStorage } from "../../storage/contract.ts";
import { createMemorySessionStorage } from "../../storage/memory.ts";
import { rowName } from "../_row.ts";
import { Clock } from "./_support.ts";

const DAY = 86_400;

function setUp(timeouts: Timeouts = {}) {
  const clock = new Clock();
  const storage = createMemorySessionStorage({ now: clock.now, ...timeouts });
  return { clock, storage };
}

async function store(
  storage: SessionStorage,
  maxAge?: number,
): Promise<string> {
  const session = await storage.read(null);
  session.set("a", 1);
  return (await storage.save(session, { maxAge }))!;
}

async function alive(storage: SessionStorage, id: string): Promise<boolean> {
  return (await storage.read(id)).size > 0;
}

Deno.test("lifetimeOf() prefers maxAge to expires", () => {
  const expires = new Date(5000);
  assertEquals(lifetimeOf({ maxAge: 60, expires }), 60);
  assertEquals(lifetimeOf({ maxAge: 0, expires }), 0);
  assertEquals(lifetimeOf({ maxAge: undefined, expires }), [5000]);
  assertEquals(lifetimeOf({}), null);
  assertEquals(lifetimeOf(undefined), null);
});

Deno.test("lifetimeOf() throws, when a lifetime is invalid", () => {
  for (const maxAge of [NaN, -1, -0.001, Infinity, -Infinity, "60", null, {}]) {
    assertThrows(
      () => lifetimeOf({ maxAge } as never),
      RangeError,
      "Cannot use maxAge: it must be a finite, non-negative number of seconds, received",
      rowName(maxAge),
    );
  }
  for (const expires of [new Date(NaN), 5, "2030-01-01", null, {}]) {
    assertThrows(
      () => lifetimeOf({ expires } as never),
      TypeError,
      "Cannot use expires: it must be a valid Date",
      rowName(expires),
    );
  }
});

Deno.test("checkTimeouts() throws and says what to change, when a timeout is invalid", () => {
  const cases: [object, string][] = [
    [
      { idleTimeout: 0 },
      "Cannot use idleTimeout: it must be more than 0 seconds",
    ],
    [
      { absoluteTimeout: 0 },
      "Cannot use absoluteTimeout: it must be more than 0 seconds",
    ],
    [
      { idleTimeout: -1 },
      "Cannot use idleTimeout: it must be a finite, non-negative number",
    ],
    [{ idleTimeout: Infinity }, "received Infinity"],
    [{ absoluteTimeout: NaN }, "received NaN"],
    // As a variable of the environment is.
    [{ absoluteTimeout: "3600" as never }, "received a string"],
    [{ touchAfter: -1 }, "Cannot use touchAfter"],
    [{ touchAfter: NaN }, "Cannot use touchAfter"],
    [
      { idleTimeout: 10, touchAfter: 10 },
      "Cannot use touchAfter: it must be shorter than idleTimeout",
    ],
    [
      { notBefore: new Date(8.64e15) },
      "Cannot use notBefore: it must not be in the future",
    ],
  ];
  for (const [timeouts, message] of cases) {
    assertThrows(
      () => checkTimeouts(timeouts, Date.now),
      RangeError,
      message,
      rowName(timeouts),
    );
    assertThrows(
      () => createMemorySessionStorage(timeouts),
      RangeError,
      message,
      rowName(timeouts),
    );
  }
});

Deno.test("checkTimeouts() throws and says what to change, when a value has the wrong type", () => {
  const cases: [object, string][] = [
    [{ rolling: 60 }, "Cannot use rolling: it must be true or false"],
    [{ rolling: "yes" }, "Cannot use rolling: it must be true or false"],
    [{ notBefore: 5 }, "Cannot use notBefore: it must be a valid Date"],
    [
      { notBefore: new Date(NaN) },
      "Cannot use notBefore: it must be a valid Date",
    ],
  ];
  for (const [timeouts, message] of cases) {
    assertThrows(
      () => createMemorySessionStorage(timeouts),
      TypeError,
      message,
      rowName(timeouts),
    );
  }
});

Deno.test("touchInterval() is touchAfter, by default a tenth of the idle timeout, at most a minute", () => {
  const cases: [Timeouts, number][] = [
    [{}, 0],
    [{ idleTimeout: 100 }, 10],
    [{ idleTimeout: 86_400 }, 60],
    [{ idleTimeout: 0.01 }, 0.001],
    [{ idleTimeout: 100, touchAfter: 0 }, 0],
    [{ idleTimeout: 100, touchAfter: 99 }, 99],
  ];
  for (const [timeouts, seconds] of cases) {
    assertEquals(touchInterval(timeouts), seconds * 1000, rowName(timeouts));
  }
});

Deno.test("renewInterval() is touchAfter, by default a tenth of the lifetime, at most a minute, or a day if it rolls", () => {
  const cases: [number, Timeouts, number][] = [
    [100, {}, 10],
    [DAY, {}, 60],
    [DAY, { touchAfter: 0 }, 0],
    [DAY, { touchAfter: 3600 }, 3600],
    [DAY, { touchAfter: DAY }, DAY / 2],
    [DAY, { rolling: true }, DAY / 10],
    [30 * DAY, { rolling: true }, DAY],
    [30 * DAY, { rolling: true, touchAfter: 60 }, 60],
  ];
  for (const [lasts, timeouts, seconds] of cases) {
    assertEquals(
      renewInterval(lasts, timeouts),
      seconds * 1000,
      rowName(lasts, timeouts),
    );
  }
});

Deno.test("deadline() returns the earliest of lifetime, idle and absolute timeout", () => {
  const life: Life = { created: 1000, saved: 2000, lifetime: null, span: 0 };
  const cases: [Partial<Life>, number | null, Timeouts, number][] = [
    [{}, null, {}, 8.64e15],
    [{}, 18, {}, 20_000],
    [{ lifetime: 3 }, 18, {}, 5000],
    [{ lifetime: [7000] }, 18, {}, 7000],
    [{ lifetime: 8.64e15 }, null, {}, 8.64e15],
    [{}, 18, { idleTimeout: 1 }, 10_000],
    [{}, 18, { idleTimeout: 11.001 }, 20_000],
    [{}, 18, { absoluteTimeout: 2 }, 3000],
    [{}, 18, { idleTimeout: 1, absoluteTimeout: 2 }, 3000],
    [{}, 18, { idleTimeout: 1, absoluteTimeout: 12 }, 10_000],
    [{}, 18, { notBefore: new Date(1000) }, 20_000],
    [{}, 18, { notBefore: new Date(1001) }, -Infinity],
    [{ undated: true }, 18, { notBefore: new Date(1) }, -Infinity],
  ];
  for (const [changes, lifetime, timeouts, end] of cases) {
    assertEquals(
      deadline({ ...life, ...changes }, { timeouts, lifetime }, 9000),
      end,
      rowName(changes, lifetime, timeouts),
    );
  }
  assertEquals(DEFAULT_LIFETIME, 14 * DAY);
});

Deno.test("isAhead() returns false, when clock or deadline is NaN", () => {
  assert(isAhead(2, 1));
  assertFalse(isAhead(1, 1));
  assertFalse(isAhead(1, 2));
  for (const broken of [NaN, undefined as unknown as number]) {
    assertFalse(isAhead(broken, 1), rowName(broken));
    assertFalse(isAhead(1, broken), rowName(broken));
    assertFalse(isAhead(Infinity, broken), rowName(broken));
  }
});

Deno.test("storage.read() returns an empty session exactly from the deadline on", async () => {
  const cases: [Timeouts, number | undefined, number][] = [
    [{}, undefined, 14 * DAY],
    [{}, 60, 60],
    [{}, 0.5, 0.5],
    [{}, 0.001, 0.001],
    [{}, 400 * DAY, 400 * DAY],
    [{ idleTimeout: 30 }, 60, 30],
    [{ idleTimeout: 30 }, undefined, 30],
    [{ absoluteTimeout: 20, idleTimeout: 30 }, 60, 20],
    [{ absoluteTimeout: 20 }, 10, 10],
  ];
  for (const [timeouts, maxAge, seconds] of cases) {
    const { clock, storage } = setUp(timeouts);
    // Two sessions, because reading one may prolong it.
    const one = await store(storage, maxAge);
    const two = await store(storage, maxAge);
    const end = clock.time + seconds * 1000;
    clock.time = end - 0.5;
    assert(await alive(storage, one), `${seconds} s`);
    clock.time = end;
    assertFalse(await alive(storage, two), `${seconds} s`);
  }
});

Deno.test("storage.save() counts maxAge from each save, with and without an idle timeout", async () => {
  const { clock, storage } = setUp();
  const id = await store(storage, 60);
  clock.pass(50);
  assertEquals(
    await storage.save(await storage.read(id)),
    null,
    "reading alone does not prolong",
  );
  clock.pass(9.999);
  const session = await storage.read(id);
  session.set("b", 1);
  await storage.save(session);
  clock.pass(59.999);
  assert(await alive(storage, id));
  clock.pass(0.001);
  assertFalse(await alive(storage, id));
});

Deno.test("storage.read() moves the idle deadline, at most once per touchAfter", async () => {
  const { clock, storage } = setUp({ idleTimeout: 100, touchAfter: 10 });
  const id = await store(storage);
  for (let use = 0; use < 5; use++) {
    clock.pass(99);
    await storage.read(id);
  }
  assert(await alive(storage, id));
  clock.pass(9.999);
  await storage.read(id);
  clock.pass(90.001);
  assertFalse(
    await alive(storage, id),
    "that use came too soon after the last to count",
  );
});

Deno.test("storage.read() never moves the deadline beyond the lifetime or the absolute timeout", async () => {
  for (
    const [timeouts, maxAge] of [[{ idleTimeout: 50 }, 100], [{
      idleTimeout: 50,
      absoluteTimeout: 100,
    }, undefined]] as const
  ) {
    const { clock, storage } = setUp(timeouts);
    const id = await store(storage, maxAge);
    clock.pass(40);
    await storage.read(id);
    clock.pass(40);
    await storage.read(id);
    clock.pass(19.999);
    await storage.read(id);
    assert(await alive(storage, id), rowName(timeouts));
    clock.pass(0.001);
    assertFalse(await alive(storage, id), rowName(timeouts));
  }
});

Deno.test("storage.save() keeps the absolute deadline, when data or id change", async () => {
  const { clock, storage } = setUp({ absoluteTimeout: 100 });
  let id = await store(storage);
  for (let n = 0; n < 9; n++) {
    clock.pass(10);
    const session = await storage.read(id);
    session.set("n", n);
    session.regenerateId();
    id = (await storage.save(session, { maxAge: 1000 }))!;
  }
  clock.pass(9.999);
  assert(await alive(storage, id));
  clock.pass(0.001);
  assertFalse(await alive(storage, id));
});

Deno.test("storage.read() returns the session until the same deadline, when the clock is set back", async () => {
  for (const back of [1, 3600, 10 * DAY]) {
    const { clock, storage } = setUp({ idleTimeout: 100, touchAfter: 10 });
    const id = await store(storage);
    clock.pass(-back);
    await storage.read(id);
    assert(await alive(storage, id), rowName(back));
    // The clock may be behind another server's, so the deadline stays.
    clock.pass(back + 99);
    assert(await alive(storage, id), rowName(back));
    clock.pass(100);
    assertFalse(await alive(storage, id), rowName(back));
  }
});

Deno.test("storage does not keep a session for ever, when the clock is broken", async () => {
  for (const broken of [NaN, undefined, Infinity]) {
    const { clock, storage } = setUp({ idleTimeout: 100 });
    const id = await store(storage);
    const { time } = clock;
    clock.time = broken as number;
    assertFalse(await alive(storage, id), rowName(broken));
    const session = await storage.read(null);
    session.set("a", 1);
    let error: unknown;
    await storage.save(session).catch((thrown) => error = thrown);
    assert(error instanceof TypeError, rowName(broken));
    assertEquals(
      error.message,
      "Cannot save session: now() must return milliseconds, as Date.now does",
      rowName(broken),
    );
    clock.time = time;
    assert(await alive(storage, id), "and it is back, when the clock is");
    assert(
      await storage.save(session),
      "what could not be saved then can be now",
    );
  }
});
