/**
 * Reads a `Set-Cookie` header as browsers do (RFC 6265bis, sections 5.1.1 and 5.6).
 *
 * @module
 */

/** A parsed `Set-Cookie` header. */
export interface SetCookie {
  readonly name: string;
  readonly value: string;
  /** The attributes by their names in lower case. Of several of one name, the last. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** A longer attribute is ignored. */
const ATTRIBUTE_BYTES = 1024;

/** Parses a `Set-Cookie` header. Returns `undefined` if it has a control character. */
export function parseSetCookie(header: string): SetCookie | undefined {
  // deno-lint-ignore no-control-regex -- all of them but the tab
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(header)) return undefined;
  const [pair = "", ...rest] = header.split(";");
  const attributes = new Map<string, string>();
  for (const attribute of rest) {
    const [name, value] = split(attribute) ?? [trim(attribute), ""];
    if (bytesIn(value) > ATTRIBUTE_BYTES) continue;
    attributes.set(name.toLowerCase(), value);
  }
  const [name, value] = split(pair) ?? ["", trim(pair)];
  return { name, value, attributes };
}

/**
 * When a cookie ends by its attributes: `Max-Age`, or else `Expires`. Returns milliseconds; `undefined` if it ends with
 * the browser's session.
 */
export function endOf(
  { attributes }: SetCookie,
  now: number,
): number | undefined {
  const maxAge = attributes.get("max-age") ?? "";
  if (/^-?\d+$/.test(maxAge)) {
    return Number(maxAge) <= 0 ? -Infinity : now + Number(maxAge) * 1000;
  }
  return parseCookieDate(attributes.get("expires") ?? "");
}

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** Parses a cookie's date. Returns milliseconds; `undefined` if a browser ignores it. */
export function parseCookieDate(text: string): number | undefined {
  let time: number[] | undefined;
  let day: number | undefined;
  let month: number | undefined;
  let year: number | undefined;
  for (const token of text.split(/[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/)) {
    const clock = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D|$)/.exec(token);
    const short = /^(\d{1,2})(?:\D|$)/.exec(token);
    const long = /^(\d{2,4})(?:\D|$)/.exec(token);
    const index = MONTHS.indexOf(token.slice(0, 3).toLowerCase());
    if (!time && clock) time = clock.slice(1).map(Number);
    else if (day === undefined && short) day = Number(short[1]);
    else if (month === undefined && index >= 0) month = index;
    else if (year === undefined && long) year = Number(long[1]);
  }
  if (!time || day === undefined || month === undefined) return undefined;
  if (year === undefined) return undefined;
  if (year < 100) year += year < 70 ? 2000 : 1900;
  const [hours = 0, minutes = 0, seconds = 0] = time;
  if (hours > 23 || minutes > 59 || seconds > 59 || year < 1601) {
    return undefined;
  }
  const date = new Date(Date.UTC(year, month, day, hours, minutes, seconds));
  // 31 February is not a date.
  return date.getUTCDate() === day && day > 0 ? date.getTime() : undefined;
}

/** The length of a text in bytes. */
export function bytesIn(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The parts before and after the first `=`; `undefined` without one. */
function split(text: string): [name: string, value: string] | undefined {
  const at = text.indexOf("=");
  return at < 0
    ? undefined
    : [trim(text.slice(0, at)), trim(text.slice(at + 1))];
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, "");
}
