// The same library and the same suite on every runtime, each with its own test runner.
import { assert, assertEquals } from "@std/assert";
import { rules } from "../../conformance/mod.ts";
import { bundle } from "../../tools/bundle.ts";
import { effort } from "../_effort.ts";
import { PACKAGES as DYNAMODB, startDynamoDB } from "../engines/_dynamodb.ts";
import { withPackages } from "../engines/_packages.ts";
import {
  installed,
  startMariaDb,
  startMemcached,
  startPostgres,
  startRedis,
} from "../engines/_servers.ts";
import { PACKAGES as WORKERD } from "../engines/_workerd.ts";
import { startUpstash } from "../engines/_upstash.ts";
import { type Ran, run } from "./_run.ts";
import { rows, rowsOn, type Runtime, RUNTIMES } from "./matrix.ts";
import type { Surroundings } from "./suite.ts";

await bundle();

const groups = new Set(rules.map(({ id }) => id.split("-")[0]));
/** The long form runs all rules, the others the first rule of each group. */
const first = [...groups].map((group) => `${group}-01`);

const ports: { -readonly [E in keyof Surroundings["ports"]]: number } = {};
if (installed("redis")) {
  ports.redis = (await startRedis()).port;
  ports.upstash = startUpstash(ports.redis).port;
}
if (installed("memcached")) ports.memcached = (await startMemcached()).port;
if (installed("postgres")) ports.postgres = (await startPostgres()).port;
if (installed("mariadb")) ports.mariadb = (await startMariaDb()).port;
await withPackages(
  "DynamoDB (dynalite, AWS SDK)",
  DYNAMODB,
  startDynamoDB,
  ({ port }) => void (ports.dynamodb = port),
);

const here: Pick<Surroundings, "ports" | "only"> = {
  ports,
  ...effort.long ? {} : { only: first },
};

/** How many tests of one row passed and failed on one runtime. */
interface Cell {
  readonly passed: number;
  readonly failed: number;
}

/** Of each runtime that was tried, how many tests of each row passed and failed. */
const tried = new Map<Runtime, Map<string, Cell>>();

function count({ outcomes }: Ran): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  for (const { name, error } of outcomes) {
    const title = name.slice(0, name.indexOf(": "));
    const { passed, failed } = cells.get(title) ?? { passed: 0, failed: 0 };
    cells.set(title, {
      passed: passed + (error ? 0 : 1),
      failed: failed + (error ? 1 : 0),
    });
  }
  return cells;
}

async function check(on: Runtime): Promise<void> {
  const ran = await run(on, here);
  const cells = count(ran);
  tried.set(on, cells);
  assertEquals(ran.outcomes.filter(({ error }) => error), []);
  assert(ran.ok, ran.text.slice(-4000));
  const expected = rowsOn(on).filter(([, { engine }]) =>
    !engine || ports[engine] !== undefined
  );
  const others = ["refusals", "the end"];
  assertEquals(
    [...cells.keys()].filter((title) => !others.includes(title)),
    expected.map(([, { title }]) => title),
  );
}

/** The runtimes that differ little from others. The quick form leaves them out, and the thorough form has only them. */
const SIMILAR: readonly Runtime[] = ["node", "deno", "workersNode"];

function isTried(on: Runtime): boolean {
  return effort.long || effort.thorough === SIMILAR.includes(on);
}

const runtimes = (["node20", "node", "deno", "bun"] as const)
  .filter(isTried) as Runtime[];
await withPackages(
  "Workers (workerd)",
  WORKERD,
  async () => {},
  () => {
    runtimes.push(...(["workers", "workersNode"] as const).filter(isTried));
  },
);

Deno.test({
  name: "the conformance suite and the vectors hold on every runtime",
  // A step's work is under way in another process while the next one begins.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const waiting = runtimes.slice();
    const work = async () => {
      for (let on = waiting.shift(); on; on = waiting.shift()) {
        const runtime = on;
        await t.step({
          name: RUNTIMES[runtime],
          fn: () => check(runtime),
          sanitizeOps: false,
          sanitizeResources: false,
          sanitizeExit: false,
        });
      }
    };
    // Two at a time: much of a run is waiting for a disk or for a server.
    await Promise.all([work(), work()]);
  },
});

Deno.test("a row is tried by as many tests on every runtime", () => {
  for (const [, { title }] of rows) {
    const counts = [...tried.values()].flatMap((cells) => {
      const cell = cells.get(title);
      return cell ? [cell.passed + cell.failed] : [];
    });
    assertEquals(new Set(counts).size < 2, true, `${title}: ${counts}`);
  }
});
