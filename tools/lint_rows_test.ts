import { assertEquals } from "@std/assert";
import plugin from "./lint_rows.ts";

function found(body: string): string[] {
  const source = `Deno.test("a", () => { ${body} });`;
  return Deno.lint.runPlugin(plugin, "a_test.ts", source)
    .map(({ message }) => message);
}

Deno.test("row-name finds an assertion in a loop that does not name the row", () => {
  const missing = "assertEquals() in a loop does not name the row";
  const loop = (body: string) => `for (const [a, b] of cases) { ${body} }`;
  assertEquals(found(loop("assertEquals(a, b);")), [missing]);
  assertEquals(found(loop("if (a) run(() => assertEquals(a, b));")), [missing]);
  assertEquals(found(loop(loop("assertEquals(a, b);"))), [missing]);
  assertEquals(found(loop("assertThrows(() => a, TypeError, b);")), [
    "assertThrows() in a loop does not name the row",
  ]);
});

Deno.test("row-name lets be what has a message, or a test of its own", () => {
  const loop = (body: string) => `for (const [a, b] of cases) { ${body} }`;
  assertEquals(found("assertEquals(1, 1);"), []);
  assertEquals(found(loop("assertEquals(a, b, a);")), []);
  assertEquals(found(loop("assertThrows(() => a, TypeError, b, a);")), []);
  assertEquals(found(loop("assertThrows(() => a, String(b));")), []);
  assertEquals(found(loop("t.step(a, () => assertEquals(a, b));")), []);
});
