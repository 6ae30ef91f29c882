/**
 * What one runtime promises, for the test runner of that runtime. Bundled, because only Deno resolves `jsr:`.
 *
 * @module
 */
import { conformance, type TestFunction } from "../../conformance/mod.ts";
import { PATIENT } from "../conformance/targets.ts";
import { rowsOn } from "./matrix.ts";
import { registerRefusals } from "./_refusals.ts";
import { type Surroundings, targetOf } from "./_storages.ts";
import { registerVectors } from "./_vectors.ts";

export type { Surroundings } from "./_storages.ts";

/** Registers the suite for each row that works there, and whose server is there. */
export async function register(
  test: TestFunction,
  here: Omit<Surroundings, "closing" | "test">,
): Promise<void> {
  const open: (() => unknown)[] = [];
  const closing = (close: () => unknown) => void open.push(close);
  for (const [name, { title, engine }] of rowsOn(here.runtime)) {
    if (engine && here.ports[engine] === undefined) continue;
    const target = await targetOf(name, { ...here, test, closing });
    // Other tests may keep this machine busy: a rule may take its time.
    if (target) {
      conformance(test, target, { ...PATIENT, only: here.only });
    }
    if (name === "webCrypto" || name === "nodeCrypto") {
      registerVectors(test, name, title);
    }
  }
  registerRefusals(test, here.runtime);
  test("the end: clients are closed", async () => {
    for (const close of open) await close();
  });
}

/** Loads a package from where this module is, as an application's own modules do. */
export function load(name: string): Promise<unknown> {
  return import(name);
}
