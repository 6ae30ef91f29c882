import { assertEquals } from "@std/assert";
import { checkStorage, conformance } from "@satchel/session/conformance";
import target from "../../examples/sqlite_target.ts";
import { fillGuide } from "../../tools/guide.ts";
import { PATIENT } from "../conformance/targets.ts";
import { assertNoDrift } from "../_drift.ts";
import first from "./sqlite_steps/first_target.ts";

conformance(Deno.test, target, PATIENT);

Deno.test("docs/write-a-storage.md holds the code that runs and what the command prints", async () => {
  const url = new URL("../../docs/write-a-storage.md", import.meta.url);
  const guide = await Deno.readTextFile(url);
  assertEquals(guide.match(/<!-- (code|output): /g)?.length, 11);
  assertNoDrift({
    path: "docs/write-a-storage.md",
    found: guide,
    written: await fillGuide(guide),
    tool: "deno run -A tools/guide.ts",
  });
});

Deno.test("docs/write-a-storage.md counts the failures of the first step right", async () => {
  const { results } = await checkStorage(first, { seed: 1 });
  const failed = results.filter(({ outcome }) => outcome === "fail");
  assertEquals(failed.map(({ rule }) => rule), [
    "FLASH-10",
    "CONC-01",
    "CONC-02",
    "CONC-09",
    "MODEL-02",
  ]);
});
