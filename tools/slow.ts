/**
 * Runs the conformance suite on storages that are right and slow, and by real clocks, while other processes use all of
 * the machine. Shows how long each took.
 *
 * `deno task slow`, or with the milliseconds of the calls to try: `deno task slow 5 20`. `--idle` leaves the machine to
 * the suite; `--real` tries the real clocks only. `--seeds` tries every
 * storage that is odd and right with 20 seeds, and takes about half an hour.
 */
// deno-lint-ignore-file no-console -- a command
import { checkStorage } from "../conformance/mod.ts";
import type { OddTarget } from "../tests/conformance/odd/_build.ts";
import { wrongly } from "../tests/conformance/odd/_judge.ts";
import { oddTargets } from "../tests/conformance/odd/mod.ts";
import { LATENCIES, slow, unsteady } from "../tests/conformance/odd/slow.ts";

/** How often a real clock, or a storage with another seed, is tried. */
const TIMES = 20;

/** Processes that only use the machine, one for each of its processors. */
function burn(): Deno.ChildProcess[] {
  return Array.from(
    { length: navigator.hardwareConcurrency },
    () =>
      new Deno.Command(Deno.execPath(), {
        args: ["eval", "while (true);"],
      }).spawn(),
  );
}

async function time(target: OddTarget): Promise<void> {
  const start = performance.now();
  const report = await checkStorage(target);
  const seconds = (performance.now() - start) / 1000;
  const found = wrongly(target, report);
  const late = report.results.filter(({ outcome }) => outcome === "not-run");
  const part = report.results.filter(({ rounds }) => rounds);
  console.log(
    `${target.name.padEnd(40)} ${report.verdict.padEnd(12)} ${
      seconds.toFixed(1).padStart(6)
    } s, ${part.length} rules in part, ${late.length} not run`,
  );
  for (const line of found) console.log(`  seed ${report.seed}: ${line}`);
  if (found.length > 0) Deno.exitCode = 1;
}

async function main(args: readonly string[]): Promise<void> {
  const isSeeds = args.includes("--seeds");
  const burners = isSeeds || args.includes("--idle") ? [] : burn();
  try {
    if (isSeeds) {
      for (const target of oddTargets) {
        for (let i = 0; i < TIMES; i++) await time(target);
        await target.end?.();
      }
      return;
    }
    const given = args.filter((arg) => !arg.startsWith("--")).map(Number);
    const latencies = given.length > 0 ? given : LATENCIES;
    if (!args.includes("--real")) {
      for (const ms of latencies) {
        await time(slow(ms));
        await time(unsteady(ms));
      }
    }
    if (given.length > 0) return;
    for (const target of oddTargets) {
      if (target.clock?.kind !== "real") continue;
      for (let i = 0; i < TIMES; i++) await time(target);
    }
  } finally {
    for (const burner of burners) burner.kill();
    await Promise.all(burners.map(({ status }) => status));
  }
}

await main(Deno.args);
