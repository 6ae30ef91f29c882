/**
 * An engine on a database that knows nothing of this library: PostgreSQL, with its table and without.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { checkEngine, type EngineTarget } from "../../../conformance/mod.ts";
import { withPackages } from "../../engines/_packages.ts";
import { PATIENT } from "../targets.ts";
import { PostgresEngine } from "./_postgres.ts";

const PGLITE = "npm:@electric-sql/pglite@0.3.14";

async function start() {
  const { PGlite } = await import("npm:@electric-sql/pglite@0.3.14");
  const db = await PGlite.create();
  globalThis.addEventListener("unload", () => void db.close());
  return (isReady: boolean): EngineTarget => ({
    name: "PostgreSQL",
    clock: { kind: "virtual", advance() {} },
    async open({ namespace }) {
      const engine = new PostgresEngine(db, namespace);
      if (isReady) await engine.createTable();
      return engine;
    },
  });
}

await withPackages("PostgreSQL (PGlite)", [PGLITE], start, (target) => {
  Deno.test("an engine on PostgreSQL keeps the contract", async () => {
    const { results, verdict } = await checkEngine(target(true), PATIENT);
    const bad = results.filter(({ outcome }) =>
      outcome !== "pass" && outcome !== "not-applicable"
    );
    assertEquals(bad.map(({ rule, reason }) => `${rule} ${reason}`), []);
    assertEquals(verdict, "conformant");
  });

  Deno.test("an engine on PostgreSQL without its table is an error that says so", async () => {
    const { results, verdict } = await checkEngine(target(false), PATIENT);
    assertEquals(verdict, "incomplete");
    for (const { rule, outcome, reason } of results) {
      assertEquals(outcome, "error", rule);
      assertMatch(
        reason ?? "",
        /^the engine's first read\(\) rejected: .*relation "n\w+" does not exist\. An engine must work when open\(\) returns/,
        rule,
      );
    }
  });
});
