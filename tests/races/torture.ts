/**
 * The long form of the races: many commits to one session and many visits, on every engine.
 *
 * `deno task torture`, or with the number of commits, the number of processes and the names of engines.
 */
// deno-lint-ignore-file no-console -- a command
import { race, type Result } from "./_crew.ts";
import { effort } from "../_effort.ts";
import { type Engine, withEngines } from "./_engines.ts";
import { HAMMER, VISITS } from "../../conformance/history/work.ts";

const [commits = "10000", processes = "4", ...names] = Deno.args;

async function torture({ name, start }: Engine): Promise<number> {
  const { place, stop } = await start();
  const plans = {
    hammer: {
      mix: HAMMER,
      sessions: 1,
      width: 1,
      commits: Math.ceil(+commits / +processes),
    },
    visits: {
      mix: VISITS,
      sessions: Math.ceil(+commits / 40),
      width: 1,
      commits: 20,
    },
  };
  let found = 0;
  for (const [what, plan] of Object.entries(plans)) {
    const result = await race({ place, processes: +processes, plan });
    console.log(row(name, what, result));
    for (const finding of result.findings.slice(0, 5)) console.log(finding);
    found += result.findings.length + result.unknown;
  }
  await stop();
  return found;
}

function row(name: string, what: string, result: Result): string {
  const { ok, late, conflict, unknown, merges, seconds } = result;
  return [
    name.padEnd(14),
    what,
    ...[ok, late, merges, conflict, unknown].map((n) => `${n}`.padStart(10)),
    `${seconds.toFixed(1).padStart(10)} s`,
  ].join("");
}

const engines: Engine[] = [];
effort.thorough = true;
effort.long = true;
await withEngines((engine) => void engines.push(engine));
console.log(
  `${"engine".padEnd(20)}${
    ["commits", "late", "merges", "conflicts", "failed"]
      .map((title) => title.padStart(10)).join("")
  }`,
);
let found = 0;
for (const engine of engines) {
  if (names.length > 0 && !names.includes(engine.name)) continue;
  found += await torture(engine);
}
console.log(found === 0 ? "every history is explained" : `findings: ${found}`);
Deno.exit(found === 0 ? 0 : 1);
