/**
 * `deno task bench`: measures this library, its peers and the floors on each runtime, and writes `bench/RESULTS.md`,
 * `bench/results.json` and the README's chart.
 *
 * - `--runtime deno|node20|node24|bun` measures on these only; may be repeated.
 * - `--rows PATTERN` measures the rows that a regular expression matches. Prints them, and writes nothing.
 * - `--rounds N` measures each row in so many rounds.
 * - `--check` compares with the committed results, writes nothing, and fails if a ratio is worse by more than 25 %.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a command
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { OURS } from "./peers.ts";
import {
  command,
  prepare,
  type Runtime,
  RUNTIMES,
  versionOf,
} from "./prepare.ts";
import { compare, type Raw, type Results, worse } from "./results.ts";
import { plainTable } from "./report.ts";

const ROUNDS = 30;
const TOLERANCE = 0.25;
const json = new URL("results.json", import.meta.url);

const { values: options } = parseArgs({
  args: Deno.args,
  options: {
    runtime: { type: "string", multiple: true, default: [...RUNTIMES] },
    rows: { type: "string" },
    rounds: { type: "string", default: String(ROUNDS) },
    check: { type: "boolean", default: false },
  },
});

async function measureOn(on: Runtime): Promise<Raw[]> {
  const inside = await command(
    on,
    "inside",
    options.rows ?? "",
    options.rounds,
  );
  const { code, stdout } = await inside.output();
  if (code !== 0) throw new Error(`Cannot measure on ${on}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function machine(): string {
  const [first] = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${cpus().length} × ${first?.model.trim()}, ${memory} GiB, ` +
    `${Deno.build.os} ${Deno.build.arch}`;
}

const packages = await prepare();
const runtimes: Record<string, Results["runtimes"][string]> = {};
for (const on of RUNTIMES.filter((on) => options.runtime.includes(on))) {
  const version = await versionOf(on);
  runtimes[on] = { version, rows: compare(await measureOn(on), OURS) };
  console.log(plainTable(runtimes[on]));
}
const results: Results = {
  date: new Date().toISOString().slice(0, 10),
  machine: machine(),
  packages,
  runtimes,
};
if (options.check) {
  const before: Results = JSON.parse(await Deno.readTextFile(json));
  const found = worse(results, before, TOLERANCE);
  for (const { where, before, now } of found) {
    console.error(
      `${where}: ${before.toFixed(2)} before, ${now.toFixed(2)} now`,
    );
  }
  if (found.length > 0) Deno.exitCode = 1;
} else if (options.rows === undefined) {
  await Deno.writeTextFile(json, JSON.stringify(results, null, 1) + "\n");
}
