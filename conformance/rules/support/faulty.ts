/**
 * Calls that resolve although the engine fails.
 *
 * @module
 */
import type { OpenStorage } from "../../trial/open_storage.ts";
import { Violation } from "../../trial/port.ts";
import type { Trial } from "../../trial/trial.ts";

/**
 * Fails, because a call resolved while writes fail. If a visitor's save is stored all the same, the hook did nothing: the
 * target is wrong then, and not the storage.
 */
export async function resolvedAnyway(
  t: Trial,
  storage: OpenStorage,
  what: string,
): Promise<never> {
  const { faults, namespace } = storage;
  const visitor = await t.visitor(storage);
  await faults.fail({ writes: true });
  await t.refuses(() => visitor.visit((r) => r.set("control", 1)));
  await faults.heal();
  // Another instance does not see what is only in this one's memory.
  const there = t.claims("shared") ? await t.open({ namespace }) : storage;
  const next = await (await t.visitor(there)).request(visitor.cookie);
  if (next.has("control")) {
    t.lies("faults.fail()", "a save was stored while writes fail");
  }
  throw new Violation(what);
}
