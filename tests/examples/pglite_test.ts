import { PGlite } from "@electric-sql/pglite";
import { assertEquals } from "@std/assert";
import { checkStorage, type Target } from "@satchel/session/conformance";
import functions from "../../examples/pglite/functions_target.ts";
import { fillCode, WALKTHROUGH } from "../../tools/guide.ts";
import { changed, steady, stepsOf } from "../../tools/walkthrough.ts";
import { codeOf } from "../../tools/guide_code.ts";
import { assertNoDrift } from "../_drift.ts";
import { effort } from "../_effort.ts";
import { assertFollowed, guide } from "./_follow.ts";
import baseline from "./pglite_steps/baseline.json" with { type: "json" };
import {
  createPgliteSessionStorage,
  schema,
} from "./pglite_steps/first_storage.ts";

Deno.test(`${WALKTHROUGH} holds the code that runs`, async () => {
  const found = await guide();
  const tool = "deno run -A tools/guide.ts";
  const written = await fillCode(found);
  assertNoDrift({ path: WALKTHROUGH, found, written, tool });
});

Deno.test(`${WALKTHROUGH} mends the four functions into those of examples/`, async () => {
  const steps = stepsOf(await guide());
  const [first] = steps.filter(({ file }) => file === "storage.ts");
  const [mend] = steps.filter(({ kind, file }) =>
    kind === "change" && file === "storage.ts"
  );
  assertEquals(
    first && mend && changed(first.text, mend),
    await codeOf("examples/pglite/storage.ts"),
  );
});

Deno.test(`${WALKTHROUGH} expects a failure of the first step, and the verdict is partial`, async () => {
  const db = await PGlite.create();
  await db.exec(schema);
  const target: Target = {
    ...functions,
    open: ({ now }) => ({ storage: createPgliteSessionStorage(db, { now }) }),
  };
  const { verdict, results } = await checkStorage(target, {
    only: ["MODEL-02"],
    seed: 1,
    expectedFailures: baseline.expected,
  });
  await db.close();
  assertEquals(verdict, "partial");
  assertEquals(
    results.map(({ rule, outcome }) => [rule, outcome]),
    [["MODEL-02", "fail"]],
  );
});

Deno.test("steady() keeps what a command says, and drops how fast the machine was", () => {
  assertEquals(
    steady("   Start at  01:02:03\n   Duration  1.2s (tests 3%)\n ✓ a 12ms\nb"),
    "   Start at  …\n   Duration  …\n ✓ a …\nb",
  );
});

/** The quick form leaves the readers with Deno and Bun out: they run the same commands on the same files. */
const READERS = effort.thorough
  ? ["node", "deno", "bun"] as const
  : ["node"] as const;

for (const runtime of READERS) {
  Deno.test(`a reader with ${runtime} follows ${WALKTHROUGH} from an empty folder`, () =>
    assertFollowed(runtime, effort));
}
