/**
 * Versions of rows.
 *
 * @module
 */
import { toBase64Url } from "../../../core/bytes.ts";
import { randomBytes } from "../../../core/runtime.ts";

/** Digits of base 36 for microseconds until the year 2087 and beyond. */
const DIGITS = 11;

let last = 0;
let series = "";

/**
 * A version that no process has used before. Versions of one process are in the order of their writes, and those of
 * several processes as far as their clocks agree.
 *
 * @param now The time, in milliseconds.
 */
export function newVersion(now: number): string {
  series ||= toBase64Url(randomBytes(9));
  const time = Math.floor(now * 1000);
  last = Number.isSafeInteger(time) && time > last ? time : last + 1;
  return last.toString(36).padStart(DIGITS, "0") + series;
}
