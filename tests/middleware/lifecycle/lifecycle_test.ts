// Runs every case in every framework, and prints a table of what ran.
import { assertEquals } from "@std/assert";
import { withPackages } from "../../engines/_packages.ts";
import { cases } from "./_cases.ts";
import { Client } from "./_client.ts";
import type { Driver, Served } from "./_driver.ts";
import { drivers } from "./_drivers.ts";
import { cell, inPage, PAGE, tableOf } from "./_table.ts";

const ran = new Set<string>();

function register(driver: Driver): void {
  let served: Promise<Served> | undefined;
  for (const each of cases) {
    Deno.test({
      name: `${driver.name}: ${each.title}: ${cell(each, driver)}`,
      // All cases use one server.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        const { origin } = await (served ??= driver.serve());
        const client = new Client(origin);
        await client.control("reset");
        await inTime(each.run(client, driver.traits));
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

/** Fails a case that hangs, so that the run goes on. */
async function inTime(work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error("the case did not end within 10 seconds")),
    10_000,
  );
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

for (const driver of drivers) {
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
    assertEquals(ran.size, drivers.length * cases.length);
  },
});

Deno.test("docs/middleware.md has the table of the cases; run write_table.ts to update it", async () => {
  const page = await Deno.readTextFile(PAGE);
  assertEquals(inPage(page, tableOf(cases, drivers)), page);
});

globalThis.addEventListener("unload", () => {
  const complete = drivers.filter(({ name }) =>
    cases.every(({ title }) => ran.has(`${name}: ${title}`))
  );
  // deno-lint-ignore no-console -- reports what ran
  console.log(`\n${tableOf(cases, complete)}`);
});
