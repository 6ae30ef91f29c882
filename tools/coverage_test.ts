import { assertEquals } from "@std/assert";
import { byFolder, parseLcov, percent } from "./coverage.ts";

const report = [
  "SF:/repo/core/a.ts",
  "DA:1,1",
  "DA:2,0",
  "LH:1",
  "LF:2",
  "end_of_record",
  "SF:/repo/core/b/c.ts",
  "DA:1,7",
  "DA:9,1",
  "end_of_record",
  "SF:/repo/core/a.ts",
  "DA:2,3",
  "end_of_record",
  "SF:/elsewhere/core/a.ts",
  "DA:1,0",
  "end_of_record",
].join("\n");

Deno.test("parseLcov() merges a file that is reported twice", () => {
  assertEquals(parseLcov(report).get("/repo/core/a.ts"), { found: 2, hit: 2 });
});

Deno.test("parseLcov() reads Windows paths and line ends", () => {
  const files = parseLcov("SF:C:\\repo\\core\\a.ts\r\nDA:1,0\r\n");
  assertEquals(files.get("C:/repo/core/a.ts"), { found: 1, hit: 0 });
});

Deno.test("byFolder() adds up what is under the root only", () => {
  const sums = byFolder(parseLcov(report), "/repo/");
  assertEquals([...sums], [["core", { found: 4, hit: 4 }]]);
});

Deno.test("percent() is zero where nothing was found", () => {
  assertEquals(percent(undefined), 0);
  assertEquals(percent({ found: 0, hit: 0 }), 0);
  assertEquals(percent({ found: 8, hit: 6 }), 75);
});
