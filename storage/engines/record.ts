/**
 * Parts of a record that most engines need.
 *
 * @module
 */
import { toBase64Url } from "../../core/bytes.ts";
import { randomBytes } from "../../core/runtime.ts";
import type { EngineRecord } from "../contract.ts";

// Random bytes for each version would cost more than the rest of a write in this process.
const SERIES = 10_000;
let series = "";
let used = SERIES;

/** A version that no process has used before: 16 letters, digits, `-` and `_`. */
export function newVersion(): string {
  if (used === SERIES) {
    series = toBase64Url(randomBytes(9));
    used = 0;
  }
  return series + String(used++).padStart(4, "0");
}

/** A record that another program wrote. It does not decode to a session, so the storage reports it as corrupt. */
export function foreignRecord(version: unknown): EngineRecord {
  return { value: "", version, expires: Infinity };
}
