/**
 * What a million sessions cost: `deno run -A bench/scale.ts memory [sessions]`, or `files [records…]`.
 *
 * Memory: the longest step of the event loop. Files: calls by the number of records, and what a sweep in passing takes
 * of one core. Node 24 runs it, too: there, a step is CPU time of its thread, without the garbage collector's pauses.
 */
// deno-lint-ignore-file no-console -- a command
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { PerformanceObserver } from "node:perf_hooks";
import process from "node:process";
import { background } from "../storage/engines/background.ts";
import { FileEngine } from "../storage/engines/file/engine.ts";
import { MemoryEngine } from "../storage/engines/memory.ts";

const HOUR = 3_600_000;
const value = JSON.stringify([1, "x".repeat(300)]);

function keyOf(i: number): string {
  return createHash("sha256").update(String(i)).digest("base64url");
}

/** CPU milliseconds of this process. */
function cpu(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
}

/** Pauses of the garbage collector: start and end. Deno does not report them. */
const pauses: [number, number][] = [];

/** Milliseconds of this thread: CPU time on Node. Deno counts it in steps of 10, so there it is the time of the day. */
function spent(): number {
  const { threadCpuUsage } = process as {
    threadCpuUsage?: () => NodeJS.CpuUsage;
  };
  if (!threadCpuUsage || "Deno" in globalThis) return performance.now();
  const { user, system } = threadCpuUsage.call(process);
  return (user + system) / 1000;
}

/** Runs `call` many times. Prints microseconds a call, and the longest calls in milliseconds. */
async function measure(
  name: string,
  times: number,
  call: (i: number) => unknown,
): Promise<void> {
  const long: { ms: number; from: number; to: number }[] = [];
  pauses.length = 0;
  const before = process.cpuUsage();
  const start = performance.now();
  let from = start;
  let begun = spent();
  for (let i = 0; i < times; i++) {
    await call(i);
    const ms = spent() - begun;
    const to = performance.now();
    if (ms > 0.5) long.push({ ms, from, to });
    begun = spent();
    from = to;
  }
  const wall = performance.now() - start;
  const used = cpu(before);
  // The observer learns of pauses between two tasks.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const steps = long.filter(({ from, to }) =>
    !pauses.some(([start, end]) => start < to && end > from)
  ).map(({ ms }) => ms).sort((a, b) => b - a);
  const us = (ms: number) => (ms * 1000 / times).toFixed(1).padStart(7);
  const top = steps.slice(0, 3).map((ms) => ms.toFixed(1)).join(" ");
  console.log(
    `${name.padEnd(28)}${us(wall)} µs${us(used)} µs CPU   longest ms: ${top}`,
  );
}

async function memory(sessions = 1_000_000): Promise<void> {
  try {
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) {
        pauses.push([startTime, startTime + duration]);
      }
    }).observe({ entryTypes: ["gc"] });
  } catch {
    console.log("The longest steps include the garbage collector's pauses.");
  }
  const keys = Array.from({ length: sessions }, (_, i) => keyOf(i));
  const random = (i: number) => keys[i * 7919 % sessions] ?? "";
  let now = Date.now();
  const steps: (() => void)[] = [];
  const engine = new MemoryEngine(sessions, () => now, () => {}, {
    ...background,
    later: (_, work) => steps.push(work) > 0,
  });
  const lifetime = (i: number) => now + HOUR + i * 7919 % HOUR;
  const some = Math.min(sessions, 200_000);
  const { heapUsed } = process.memoryUsage();
  await measure(
    "write, new",
    sessions,
    (i) => engine.write(keys[i] ?? "", value, { expires: lifetime(i) }),
  );
  const grown = process.memoryUsage().heapUsed - heapUsed;
  console.log(`${Math.round(grown / sessions)} bytes a session`);
  await measure("read", some, (i) => engine.read(random(i)));
  await measure(
    "write, again",
    some,
    (i) => engine.write(random(i), value, { expires: lifetime(i) }),
  );
  await measure("touch", some, (i) => engine.touch(random(i), lifetime(i)));
  await measure(
    "write, full",
    some,
    (i) => engine.write(`${i}`, value, { expires: lifetime(i) }),
  );
  now += 4 * HOUR;
  let count = 0;
  await measure("all expired: a step", Math.ceil(sessions / 100), () => {
    const step = steps.shift();
    if (step) count++;
    step?.();
  });
  console.log(`${count} steps`);
}

