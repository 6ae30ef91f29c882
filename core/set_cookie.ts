/**
 * Reads `Set-Cookie` headers.
 *
 * @module
 */
import type { CookieAttributes } from "./attributes.ts";

/** The parts of a `Set-Cookie` header. */
export interface SetCookieParts {
  readonly name: string;
  /** The value as it is written. */
  readonly value: string;
  readonly options: CookieAttributes;
}

/** The parts of a `Set-Cookie` header (RFC 6265bis, section 5.6); `null` if it has no name. */
export function parseSetCookie(setCookie: string): SetCookieParts | null {
  const [[name = "", value = ""] = [], ...attributes] = setCookie.split(";")
    .map((part) => {
      const at = part.indexOf("=");
      return at < 0
        ? [part.trim()]
        : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
    });
  if (name === "") return null;
  const options: CookieAttributes = {};
  for (const [name = "", value = ""] of attributes) {
    switch (name.toLowerCase()) {
      case "domain":
        options.domain = value;
        break;
      case "expires":
        options.expires = new Date(value);
        break;
      case "httponly":
        options.httpOnly = true;
        break;
      case "max-age":
        options.maxAge = Number(value);
        break;
      case "partitioned":
        options.partitioned = true;
        break;
      case "path":
        options.path = value;
        break;
      case "priority":
        options.priority = value.toLowerCase() as "low";
        break;
      case "samesite":
        options.sameSite = value as "Lax";
        break;
      case "secure":
        options.secure = true;
    }
  }
  return { name, value, options };
}
