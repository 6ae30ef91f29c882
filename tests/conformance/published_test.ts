import { assert, assertEquals, assertRejects } from "@std/assert";
import { AssertionError } from "node:assert/strict";
import type { Reproduction } from "../../conformance/reports/reproductions/run.ts";
import * as reactRouter from "../../conformance/reports/reproductions/react_router.ts";
import * as remix from "../../conformance/reports/reproductions/remix.ts";
import { deno } from "../../tools/project.ts";
import { effort } from "../_effort.ts";
import { libraries, readIndex } from "../../tools/reports.ts";

const modules: Record<
  string,
  {
    readonly storages: Readonly<Record<string, () => unknown>>;
    readonly reproductions: Readonly<Record<string, Reproduction<unknown>>>;
  }
> = {
  react_router: reactRouter as typeof modules[string],
  remix: remix as typeof modules[string],
};

if (effort.thorough) {
  Deno.test("conformance/reports says what the suite finds", async () => {
    const check = ["run", "-A", "tools/reports.ts", "--check"];
    const { ok, text } = await deno(check);
    assert(ok, text);
  });
}

for (const { name, storages: names } of libraries) {
  const { storages = {}, reproductions = {} } = modules[name] ?? {};

  for (const storage of names) {
    Deno.test(`${name} ${storage} has a reproduction of each rule that it breaks, and of no other`, () => {
      const { failed } = readIndex().storages[`${name}_${storage}`] ?? {};
      const shown = Object.keys(reproductions)
        .filter((rule) => reproductions[rule]?.of.includes(storage));
      assertEquals(shown.toSorted(), failed?.toSorted());
    });
  }

  for (const [rule, { of, show }] of Object.entries(reproductions)) {
    for (const storage of of) {
      Deno.test(`${name} ${storage} breaks ${rule} in a few lines of its own API`, async () => {
        const open = storages[storage];
        assert(open, `there is no storage ${storage}`);
        await assertRejects(() => show(open()), AssertionError);
      });
    }
  }
}

Deno.test("a reproduction ends with status 1 where it shows what it says", async () => {
  const file = "conformance/reports/reproductions/remix.ts";
  const { ok, stdout } = await deno(["run", "-A", file, "memory", "CONC-01"]);
  assert(!ok);
  assertEquals(stdout, "✗ memory CONC-01: the destroyed session is back\n");
});
