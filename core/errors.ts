/**
 * The library's error class and its codes.
 *
 * @module
 */

/**
 * Why a {@linkcode SessionError} was thrown. Codes are stable; messages may change.
 *
 * | Code | Meaning |
 * |---|---|
 * | `destroyed` | a session was changed after it was destroyed |
 * | `late-change` | a session was changed after its response was sent |
 * | `unserializable` | a value is not JSON; the message names its key |
 * | `too-large` | the record or cookie exceeds its limit; the message names the largest keys of a session |
 * | `conflict` | other requests kept changing the session until the retries ran out |
 * | `store-failed` | the engine failed or broke its contract; see `cause` |
 * | `cross-origin` | a middleware with `crossOrigin` has refused the request |
 */
export type SessionErrorCode =
  | "destroyed"
  | "late-change"
  | "unserializable"
  | "too-large"
  | "conflict"
  | "store-failed"
  | "cross-origin";

/**
 * Every error of the library except wrong arguments, which are `TypeError` and `RangeError`.
 *
 * A message can name the keys of a session. It never contains an id, a secret or a value.
 *
 * @example Check the code
 * ```ts
 * import { createSession, SessionError } from "@satchel/session";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const session = createSession();
 * session.destroy();
 * try {
 *   session.set("theme", "dark");
 * } catch (error) {
 *   assert(error instanceof SessionError);
 *   assertEquals(error.code, "destroyed");
 * }
 * ```
 */
export class SessionError extends Error {
  /** The class's name, even if a bundler renames classes. */
  override readonly name = "SessionError";
  /** What went wrong. */
  readonly code: SessionErrorCode;

  /**
   * Creates an error.
   *
   * @param code What went wrong.
   * @param message What was attempted and what is wrong.
   * @param options The error that caused this one, as `cause`.
   */
  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
