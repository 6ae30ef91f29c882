import { assert, assertEquals, assertRejects } from "@std/assert";
import { AssertionError } from "node:assert/strict";
import { deno } from "../../tools/project.ts";
import { loadReproductions } from "../../tools/reports/findings.ts";
import { readIndex } from "../../tools/reports/index.ts";
import { flagsOf, libraries } from "../../tools/reports/storages.ts";
import { effort } from "../_effort.ts";

if (effort.thorough) {
  Deno.test("conformance/reports says what the suite finds", async () => {
    const check = ["run", "-A", "tools/reports.ts", "--check"];
    const { ok, text } = await deno(check);
    assert(ok, text);
  });
}

for (const library of libraries) {
  const { name } = library;
  // Their clients and databases stay open for all reproductions.
  const options = { sanitizeOps: false, sanitizeResources: false };

  Deno.test(`${name} has a reproduction of each rule that a storage breaks, and of no other`, async () => {
    const { reproductions } = await loadReproductions(library);
    for (const [storage, { file }] of Object.entries(library.storages)) {
      const { failed } = readIndex().storages[file] ?? {};
      const shown = Object.keys(reproductions)
        .filter((rule) => reproductions[rule]?.of.includes(storage));
      assertEquals(shown.toSorted(), failed?.toSorted(), storage);
    }
  });

  const flags = flagsOf(...Object.values(library.storages));
  if (flags.length > 0) {
    // This process cannot load it.
    Deno.test(`${name} breaks rules in a few lines of its own API, in another process`, async () => {
      const { reproductions } = await loadReproductions(library);
      const file = `conformance/reports/reproductions/${name}.ts`;
      const { stdout, text } = await deno(["run", "-A", ...flags, file]);
      const shown = Object.keys(library.storages).flatMap((storage) =>
        Object.keys(reproductions)
          .filter((rule) => reproductions[rule]?.of.includes(storage))
          .map((rule) => `✗ ${storage} ${rule}`)
      );
      const lines = stdout.trimEnd().split("\n");
      assertEquals(lines.map((line) => line.split(":")[0]), shown, text);
    });
    continue;
  }

  Deno.test(
    `${name} breaks rules in a few lines of its own API`,
    options,
    async (t) => {
      const { storages, reproductions } = await loadReproductions(library);
      for (const [rule, { of, show }] of Object.entries(reproductions)) {
        for (const storage of of) {
          await t.step({
            name: `${storage} breaks ${rule}`,
            ...options,
            async fn() {
              const open = storages[storage];
              assert(open, `there is no storage ${storage}`);
              const opened = await open();
              await assertRejects(
                () => show(opened),
                AssertionError,
                undefined,
                `${storage} ${rule}`,
              );
            },
          });
        }
      }
    },
  );
}

Deno.test("a reproduction ends with status 1 where it shows what it says", async () => {
  const file = "conformance/reports/reproductions/remix.ts";
  const { ok, stdout } = await deno(["run", "-A", file, "memory", "CONC-01"]);
  assert(!ok);
  assertEquals(stdout, "✗ memory CONC-01: the destroyed session is back\n");
});
