/**
 * The syntax of a `Set-Cookie` header that every client reads alike (RFC 6265, section 4.1.1).
 *
 * @module
 */

const NAME = /^[!#$%&'*+\-.^`|~\w]+$/;
/** Visible ASCII characters but the comma, the semicolon, the backslash and quotes, which may stand around the value. */
const VALUE = /^("?)[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*\1$/;
const ATTRIBUTE = /^[\x20-\x7e]*$/;
const DATE =
  /^[A-Z][a-z]{2,8}, \d\d[ -][A-Z][a-z]{2}[ -]\d{2}(\d\d)? \d\d:\d\d:\d\d GMT$/;
/** Where another cookie begins after a comma. A date has a comma too, but no `=` after it. */
const SECOND_COOKIE = /[,\r\n]\s*[^\s;,=]+=/;

/** What is wrong with a `Set-Cookie` header; `undefined` if nothing is. */
export function whyMalformed(header: string): string | undefined {
  const [pair = "", ...attributes] = header.split(";");
  const at = pair.indexOf("=");
  if (!NAME.test(pair.slice(0, Math.max(at, 0)))) {
    return "a cookie whose name is not a token";
  }
  if (attributes.some((attribute) => SECOND_COOKIE.test(attribute))) {
    return "several cookies in one header";
  }
  if (!VALUE.test(pair.slice(at + 1))) {
    return "a cookie with illegal characters in its value";
  }
  for (const attribute of attributes) {
    const text = attribute.trim();
    const [name = "", value] = text.split("=", 2);
    if (!ATTRIBUTE.test(text)) return "an attribute with illegal characters";
    if (/^max-age$/i.test(name) && !/^-?\d+$/.test(value ?? "")) {
      return "a Max-Age that is not a whole number";
    }
    if (/^expires$/i.test(name) && !DATE.test(value ?? "")) {
      return "an Expires that is not a date of HTTP";
    }
  }
  return undefined;
}
