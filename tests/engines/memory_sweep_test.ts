import { assert, assertEquals } from "@std/assert";
import { MemoryEngine } from "../../storage/engines/memory.ts";
import { ownedKeys } from "./_owned.ts";
import type { Background } from "../../storage/engines/background.ts";
import { rowName } from "../_row.ts";

const expires = 1_000_000;
const MINUTE = 60_000;

/** A background whose time the test moves, and the engine in front of it. */
function setUp(max = 1_000_000, timers = true) {
  const state = { now: 0, elapsed: 0 };
  const waiting: { at: number; work: () => void }[] = [];
  let runs = 0;
  const background: Background = {
    elapsed: () => state.elapsed,
    later(ms, work) {
      if (timers) waiting.push({ at: state.elapsed + ms, work });
      return timers;
    },
  };
  const engine = new MemoryEngine(max, () => state.now, () => {}, background);
  /** Lets time pass, and runs what is due meanwhile. */
  const pass = (ms: number, each: (work: () => void) => void = (w) => w()) => {
    const end = state.elapsed + ms;
    while (true) {
      waiting.sort((a, b) => a.at - b.at);
      const [next] = waiting;
      if (!next || next.at > end) break;
      waiting.shift();
      state.now += next.at - state.elapsed;
      state.elapsed = next.at;
      runs++;
      each(next.work);
    }
    state.now += end - state.elapsed;
    state.elapsed = end;
  };
  const left = async (keys: Iterable<string>) => {
    const found = [];
    for (const key of keys) if (await engine.read(key)) found.push(key);
    return found.join("");
  };
  return { state, waiting, engine, pass, left, runs: () => runs };
}

/** Counts the calls of a method of every `Map`. */
function counting<T>(
  name: "set" | "delete",
  use: (calls: () => number) => T,
  seen: (map: Map<unknown, unknown>) => void = () => {},
): T {
  const original = Map.prototype[name] as (...args: unknown[]) => unknown;
  let calls = 0;
  Map.prototype[name] = function (
    this: Map<unknown, unknown>,
    ...args: unknown[]
  ) {
    calls++;
    const result = original.apply(this, args);
    seen(this);
    return result;
  } as never;
  try {
    return use(() => calls);
  } finally {
    Map.prototype[name] = original as never;
  }
}

Deno.test("MemoryEngine removes expired records within a minute, when no call comes", async () => {
  const { engine, pass, left } = setUp();
  await engine.write("a", "", { expires: MINUTE });
  await engine.write("b", "", { expires: 2 * MINUTE, owner: "ann" });
  await engine.write("c", "", { expires: 3 * MINUTE, owner: "ann" });
  pass(MINUTE - 1);
  assertEquals(await left("abc"), "abc");
  pass(MINUTE);
  assertEquals(await left("abc"), "bc");
  pass(MINUTE);
  assertEquals(await left("abc"), "c");
  assertEquals(await ownedKeys(engine, "ann"), ["c"]);
  pass(MINUTE);
  assertEquals(await left("abc"), "");
});

Deno.test("MemoryEngine waits for nothing, when it has no records", async () => {
  const { engine, waiting, pass } = setUp();
  assertEquals(await engine.read("a"), null);
  assertEquals(waiting.length, 0);
  await engine.write("a", "", { expires });
  await engine.write("b", "", { expires });
  await engine.touch("a", expires);
  assertEquals(waiting.length, 1);
  pass(MINUTE);
  assertEquals(waiting.length, 1);
  await engine.delete("a");
  await engine.delete("b");
  pass(MINUTE);
  assertEquals(waiting.length, 0);
  await engine.write("a", "", { expires });
  assertEquals(waiting.length, 1);
});

Deno.test("MemoryEngine keeps a record for an hour, when the clock jumps ahead", async () => {
  const { engine, state, pass, left } = setUp();
  await engine.write("a", "", { expires });
  state.now += expires + 59 * MINUTE;
  pass(MINUTE - 1);
  assertEquals(await left("a"), "a");
  state.now -= expires + 59 * MINUTE;
  pass(MINUTE);
  assertEquals(await left("a"), "a");
  state.now += expires + 60 * MINUTE;
  pass(MINUTE);
  assertEquals(await left("a"), "");
});

