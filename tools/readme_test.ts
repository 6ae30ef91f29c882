import { assertEquals } from "@std/assert";
import { fenceProblems } from "./readme.ts";

function fence(info: string, body = "x") {
  return "text\n```" + info + "\n" + body + "\n```\n";
}

Deno.test("fenceProblems() finds nothing in checked code and plain text", () => {
  assertEquals(fenceProblems(fence("ts") + fence("sh") + fence("text")), []);
  assertEquals(fenceProblems(fence("ts no-run")), []);
});

Deno.test("fenceProblems() names the line of what is not checked", () => {
  assertEquals(fenceProblems(fence("")), [
    "line 2: the fence names no language",
  ]);
  assertEquals(fenceProblems(fence("ts") + fence("ts ignore")), [
    "line 6: it is ignored",
  ]);
  assertEquals(fenceProblems(fence("js")), [
    "line 2: js is not type-checked, write ts",
  ]);
});

Deno.test("fenceProblems() finds a fence that is left open", () => {
  assertEquals(fenceProblems("```ts\nx\n"), ["the last fence is not closed"]);
});
