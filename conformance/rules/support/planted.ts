/**
 * Cookies that an attacker plants in a visitor's browser.
 *
 * @module
 */
import type { OpenStorage } from "../../trial/open_storage.ts";
import type { Trial } from "../../trial/trial.ts";
import { doorOf } from "./doors.ts";

/** A cookie that was never sent, and the storage that it is sent to. */
export type Planted = [
  what: string,
  storage: OpenStorage,
  cookie: string | null,
];

/** Cookies and ids that the storage never sent, well-formed and malformed. */
export async function madeUp(
  t: Trial,
  storage: OpenStorage,
): Promise<Planted[]> {
  const door = await doorOf(t, storage);
  const where = door?.storage ?? storage;
  const real: string[] = [];
  for (let i = 0; i < 4; i++) {
    const visitor = await t.visitor(where);
    await visitor.visit((r) => r.set("userId", `real${i}`));
    if (visitor.cookie === null) continue;
    real.push(door ? await door.idOf(visitor) : visitor.cookie);
  }
  t.ok(real.length > 0, "no cookie is sent for a new session");
  const { http } = storage.port;
  const name = http
    ? `${(door ? await cookieOf(t, storage) : real[0])?.split("=")[0]}=`
    : "";
  const values = door ? real : real.map((cookie) => cookie.slice(name.length));
  const length = Math.min(...values.map((value) => value.length));
  const blend = () =>
    Array.from({ length }, (_, i) => t.random.pick(values).charAt(i)).join("");
  const out: Planted[] = [];
  // A bare value that holds the whole session is protected by its signed cookie, which is missing here.
  const open = t.claims("selfContained") && !http;
  for (let i = 0; i < 3 && !open; i++) {
    const value = blend();
    // If ids are short and sequential, a made-up one may exist.
    if (values.includes(value)) continue;
    const cookie = door ? await door.cookieOf(value) : name + value;
    out.push(["an id of the right shape", where, cookie]);
  }
  for (const value of ["1", "admin", "a".repeat(24), "A1".repeat(16)]) {
    out.push([`the id ${value}`, storage, name + value]);
    if (door) {
      out.push([`the id ${value}`, door.storage, await door.cookieOf(value)]);
    }
  }
  return out;
}

/** The cookie of a new session. */
async function cookieOf(
  t: Trial,
  storage: OpenStorage,
): Promise<string | null> {
  const visitor = await t.visitor(storage);
  await visitor.visit((r) => r.set("theme", "dark"));
  return visitor.cookie;
}
