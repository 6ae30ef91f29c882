/**
 * `deno task bench`: measures this library, its peers and the floors on each runtime, and writes `bench/RESULTS.md`,
 * `bench/results.json` and the README's chart. `deno task bench rows` or `http` measures only that, and `redis` runs
 * `bench/redis.ts`, and `sql` runs `bench/sql.ts`.
 *
 * - `--rows PATTERN` measures the rows whose names a regular expression matches.
 * - `--runtime deno|node20|node24|bun` measures on these only; may be repeated.
 * - `--rounds N` measures in so many rounds.
 * - `--check` compares with the committed results, and fails if a ratio is worse by more than 25 %.
 *
 * With any of them but `--rounds`, it prints the results and writes nothing. Everything is measured in two runs.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a command
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { deno } from "../tools/project.ts";
import { agreement } from "./agreement.ts";
import { chart } from "./chart.ts";
import { measureServers } from "./http.ts";
import { OURS } from "./peers.ts";
import {
  command,
  prepare,
  type Runtime,
  RUNTIMES,
  versionOf,
} from "./prepare.ts";
import { markdown, plainTable } from "./report.ts";
import { measureSql } from "./sql.ts";
import {
  combine,
  compare,
  type Raw,
  type Results,
  type Row,
  type Run,
  type RuntimeResults,
  worse,
} from "./results.ts";
import { rowNames } from "./rows.ts";

const ROUNDS = 40;
/** A round of servers takes longer, and has more requests in it. */
const HTTP_SHARE = 0.15;
/** How many processes measure a row in a run: compilers make other code in each. */
const PROCESSES = 2;
const TOLERANCE = 0.25;
const FILES = {
  json: new URL("results.json", import.meta.url),
  report: new URL("RESULTS.md", import.meta.url),
  chart: new URL("../docs/images/bench.svg", import.meta.url),
};

const { values: options, positionals: [part, which] } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    runtime: { type: "string", multiple: true },
    rows: { type: "string" },
    rounds: { type: "string" },
    check: { type: "boolean" },
  },
});
const rounds = Number(options.rounds ?? ROUNDS);

/** A row in processes of its own: this library, its peers and the floors, round robin in each. */
async function measureRow(on: Runtime, row: string): Promise<Raw[][]> {
  const found: Raw[][] = [];
  for (let i = 0; i < PROCESSES; i++) {
    const inside = await command(on, "inside", row, `${rounds}`);
    const { code, stdout } = await inside.output();
    if (code !== 0) throw new Error(`Cannot measure ${row} on ${on}`);
    found.push(JSON.parse(new TextDecoder().decode(stdout)));
  }
  return found;
}

async function runOn(on: Runtime): Promise<Run> {
  const pattern = new RegExp(options.rows ?? "");
  const names = part === "http" ? [] : rowNames(pattern, on === "deno");
  const rows: Record<string, Row> = {};
  for (const row of names) rows[row] = compare(await measureRow(on, row), OURS);
  const noServers = part === "rows" || options.rows || options.check;
  const servers = noServers
    ? []
    : await measureServers(on, { rounds: Math.ceil(rounds * HTTP_SHARE) });
  return { rows, servers };
}

function machine(): string {
  const [first] = cpus();
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  return `${cpus().length} × ${first?.model.trim()}, ${memory} GiB, ` +
    `${Deno.build.os} ${Deno.build.arch}`;
}

/** Measures everything twice: the second run begins when the first has ended. */
async function run(): Promise<Results> {
  const packages = await prepare();
  const on = RUNTIMES.filter((on) => options.runtime?.includes(on) ?? true);
  const runs: [Map<Runtime, Run>, Map<Runtime, Run>] = [new Map(), new Map()];
  for (const run of runs) {
    for (const runtime of on) run.set(runtime, await runOn(runtime));
  }
  const runtimes: Record<string, RuntimeResults> = {};
  for (const runtime of on) {
    const [a, b] = runs.map((run) => run.get(runtime) as Run) as [Run, Run];
    runtimes[runtime] = {
      version: await versionOf(runtime),
      agreement: agreement(a, b, OURS),
      ...combine(a, b),
    };
    console.log(plainTable(runtimes[runtime]));
  }
  const date = new Date().toISOString().slice(0, 10);
  return { date, machine: machine(), rounds, packages, runtimes };
}

async function check(results: Results): Promise<void> {
  const before: Results = JSON.parse(await Deno.readTextFile(FILES.json));
  const found = worse(results, before, TOLERANCE);
  for (const { where, before, now } of found) {
    console.error(
      `${where}: ${before.toFixed(2)} before, ${now.toFixed(2)} now`,
    );
  }
  if (found.length > 0) Deno.exitCode = 1;
}

async function write(results: Results): Promise<void> {
  await Deno.writeTextFile(FILES.json, JSON.stringify(results, round) + "\n");
  await Deno.writeTextFile(FILES.report, markdown(results));
  await Deno.writeTextFile(FILES.chart, chart(results));
  const { ok, text } = await deno([
    ...["fmt", "--quiet", "bench/RESULTS.md", "bench/results.json"],
    "docs/images/bench.svg",
  ]);
  if (!ok) throw new Error(text);
}

function round(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(4)) : value;
}

if (part === "redis") await import("./redis.ts");
else if (part === "sql") await measureSql(Number(options.rounds ?? 40), which);
else {
  const results = await run();
  if (options.check) await check(results);
  else if (!part && !options.rows && !options.runtime) await write(results);
}
