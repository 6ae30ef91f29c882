/**
 * Checks the types of an engine's answers. A wrong type is an error with what to change, and not a verdict: no rule can
 * be tried on it.
 *
 * @module
 */
import type { EngineRecord, OwnedRecord } from "../../storage/contract.ts";
import { HarnessError } from "../trial/port.ts";

/** An answer of `read`. */
export function recordOf(answer: unknown): EngineRecord | null {
  if (answer === null) return null;
  if (typeof answer !== "object") {
    wrong("read()", answer, "{ value, version, expires }, or null");
  }
  return checkRecord("read()'s", answer as Record<string, unknown>);
}

function checkRecord(
  whose: string,
  answer: Readonly<Record<string, unknown>>,
): EngineRecord {
  const { value, version, expires } = answer;
  if (typeof value !== "string") {
    wrong(`${whose} "value"`, value, "the text as it was written");
  }
  if (!isVersion(version)) {
    wrong(`${whose} "version"`, version, "what write() returned");
  }
  if (typeof expires !== "number" || Number.isNaN(expires)) {
    wrong(`${whose} "expires"`, expires, "a number of milliseconds");
  }
  return { value, version, expires };
}

/** An answer of `write` or `move`. */
export function versionOf(method: string, answer: unknown): unknown {
  if (answer === null || isVersion(answer)) return answer;
  return wrong(
    `${method}()`,
    answer,
    "the record's new version; null if another version is stored",
  );
}

/** An answer of `delete` or `touch`. */
export function booleanOf(method: string, answer: unknown): boolean {
  if (typeof answer === "boolean") return answer;
  return wrong(`${method}()`, answer, "true or false");
}

/** An answer of `sweep`. */
export function countOf(method: string, answer: unknown): number | undefined {
  if (answer === undefined) return undefined;
  if (typeof answer === "number" && Number.isInteger(answer) && answer >= 0) {
    return answer;
  }
  return wrong(
    `${method}()`,
    answer,
    "how many records it removed, or nothing",
  );
}

/** An answer of `owned`. */
export function ownedOf(answer: unknown): readonly OwnedRecord[] {
  if (!Array.isArray(answer)) wrong("owned()", answer, "a list of records");
  return answer.map((record: unknown, i) => {
    if (typeof record !== "object" || record === null) {
      wrong(`owned()[${i}]`, record, "{ key, value, version, expires }");
    }
    const { key, ...rest } = record as Record<string, unknown>;
    return typeof key === "string"
      ? { key, ...checkRecord(`owned()[${i}]'s`, rest) }
      : wrong(`owned()[${i}]'s "key"`, key, "the key as it was written");
  });
}

function isVersion(version: unknown): boolean {
  return version !== undefined && version !== null && version !== "" &&
    typeof version !== "boolean" && !Number.isNaN(version);
}

function wrong(what: string, came: unknown, want: string): never {
  const [is, be] = what.endsWith("()") ? ["returned", "return"] : ["is", "be"];
  throw new HarnessError(
    `${what} ${is} ${received(came)}; it must ${be} ${want}${hint(what, came)}`,
  );
}

/** What to change, for the mistakes that drivers cause. */
function hint(what: string, came: unknown): string {
  const advice = came instanceof Promise
    ? "await it"
    : /expires/.test(what)
    ? typeof came === "string" || typeof came === "bigint"
      ? "drivers return a BIGINT or DECIMAL column as text: convert it, Number(row.expires)"
      : came instanceof Date
      ? "convert it, row.expires.getTime()"
      : undefined
    : /value/.test(what)
    ? came instanceof Uint8Array
      ? "decode it as UTF-8"
      : typeof came === "object" && came
      ? "the client parsed the text as JSON: turn that off, or use a text column"
      : undefined
    : /delete|touch/.test(what) && typeof came === "number"
    ? "return whether a row was changed, rowCount > 0"
    : /sweep/.test(what) && typeof came === "bigint"
    ? "convert it, Number(changes)"
    : /read\(\)$/.test(what) && came === undefined
    ? "return null for a missing record, row ?? null"
    : /write|move/.test(what)
    ? "return the version that was stored, for example by RETURNING version"
    : undefined;
  return advice === undefined ? "" : ` (${advice})`;
}

/** What came, as short text. The records are the suite's own, and not secret. */
export function received(value: unknown): string {
  if (value === undefined || value === null) return `${value}`;
  if (typeof value === "string") return `a string, ${brief(value)}`;
  if (typeof value === "object") {
    const name = Object.getPrototypeOf(value)?.constructor?.name;
    return `an object${typeof name === "string" ? ` (${name})` : ""}`;
  }
  return typeof value === "function" || typeof value === "symbol"
    ? `a ${typeof value}`
    : `a ${typeof value}, ${brief(value)}`;
}

/** A value as the trace shows it. */
export function brief(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string") {
    return value.length <= 40
      ? JSON.stringify(value)
      : `${JSON.stringify(value.slice(0, 24))}… (${value.length} characters)`;
  }
  if (typeof value === "object" && value !== null) return "an object";
  return String(value);
}
