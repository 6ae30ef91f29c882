/**
 * Runs the embedded storages many times, in a random order of rules.
 */
import {
  checkStorage,
  type Report,
  type Target,
} from "../../conformance/mod.ts";
import { DenoKvEngine } from "../../storage/engines/deno_kv.ts";
import {
  cookieTarget,
  databaseTarget,
  engineTarget,
  fileTarget,
  memoryTarget,
  PATIENT,
} from "./targets.ts";

/** A report and how long it took, in milliseconds. */
export interface Run {
  readonly report: Report;
  readonly ms: number;
}

/** Opens the embedded storages, runs something with them, and closes them. */
export async function withEmbedded<T>(
  work: (targets: readonly Target[]) => Promise<T>,
): Promise<T> {
  const kv = await Deno.openKv(":memory:");
  const dir = await Deno.makeTempDir();
  try {
    return await work([
      memoryTarget(),
      cookieTarget(),
      fileTarget(dir),
      engineTarget(
        "Deno KV",
        ({ namespace, now }) => new DenoKvEngine(kv, namespace, now, 10_000),
        ["durable"],
        { recordBytes: 64 * 1024 - 256 },
      ),
      databaseTarget(),
    ]);
  } finally {
    kv.close();
    await Deno.remove(dir, { recursive: true });
  }
}

/** Runs the suite once, with a random seed, which also decides the order of the rules. */
export async function runOnce(target: Target): Promise<Run> {
  const start = performance.now();
  const report = await checkStorage(target, PATIENT);
  return { report, ms: performance.now() - start };
}

/** The results that did not pass, each with the seed that repeats it. */
export function flakes({ target, seed, results }: Report): string[] {
  return results
    .filter(({ outcome }) => outcome !== "pass" && outcome !== "not-applicable")
    .map(({ rule, outcome, reason }) =>
      `${target}: ${rule} ${outcome}, seed ${seed}: ${reason}`
    );
}

/** The minimum, median and maximum of some times, as text. */
export function spread(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return `${at(0)} to ${at(1)} ms, half of them within ${at(0.5)} ms`;
}