Deno.test("MemoryEngine removes a hundred records in a step, when all of a hundred thousand expire at once", async () => {
  const count = 100_000;
  const { engine, pass, runs } = setUp();
  for (let i = 0; i < count; i++) await engine.write(`${i}`, "", { expires });
  const before = runs();
  let removed = 0;
  let most = 0;
  pass(expires + MINUTE, (work) =>
    counting("delete", (calls) => {
      work();
      removed += calls();
      most = Math.max(most, calls());
    }));
  assertEquals(removed, count);
  assertEquals(most, 100);
  assert(runs() - before < count / 100 + expires / 10_000, `${runs()}`);
});

Deno.test("write() removes a hundred records at most, when all have expired and no timer comes", async () => {
  const { engine, state } = setUp(1000, false);
  const write = (key: string) =>
    counting("delete", (calls) => {
      void engine.write(key, "", { expires: state.now + expires });
      return calls();
    });
  for (let i = 0; i < 1000; i++) assertEquals(write(`${i}`), 0);
  // A full storage evicts one for another.
  for (let i = 0; i < 1000; i++) assertEquals(write(`more ${i}`), 1);
  state.elapsed = state.now = 2 * expires;
  for (let i = 0; i < 10; i++) assertEquals(write(`${i}`), 100, rowName(i));
  assertEquals(write("last"), 0);
});

Deno.test("write() moves a few hundred entries at most, when it makes room for more of them", async () => {
  const { engine } = setUp();
  let largest = 0;
  const seen = ({ size }: Map<unknown, unknown>) => {
    largest = Math.max(largest, size);
  };
  counting("set", () => {
    for (let i = 0; i < 100_000; i++) {
      // Keys of this length and these characters are the engine's real ones.
      const key = `${i * 7919}`.padStart(43, "x");
      void engine.write(key, "", { expires, owner: `owner of ${key}` });
    }
  }, seen);
  assert(largest > 0 && largest <= 1000, `${largest}`);
});

Deno.test("sweep() lets other work run, when many records have expired", async () => {
  const { engine, left } = setUp();
  for (let i = 0; i < 1000; i++) await engine.write(`${i}`, "", { expires: 1 });
  const sweeps = [engine.sweep(expires), engine.sweep(expires)];
  await engine.write("0", "", { expires: 2 * expires });
  await engine.write("new", "", { expires: 1 });
  const [first = 0, second = 0] = await Promise.all(sweeps);
  // The record "0" was removed before it was written again, as the first of all.
  assertEquals(first + second, 1001);
  assert(first > 0 && second > 0, `${first}, ${second}`);
  assertEquals(await left(["0", "999", "new"]), "0");
});

Deno.test({
  name: "MemoryEngine leaves no timer behind, when a test ends",
  sanitizeOps: true,
  sanitizeResources: true,
  async fn() {
    const engine = new MemoryEngine(10, Date.now, () => {});
    await engine.write("a", "", { expires: Infinity });
  },
});

Deno.test("MemoryEngine removes expired records by the platform's own timer, and lets the process end", async () => {
  const url = new URL("../../storage/engines/", import.meta.url);
  const code = `
    import { MemoryEngine } from "${url}memory.ts";
    import { background } from "${url}background.ts";
    let elapsed = 0;
    const quick = {
      elapsed: () => elapsed,
      later: (ms, work) => background.later(ms / 1000, () => {
        elapsed += ms;
        work();
        if (elapsed > 60_000) ended();
      }),
    };
    const engine = new MemoryEngine(10, () => elapsed, () => {}, quick);
    let ended;
    const end = new Promise((resolve) => ended = resolve);
    await engine.write("a", "", { expires: 1 });
    await engine.write("b", "", { expires: Infinity });
    const alive = setInterval(() => {}, 1000);
    await end;
    clearInterval(alive);
    console.log(await engine.read("a"), (await engine.read("b"))?.version);
    await new MemoryEngine(10, Date.now, () => {})
      .write("a", "", { expires: Infinity });`;
  const { stdout, code: status } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", code],
    stderr: "inherit",
  }).output();
  assertEquals(new TextDecoder().decode(stdout).trim(), "null 2");
  assertEquals(status, 0);
});
