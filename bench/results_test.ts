import { assertEquals, assertStringIncludes } from "@std/assert";
import { agreement, agreementText } from "./agreement.ts";
import { chart } from "./chart.ts";
import type { Served } from "./http.ts";
import { median, undisturbed } from "./measure.ts";
import { markdown } from "./report.ts";
import { combine, compare, type Results, type Run, worse } from "./results.ts";

const OURS = "@satchel/session";
const row = "signed S write";

function raw(ours: number[], peer: number[]) {
  return [
    { name: OURS, floor: false, times: ours },
    { name: "cookie-session", floor: false, times: peer },
    { name: "floor, WebAssembly", floor: true, times: [5] },
  ];
}

/** A run in which a request takes this library 10 µs. */
function run(peer: number, servers: Served[] = []): Run {
  return {
    rows: { [row]: compare([raw([10], [peer])], OURS) },
    servers,
  };
}

function results(a: Run, b = a): Results {
  return {
    date: "2026-01-01",
    machine: "2 × Processor",
    rounds: 3,
    packages: { "cookie-session": "2.1.1" },
    runtimes: {
      deno: {
        version: "Deno 2.9.6",
        agreement: agreement(a, b, OURS),
        ...combine(a, b),
      },
    },
  };
}

function server(name: string, cpu: number): Served {
  const load = { perSecond: 1000, cpu, p99: 1 };
  const paths = { "/read": load, "/change": load };
  return { name, kind: "signed", memory: 50, paths };
}

Deno.test("median() gives the number in the middle, or the mean of both", () => {
  assertEquals(median([3, 1, 20]), 3);
  assertEquals(median([4, 1, 20, 2]), 3);
});

Deno.test("undisturbed() gives the mean of the faster half", () => {
  assertEquals(undisturbed([30, 4, 2, 20]), 3);
  assertEquals(undisturbed([9, 5, 1]), 3);
});

Deno.test("compare() divides the medians of processes", () => {
  const { ours, others } = compare([
    raw([30, 10, 10, 90], [24, 20]),
    raw([12, 12], [24, 50]),
  ], OURS);
  assertEquals(ours, 11);
  assertEquals(others["cookie-session"], { ratio: 2 });
  assertEquals(others["floor, WebAssembly"], { floor: true, ratio: 5 / 11 });
});

Deno.test("combine() gives the mean of two runs", () => {
  const { rows, servers } = combine(
    run(20, [server(OURS, 10)]),
    run(80, [server(OURS, 30)]),
  );
  assertEquals(rows[row]?.others["cookie-session"]?.ratio, 4);
  assertEquals(servers[0]?.paths["/change"].cpu, 20);
});

Deno.test("agreement() names ratios that differ by more than 10 %", () => {
  const a = run(30, [server(OURS, 10), server("cookie-session", 20)]);
  const b = run(36, [server(OURS, 10), server("cookie-session", 21)]);
  const found = agreement(a, b, OURS);
  assertEquals([found.ratios, found.within], [4, 0.75]);
  assertEquals(found.worst, [
    { where: `${row}, cookie-session`, runs: [3, 3.6] },
  ]);
  assertEquals(
    agreementText(found),
    "Two runs agree within 10 % on 3 of 4 ratios (75 %). Their median " +
      "difference is 5 %, the greatest 20 %. The others: " +
      "signed S write, cookie-session (3.00 and 3.60).",
  );
});

Deno.test("worse() finds ratios that fell by more than the tolerance", () => {
  const before = results(run(30));
  assertEquals(worse(results(run(25)), before, 0.25), []);
  assertEquals(worse(results(run(60)), before, 0.25), []);
  assertEquals(worse(results(run(20)), before, 0.25), [
    { where: `deno, ${row}, cookie-session`, before: 3, now: 2 },
  ]);
});

Deno.test("markdown() and chart() show each library's ratio", () => {
  const found = results(run(30));
  assertStringIncludes(markdown(found), "| cookie-session | 3.00 × |");
  assertStringIncludes(markdown(found), "| floor, WebAssembly | 2.00 × |");
  assertStringIncludes(markdown(found), "agree within 10 % on 2 of 2 ratios");
  assertStringIncludes(chart(found), ">3.00 ×</text>");
});
