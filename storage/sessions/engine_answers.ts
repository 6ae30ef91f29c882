/**
 * Answers of an engine that are not what its contract says: which member is wrong, and what came instead.
 *
 * @module
 */
import { typeOf } from "../../core/options.ts";
import type { EngineRecord, StorageGuarantees } from "../contract.ts";

/**
 * What is wrong with what an engine's `read` returned; `undefined` if it is a record. Never names the
 * values themselves.
 */
export function problemOf(
  found: unknown,
  { compareAndSet }: StorageGuarantees,
): string | undefined {
  if (typeof found !== "object" || found === null) {
    return `${
      typeOf(found)
    }; it must return { value, version, expires } or null`;
  }
  const { value, version, expires } = found as Partial<EngineRecord>;
  if (typeof value !== "string") {
    return `a record whose value is ${
      typeOf(value)
    }; it must be the string that was written`;
  }
  if (typeof expires !== "number") {
    return `a record whose expires is ${
      typeOf(expires)
    }; it must be a number of milliseconds (many SQL drivers return a BIGINT as a string: use Number(…))`;
  }
  // Without a version, a save could not tell that another one came before it. An empty value is a record that the engine
  // found damaged: there is nothing to lose.
  const isMissing = version === undefined || version === null;
  return compareAndSet && isMissing && value !== ""
    ? `a record whose version is ${version}; with compareAndSet it must be what write() returned`
    : undefined;
}
