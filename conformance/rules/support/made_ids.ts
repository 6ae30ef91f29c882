/**
 * The ids that a storage makes.
 *
 * @module
 */
import { blame } from "../../trial/port.ts";
import type { Trial } from "../../trial/trial.ts";
import { estimateBits } from "./id_bits.ts";

/** Ids of new sessions; of stored ones if ids are only made on saving. */
export async function collectIds(t: Trial): Promise<string[]> {
  const storage = await t.open();
  const probe = await t.visitor(storage);
  const first = await probe.request();
  const before = first.id;
  first.set("userId", "u1");
  await first.save();
  const after = (await probe.request()).id;
  if (after === "") t.notApplicable("its sessions do not have an id");
  const ids = [after];
  const { port } = storage;
  // The estimate needs 60 ids of one alphabet to see nearly all of its characters.
  for (const _ of t.cases(199, { atLeast: 59 })) {
    const session = await blame("reading a session", () => port.read(null));
    if (before !== after) {
      session.set("userId", "u1");
      const sent = await blame("saving a session", () => port.save(session));
      const cookie = sent.kind === "cookie" ? sent.cookie : null;
      const { id } = await blame("reading a session", () => port.read(cookie));
      ids.push(String(id));
    } else ids.push(String(session.id));
  }
  t.note(`${ids.length} new visitors`);
  return ids;
}

/** Fails if ids have fewer random bits than wanted, and says what it saw. */
export function haveBits(
  t: Trial,
  ids: readonly string[],
  wanted: number,
  how: "required" | "recommended",
): void {
  const { bits, seen } = estimateBits(ids);
  // One bit less than wanted is within the error of the estimate.
  if (bits >= wanted - 1) return;
  const known = Math.round(bits) === 122 ? "; a version 4 UUID has 122" : "";
  t.ok(
    false,
    `ids have about ${
      Math.round(bits)
    } random bits, and ${wanted} are ${how} (${seen})${known}`,
  );
}
