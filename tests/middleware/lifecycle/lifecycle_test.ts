// Runs every case in every framework. Those that must be built first run in lifecycle_thorough.ts.
import { assertEquals } from "@std/assert";
import { withPackages } from "../../engines/_packages.ts";
import { assertNoDrift } from "../../_drift.ts";
import { effort } from "../../_effort.ts";
import type { Case } from "./_case.ts";
import { cases } from "./_cases.ts";
import { Client } from "./_client.ts";
import type { Driver, Served } from "./_driver.ts";
import { drivers } from "./_drivers.ts";
import { cell, inPage, PAGE, tableOf } from "./_table.ts";

// Deno's server says once how it aborts the signal of a request: no case is about that.
// deno-lint-ignore no-console -- see above
console.warn = () => {};

const ran = new Set<string>();

function register(driver: Driver): void {
  let served: Promise<Served> | undefined;
  for (
    const { each, variant } of cases.flatMap((each) => variantsOf(each, driver))
  ) {
    const suffix = variant && `: ${variant}`;
    Deno.test({
      name: `${driver.name}: ${each.title}: ${cell(each, driver)}${suffix}`,
      // All cases use one server.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        const { origin } = await (served ??= driver.serve());
        const client = new Client(origin);
        await client.control("reset");
        await inTime(each.run(client, driver.traits, variant));
        assertEquals((await client.control("log")).unhandled, []);
        ran.add(`${driver.name}: ${each.title}`);
      },
    });
  }
  Deno.test({
    name: `${driver.name}: stops`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => await (await served)?.stop(),
  });
}

/** A case with each of its variants. */
function variantsOf(
  each: Case,
  driver: Driver,
): { each: Case; variant: string }[] {
  const { variants = [""] } = each;
  const list = typeof variants === "function" ? variants(driver) : variants;
  return list.map((variant) => ({ each, variant }));
}

/** Fails a case that hangs, so that the run goes on. */
async function inTime(work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error("the case did not end within 60 seconds")),
    60_000,
  );
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

const chosen = drivers.filter(({ isBuilt = false }) =>
  isBuilt === effort.thorough
);

for (const driver of chosen) {
  await withPackages(
    driver.name,
    driver.packages ?? [],
    () => Promise.resolve(driver),
    register,
  );
}

Deno.test({
  name: "every framework ran every case",
  ignore: Deno.env.get("CI") !== "true",
  fn() {
    assertEquals(ran.size, chosen.length * cases.length);
  },
});

Deno.test("docs/middleware.md has the table of the cases; run write_table.ts to update it", async () => {
  const page = await Deno.readTextFile(PAGE);
  assertNoDrift({
    path: "docs/middleware.md",
    found: page,
    written: inPage(page, tableOf(cases, drivers)),
    tool: "deno run -A tests/middleware/lifecycle/write_table.ts",
  });
});
