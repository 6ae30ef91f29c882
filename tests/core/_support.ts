/**
 * What the tests of this folder and its neighbours share.
 *
 * @module
 */
import {
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
} from "@std/assert";
import { SessionError, type SessionErrorCode } from "../../core/errors.ts";

/** The `Cookie` header with which a browser answers `Set-Cookie`. */
export function cookieHeader(setCookie: string): string {
  return setCookie.split(";")[0] ?? "";
}

/** The value of a `Set-Cookie` header. */
export function cookieText(setCookie: string): string {
  const pair = cookieHeader(setCookie);
  return pair.slice(pair.indexOf("=") + 1);
}

/**
 * The error that `run` throws or rejects with, which must be a `SessionError` of `code` whose message has all `parts`.
 * In a loop over a table, one of them names the row.
 */
export async function assertSessionError(
  run: () => unknown,
  code: SessionErrorCode,
  ...parts: (string | { readonly row: string })[]
): Promise<SessionError> {
  let error: unknown;
  try {
    await run();
  } catch (thrown) {
    error = thrown;
  }
  const rows = parts.flatMap((part) =>
    typeof part === "string" ? [] : part.row
  );
  assertInstanceOf(error, SessionError, rows.join());
  const said = [...rows, error.message].join(": ");
  assertEquals(error.code, code, said);
  for (const part of parts) {
    if (typeof part === "string") {
      assertStringIncludes(error.message, part, rows.join());
    }
  }
  return error;
}

/** A clock that only the test moves. */
export class Clock {
  /** The time, in milliseconds. */
  time: number;

  constructor(time = 1_700_000_000_000) {
    this.time = time;
  }

  /** Reads the clock. */
  readonly now = (): number => this.time;

  /** Moves it by so many seconds. */
  pass(seconds: number): void {
    this.time += seconds * 1000;
  }
}
