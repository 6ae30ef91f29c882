/**
 * Runs the conformance suite on the embedded storages many times, in another order each time, in two processes at the
 * same time.
 *
 * `deno task steady`, or with the number of runs per process.
 */
// deno-lint-ignore-file no-console -- a command
import {
  flakes,
  runOnce,
  spread,
  withEmbedded,
} from "../tests/conformance/_steady.ts";

const PROCESSES = 2;

/** The results of a process. */
interface Found {
  readonly flakes: readonly string[];
  /** Milliseconds of each run, by storage. */
  readonly times: Readonly<Record<string, number[]>>;
}

async function repeat(count: number): Promise<Found> {
  const found: string[] = [];
  const times: Record<string, number[]> = {};
  await withEmbedded(async (targets) => {
    for (let i = 0; i < count; i++) {
      for (const target of targets) {
        const { report, ms } = await runOnce(target);
        found.push(...flakes(report));
        (times[target.name] ??= []).push(ms);
      }
    }
  });
  return { flakes: found, times };
}

async function spawn(count: number): Promise<Found> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.filename ?? "", `${count}`, "--alone"],
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

async function main(count: number): Promise<void> {
  const start = performance.now();
  const all = await Promise.all(
    Array.from({ length: PROCESSES }, () => spawn(count)),
  );
  for (const name of Object.keys(all[0]?.times ?? {})) {
    const times = all.flatMap((found) => found.times[name] ?? []);
    console.log(`${name.padEnd(16)} ${times.length} runs: ${spread(times)}`);
  }
  const found = all.flatMap(({ flakes }) => flakes);
  const seconds = Math.round((performance.now() - start) / 1000);
  console.log(`${PROCESSES} processes, ${seconds} s, ${found.length} flakes`);
  for (const flake of found) console.log(flake);
  if (found.length > 0) Deno.exitCode = 1;
}

const [count = "50", alone] = Deno.args;
if (alone === "--alone") console.log(JSON.stringify(await repeat(+count)));
else await main(+count);
