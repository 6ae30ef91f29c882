/**
 * The test that an engine keeps the contract.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { checkEngine, type EngineTarget } from "../../../conformance/mod.ts";
import { PATIENT } from "../targets.ts";

/**
 * Registers the test of an engine.
 *
 * @param without The rules that do not apply to it.
 * @param only The rules to try. @default {all}
 */
export function keeps(
  target: EngineTarget,
  without: readonly string[],
  only?: readonly string[],
): void {
  Deno.test(`${target.name} keeps the contract of an engine`, async () => {
    const { results, verdict } = await checkEngine(target, {
      ...PATIENT,
      ...only ? { only } : {},
    });
    const bad = results.filter(({ outcome }) =>
      outcome !== "pass" && outcome !== "not-applicable"
    );
    assertEquals(
      bad.map(({ rule, reason, trace = [] }) =>
        [`${rule} ${reason}`, ...trace].join("\n")
      ),
      [],
    );
    if (!only) assertEquals(verdict, "conformant");
    const skipped = results
      .filter(({ outcome }) => outcome === "not-applicable")
      .map(({ rule }) => rule);
    assertEquals(skipped, [...without].sort(), "what does not apply");
  });
}
