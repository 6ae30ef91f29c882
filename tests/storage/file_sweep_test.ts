import { assert, assertEquals } from "@std/assert";
import type { Background } from "../../storage/engines/background.ts";
import { FileEngine } from "../../storage/engines/file/engine.ts";
import { rowName } from "../_row.ts";
import {
  fsWith,
  inDir,
  rethrow,
  windows,
  withFs,
  writer,
} from "./_file_support.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const start = 1_000 * HOUR;
const live = start + 1_000 * HOUR;

/** The key of a record in a folder of its own, in the order of the folders. */
function keyOf(i: number): string {
  return String(i).padStart(2, "0").padEnd(43, "k");
}

async function fill(
  dir: string,
  count: number,
  expires = start,
): Promise<void> {
  const engine = new FileEngine(dir, () => start, rethrow);
  for (let i = 0; i < count; i++) await engine.write(keyOf(i), "", { expires });
}

/** A process that shares a directory, and stops in each rest of its sweep. */
function processIn(dir: string, onError: (error: unknown) => void = rethrow) {
  const state = { now: start, elapsed: 0, rests: [] as number[], visits: 0 };
  let resume: (() => void) | undefined;
  let resting = Promise.withResolvers<void>();
  const background: Background = {
    elapsed: () => state.elapsed,
    later(ms, work) {
      state.rests.push(ms);
      resume = work;
      resting.resolve();
      return true;
    },
  };
  const fs = fsWith((step) => {
    if (step !== "readdir") return;
    state.visits++;
    state.elapsed += 2;
  });
  const engine = withFs(
    fs,
    () => new FileEngine(dir, () => state.now, onError, undefined, background),
  );
  const write = async () => {
    await engine.write("z".repeat(43), "", { expires: live });
  };
  return {
    engine,
    state,
    /** Writes, ten minutes after the last write. */
    async begin() {
      await write();
      state.now += 10 * MINUTE;
      await write();
    },
    rest: () => resting.promise,
    goOn() {
      resting = Promise.withResolvers();
      resume?.();
    },
  };
}

async function leftIn(dir: string, count: number): Promise<number[]> {
  const engine = new FileEngine(dir, () => start, rethrow);
  const found = [];
  for (let i = 0; i < count; i++) {
    if (await engine.read(keyOf(i))) found.push(i);
  }
  return found;
}

/** Resolves when the sweep has come to its end. */
async function end(dir: string): Promise<void> {
  while (!turnIn(dir).startsWith("@")) {
    await new Promise((resolve) => setTimeout(resolve));
  }
}

function turnIn(dir: string): string {
  return [...Deno.readDirSync(`${dir}/.sweep`)].map(({ name }) => name).join();
}

Deno.test("write() sweeps 64 folders and records in a row, and rests nine times as long as that took", async () => {
  await inDir(async (dir) => {
    await fill(dir, 100, start - 2 * HOUR);
    const one = processIn(dir);
    await one.begin();
    await one.rest();
    // A folder, and the record in it.
    assertEquals((await leftIn(dir, 100)).length, 68);
    assert(one.state.visits <= 70, `${one.state.visits}`);
    const { elapsed } = one.state;
    assertEquals(one.state.rests, [elapsed * 9]);
    one.goOn();
    await one.rest();
    assertEquals((await leftIn(dir, 100)).length, 36);
    assertEquals(one.state.rests[1], (one.state.elapsed - elapsed) * 9);
    await one.engine.close();
  });
});

Deno.test("write() does not sweep, when another process does, and goes on where that one stalled", async () => {
  await inDir(async (dir) => {
    await fill(dir, 100, start - 2 * HOUR);
    const [one, two] = [processIn(dir), processIn(dir)];
    await one.begin();
    await one.rest();
    assertEquals(turnIn(dir), `31@${one.state.now + 10 * MINUTE}`);
    await two.begin();
    await two.engine.close();
    assertEquals((await leftIn(dir, 100))[0], 32);
    assertEquals(two.state.rests, []);
    // The first one does not go on, and its time is up.
    two.state.now += 10 * MINUTE;
    await two.begin();
    await two.rest();
    assertEquals((await leftIn(dir, 100))[0], 64);
    // Its turn was taken, so it stops before the next folder.
    one.goOn();
    await one.engine.close();
    assertEquals((await leftIn(dir, 100))[0], 64);
    two.goOn();
    await two.rest();
    assertEquals((await leftIn(dir, 100))[0], 96);
    two.goOn();
    await end(dir);
    await two.engine.close();
    assertEquals(await leftIn(dir, 100), []);
    assertEquals(turnIn(dir), `@${two.state.now + 10 * MINUTE}`);
  });
});

