/**
 * The check of the option `prefix`.
 *
 * @module
 */
import { utf8Length } from "../../core/bytes.ts";

type Characters = "control characters" | "spaces or control characters";

const PATTERNS: Record<Characters, RegExp> = {
  "control characters": /\p{Control}/u,
  "spaces or control characters": /[\s\p{Other}]/u,
};

/** Limits of an engine's keys. */
export interface PrefixLimits {
  /** The longest prefix, in bytes of UTF-8. @default {Infinity} */
  maxBytes?: number;
  /** Characters that a key must not contain. @default {none} */
  without?: Characters;
}

/**
 * Checks a prefix of keys.
 *
 * @throws {TypeError} If it is not a string, is too long or contains characters that a key must not contain.
 */
export function checkPrefix(
  prefix: string,
  { maxBytes = Infinity, without }: PrefixLimits = {},
): void {
  const problem = typeof prefix !== "string"
    ? `be a string, received ${typeof prefix}`
    // UTF-8 replaces each of them with the same character: two prefixes would become one.
    : /\p{Surrogate}/u.test(prefix)
    ? "be a well-formed string, without lone surrogates"
    : without && PATTERNS[without].test(prefix)
    ? `not contain ${without}`
    : utf8Length(prefix) > maxBytes
    ? `take at most ${maxBytes} bytes, received ${utf8Length(prefix)}`
    : undefined;
  if (problem) {
    throw new TypeError(`Cannot create storage: prefix must ${problem}`);
  }
}
