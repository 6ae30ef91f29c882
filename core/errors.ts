/**
 * The one error class of the library, and the codes that tell its cases apart.
 *
 * @module
 */

/**
 * Why a {@linkcode SessionError} was thrown. Codes are stable; messages are for people and may change.
 *
 * | Code | Meaning |
 * |---|---|
 * | `destroyed` | the session was destroyed before it was changed |
 * | `late-change` | the session was changed after its response had gone out |
 * | `unserializable` | a value that JSON cannot carry; the message names its key |
 * | `too-large` | the record or cookie is over its limit; the message names the largest keys |
 * | `conflict` | other requests kept changing the same session until the retries ran out |
 * | `store-failed` | the engine failed or broke its contract; see `cause` |
 */
export type SessionErrorCode =
  | "destroyed"
  | "late-change"
  | "unserializable"
  | "too-large"
  | "conflict"
  | "store-failed";

/**
 * Everything that goes wrong at run time, apart from wrong arguments, which are `TypeError` and `RangeError`.
 *
 * A message holds the keys of a session where that helps, never an id, a secret or a value.
 *
 * @example Tell the cases apart by their code
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
  /** The class's name, also where classes are renamed by a bundler. */
  override readonly name = "SessionError";
  /** Which case this is. */
  readonly code: SessionErrorCode;

  /**
   * An error of the library.
   *
   * @param code Which case this is.
   * @param message What was attempted and what the state was.
   * @param options The error that led here, as `cause`.
   */
  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
