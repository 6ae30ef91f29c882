/**
 * Versions of rows.
 *
 * @module
 */
import { toBase64Url } from "../../../core/bytes.ts";
import { randomBytes } from "../../../core/runtime.ts";

/** Digits of base 36 for seconds until the year 4453. */
const DIGITS = 7;
const SECOND = 1_000_000;

/** In microseconds. */
let last = 0;
let second = -1;
let secondText = "";
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
  const seconds = Math.floor(last / SECOND);
  if (seconds !== second) {
    // Large numbers take a microsecond to convert.
    secondText = seconds.toString(36).padStart(DIGITS, "0");
    second = seconds;
  }
  return secondText + (SECOND + last % SECOND) + series;
}