Deno.test("close() ends a sweep, and another process goes on where it was", async () => {
  await inDir(async (dir) => {
    await fill(dir, 100, start - 2 * HOUR);
    const [one, two] = [processIn(dir), processIn(dir)];
    await one.begin();
    await one.rest();
    await one.engine.close();
    assertEquals(turnIn(dir), `31@${one.state.now}`);
    await two.begin();
    await two.rest();
    assertEquals((await leftIn(dir, 100))[0], 64);
    await two.engine.close();
  });
});

Deno.test("write() sweeps by today's time and spares what was touched, when a sweep lasts for hours", async () => {
  await inDir(async (dir) => {
    await fill(dir, 100, start);
    const one = processIn(dir);
    await one.begin();
    await one.rest();
    // They expired ten minutes ago.
    assertEquals((await leftIn(dir, 100)).length, 100);
    one.state.now += 2 * HOUR;
    await one.engine.touch(keyOf(40), live);
    one.goOn();
    await one.rest();
    await one.engine.close();
    const left = await leftIn(dir, 64);
    assertEquals(left, [...Array(32).keys(), 40]);
    // A broken clock removes nothing.
    const two = processIn(dir);
    await two.begin();
    await two.rest();
    two.state.now = NaN;
    two.goOn();
    await two.engine.close();
    assertEquals((await leftIn(dir, 32)).length, 32);
    assertEquals(turnIn(dir).split("@")[1], "0");
  });
});

Deno.test("write() makes one turn of several, and takes one that a clock ahead has left", async () => {
  await inDir(async (dir) => {
    for (
      const turns of [
        ["30@1", "50@2", "@0"],
        [`50@${start + 1_000 * HOUR}`],
        ["50@9007199254740991", "theirs"],
      ]
    ) {
      await fill(dir, 100, start - 2 * HOUR);
      await Deno.mkdir(`${dir}/.sweep`);
      for (const name of turns) {
        await Deno.writeTextFile(`${dir}/.sweep/${name}`, "");
      }
      const one = processIn(dir);
      await one.begin();
      await one.rest();
      const row = rowName(turns);
      assertEquals((await leftIn(dir, 100))[51], 83, row);
      const expected = turns.filter((name) => name === "theirs");
      assertEquals(
        turnIn(dir).split(",").sort(),
        [`82@${one.state.now + 10 * MINUTE}`, ...expected],
        row,
      );
      await one.engine.close();
      await Deno.remove(dir, { recursive: true });
    }
  });
});

Deno.test({
  name: "write() follows no link, when one has the name of the turn's folder",
  ignore: windows,
  async fn() {
    await inDir(async (dir) => {
      await fill(dir, 1);
      await Deno.mkdir(`${dir}/theirs`);
      await Deno.symlink(`${dir}/theirs`, `${dir}/.sweep`);
      const errors: unknown[] = [];
      const one = processIn(dir, (error) => errors.push(error));
      await one.begin();
      await one.engine.close();
      assertEquals(errors.map(String), [
        "Error: Cannot sweep: a file has the name of a folder in the directory of the sessions",
      ]);
      assertEquals([...Deno.readDirSync(`${dir}/theirs`)], []);
    });
  },
});

Deno.test("write() finishes the sweep of processes that were killed, and no live record is lost", async () => {
  await inDir(async (dir) => {
    await fill(dir, 100, start - 2 * HOUR);
    const engine = new FileEngine(dir, () => start, rethrow);
    for (let i = 0; i < 100; i += 7) {
      await engine.write(keyOf(i), "live", { expires: live });
    }
    for (let killed = 0; killed < 6; killed++) {
      // Each process begins later than the turn of the one before it ends.
      const child = writer("sweep", dir, start + killed * HOUR, "", killed % 3);
      const reader = child.stdout.getReader();
      await reader.read();
      child.kill("SIGKILL");
      await reader.cancel();
      await child.status;
    }
    const one = processIn(dir);
    one.state.now += 100 * HOUR;
    const expected = Array.from({ length: 15 }, (_, i) => i * 7);
    for (let rests = 0; rests < 100; rests++) {
      await one.begin();
      one.goOn();
      await new Promise((resolve) => setTimeout(resolve));
      const { length } = await leftIn(dir, 100);
      if (length === expected.length) break;
    }
    await one.engine.close();
    assertEquals(await leftIn(dir, 100), expected);
    assertEquals(turnIn(dir).split(",").length, 1);
  });
});
