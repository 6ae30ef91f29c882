import { assertEquals, assertStringIncludes } from "@std/assert";
import { chart } from "./chart.ts";
import { spread } from "./measure.ts";
import { markdown } from "./report.ts";
import { compare, type Results, worse } from "./results.ts";

const OURS = "@satchel/session";
const row = "signed S write";

function results(times: (number | null)[]): Results {
  const rows = compare([
    { row, name: OURS, floor: false, times: [10, 20, null] },
    { row, name: "cookie-session", floor: false, times },
    { row, name: "floor, WebAssembly", floor: true, times: [5, 10, 1] },
  ], OURS);
  return {
    date: "2026-01-01",
    machine: "2 × Processor",
    rounds: 3,
    packages: { "cookie-session": "2.1.1" },
    runtimes: { deno: { version: "Deno 2.9.6", rows, servers: [] } },
  };
}

Deno.test("spread() gives the median and the quartiles", () => {
  assertEquals(spread([3, 1, 2, 5, 4]), { median: 3, low: 2, high: 4 });
  assertEquals(spread([1, 2]), { median: 1.5, low: 1.25, high: 1.75 });
});

Deno.test("compare() compares within a round, and leaves out what sat out", () => {
  const { others } = results([30, 40, 50]).runtimes["deno"]?.rows[row] ?? {};
  assertEquals(others?.["cookie-session"]?.ratio.median, 2.5);
  assertEquals(others?.["floor, WebAssembly"]?.ratio.median, 0.5);
});

Deno.test("worse() finds ratios that fell by more than the tolerance", () => {
  const before = results([30, 60, null]);
  assertEquals(worse(results([25, 50, null]), before, 0.25), []);
  assertEquals(worse(results([60, 120, null]), before, 0.25), []);
  assertEquals(worse(results([20, 40, null]), before, 0.25), [
    { where: `deno, ${row}, cookie-session`, before: 3, now: 2 },
  ]);
});

Deno.test("markdown() and chart() show each library's ratio", () => {
  const found = results([30, 60, null]);
  assertStringIncludes(markdown(found), "| cookie-session | 3.00 × |");
  assertStringIncludes(markdown(found), "| floor, WebAssembly | 2.00 × |");
  assertStringIncludes(chart(found), ">3.00 ×</text>");
});
