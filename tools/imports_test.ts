import { assertEquals } from "@std/assert";
import { rowName } from "../tests/_row.ts";
import { findCycle, importsOf, objection } from "./imports.ts";

function reason(from: string, to: string, typeOnly = false) {
  return objection({ from, to, typeOnly });
}

Deno.test("objection() lets a layer import itself and those below", () => {
  assertEquals(reason("core/session.ts", "core/codec.ts"), undefined);
  assertEquals(reason("storage/memory.ts", "core/session.ts"), undefined);
  assertEquals(reason("middleware/hono.ts", "storage/contract.ts"), undefined);
  assertEquals(reason("mod.ts", "middleware/with_session.ts"), undefined);
});

Deno.test("objection() refuses a layer above, types included", () => {
  assertEquals(
    reason("core/session.ts", "storage/contract.ts", true),
    "is above core",
  );
  assertEquals(reason("storage/memory.ts", "mod.ts"), "is above storage");
  assertEquals(reason("middleware/hono.ts", "mod.ts"), "is above middleware");
});

Deno.test("objection() keeps engines and sessions apart", () => {
  const engine = "storage/engines/redis/engine.ts";
  const sessions = "storage/sessions/save.ts";
  const contract = "storage/contract.ts";
  const allowed: [string, string][] = [
    [engine, "storage/engines/lazy.ts"],
    [engine, contract],
    [engine, "core/bytes.ts"],
    [engine, "core/call_timeout.ts"],
    [sessions, "storage/sessions/policy.ts"],
    [sessions, contract],
    [sessions, "core/session.ts"],
    ["storage/redis.ts", engine],
    ["storage/redis.ts", sessions],
    [contract, "core/session.ts"],
  ];
  for (const [from, to] of allowed) {
    assertEquals(reason(from, to), undefined, `${from} → ${to}`);
  }
  const refused: [string, string][] = [
    [engine, sessions],
    [engine, "core/session.ts"],
    [engine, "storage/redis.ts"],
    [sessions, engine],
    [sessions, "storage/memory.ts"],
    [contract, sessions],
    [contract, engine],
  ];
  for (const [from, to] of refused) {
    assertEquals(
      reason(from, to)?.includes("must not know"),
      true,
      `${from} → ${to}`,
    );
  }
});

Deno.test("objection() lets the suite see the contract's types only", () => {
  const suite = "conformance/rules.ts";
  assertEquals(reason(suite, "conformance/report.ts"), undefined);
  assertEquals(reason(suite, "storage/contract.ts", true), undefined);
  assertEquals(
    reason(suite, "storage/contract.ts"),
    "must be imported with `import type`",
  );
  for (const concrete of ["storage/memory.ts", "core/session.ts", "mod.ts"]) {
    assertEquals(
      reason(suite, concrete, true),
      "is not the contract, storage/contract.ts",
      rowName(concrete),
    );
  }
});

Deno.test("objection() refuses what is not published with the package", () => {
  const message = "is not in a layer that is published";
  assertEquals(reason("conformance/a.ts", "@std/assert"), undefined);
  assertEquals(reason("core/a.ts", "node:crypto"), undefined);
  for (const other of ["react-router", "npm:redis", "tests/a.ts"]) {
    assertEquals(reason("core/a.ts", other), message, rowName(other));
  }
});

Deno.test("findCycle() finds files that import each other, types included", () => {
  const graph = (...lines: string[]) =>
    lines.map((line) => {
      const [from = "", to = ""] = line.split(" ");
      return { from, to, typeOnly: true };
    });
  assertEquals(findCycle(graph("a b", "a c", "b d", "c d")), undefined);
  assertEquals(findCycle(graph("a b", "b c", "c d", "d b")), [
    "b",
    "c",
    "d",
    "b",
  ]);
  assertEquals(findCycle(graph("a a")), ["a", "a"]);
});

Deno.test("importsOf() lists the imports of published files only", () => {
  const base = "file:///repo/";
  const imports = importsOf({
    modules: [
      {
        specifier: "file:///repo/core/a.ts",
        dependencies: [
          {
            specifier: "../storage/b.ts",
            type: { specifier: "file:///repo/storage/b.ts" },
          },
          {
            specifier: "@std/assert/equal",
            code: { specifier: "file:///repo/tools/std/assert/mod.ts" },
          },
        ],
      },
      {
        specifier: "file:///repo/core/a_test.ts",
        dependencies: [{ specifier: "../mod.ts" }],
      },
      {
        specifier: "file:///repo/tests/c.ts",
        dependencies: [{ specifier: "../mod.ts" }],
      },
    ],
  }, base);
  assertEquals(imports, [
    { from: "core/a.ts", to: "storage/b.ts", typeOnly: true },
    { from: "core/a.ts", to: "@std/assert/equal", typeOnly: false },
  ]);
});