/** Makes records as the engine does, but without waiting for the disk. */
function fill(dir: string, from: number, to: number, expires: number): void {
  for (let i = from; i < to; i++) {
    const key = keyOf(i);
    const folder = `${dir}/${key.slice(0, 2)}/${key}`;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    const content = `1-${key.slice(0, 16)}`;
    fs.writeFileSync(`${folder}/${content}`, value, { mode: 0o600 });
    fs.writeFileSync(`${folder}/${content}@${expires}`, "", { mode: 0o600 });
  }
}

async function files(counts: readonly number[]): Promise<void> {
  const dir = fs.mkdtempSync(`${tmpdir()}/satchel-scale-`);
  const start = Date.now();
  let made = 0;
  for (const count of counts) {
    fill(dir, made, count, start + 24 * HOUR);
    made = count;
    console.log(`\n${count} records`);
    let now = start;
    const engine = new FileEngine(dir, () => now, console.error);
    const random = (i: number) => keyOf(i * 7919 % count);
    await measure("read", 2_000, (i) => engine.read(random(i)));
    await measure("read, absent", 2_000, (i) => engine.read(keyOf(-i - 1)));
    await measure(
      "write, again",
      500,
      (i) => engine.write(random(i), value, { expires: start + 24 * HOUR }),
    );
    await measure("write, new, and delete", 500, async (i) => {
      await engine.write(keyOf(-i - 1), value, { expires: start + HOUR });
      await engine.delete(keyOf(-i - 1));
    });
    for (const [name, later] of [["none", 0], ["all", 48 * HOUR]] as const) {
      now += later + 600_000;
      await sweep(engine, `${dir}/.sweep`, `${name} expired`);
      if (later === 0) continue;
      made = 0;
      fs.rmSync(dir, { recursive: true });
      fs.mkdirSync(dir);
    }
  }
  fs.rmSync(dir, { recursive: true, force: true });
}

/** Prints the share of a core that a sweep in passing takes within 20 seconds, and the longest turn of the event loop. */
async function sweep(
  engine: FileEngine,
  turns: string,
  name: string,
): Promise<void> {
  await engine.write(keyOf(0), value, { expires: Infinity });
  const before = process.cpuUsage();
  const start = performance.now();
  let last = start;
  let longest = 0;
  const timer = setInterval(() => {
    const here = performance.now();
    longest = Math.max(longest, here - last - 5);
    last = here;
  }, 5);
  await new Promise((resolve) => setTimeout(resolve, 20_000));
  clearInterval(timer);
  const share = cpu(before) / (performance.now() - start) * 100;
  const [turn = ""] = fs.readdirSync(turns);
  const shards = fs.readdirSync(`${turns}/..`).filter((s) => s.length === 2);
  const done = turn.startsWith("@")
    ? shards.length
    : shards.sort().indexOf(turn.slice(0, 2)) + 1;
  console.log(
    `sweep, ${name}: ${share.toFixed(1)} % of a core, longest ${
      longest.toFixed(0)
    } ms, ${done} of ${shards.length} folders`,
  );
  await engine.close();
}

const [what, ...numbers] = process.argv.slice(2);
const counts = numbers.map(Number);
if (what === "memory") await memory(counts[0]);
else if (what === "files") {
  await files(counts.length > 0 ? counts : [1_000, 100_000, 1_000_000]);
} else console.log("Say what to measure: memory, or files");
