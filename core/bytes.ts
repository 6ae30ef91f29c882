/**
 * Text to bytes and back, strictly: what decodes is what was encoded, in one spelling only.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// In the language since ES2026; Node before 25 lacks them.
interface Base64Bytes {
  toBase64?(options: { alphabet: "base64url"; omitPadding: true }): string;
}

/** The UTF-8 bytes of `text`. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

const scratch = new Uint8Array(3 * 4096);

/** As {@linkcode utf8}, but only until the next call: for whoever is done with the bytes by then. */
export function utf8Briefly(text: string): Uint8Array<ArrayBuffer> {
  // Filling bytes that are there costs a tenth of asking for new ones.
  if (text.length * 3 > scratch.length) return utf8(text);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

/** The text of UTF-8 `bytes`, or `undefined` where they are none. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** How many bytes `text` takes as UTF-8. */
export function utf8Length(text: string): number {
  return utf8Briefly(text).length;
}

/** Base64 with `+`, `/` and padding (RFC 4648, section 4). */
export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 8192) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
  }
  return btoa(binary);
}

/** Base64url without padding (RFC 4648, section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  const native = (bytes as Base64Bytes).toBase64;
  if (native) {
    return native.call(bytes, { alphabet: "base64url", omitPadding: true });
  }
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(
    /=+$/,
    "",
  );
}

/** The bytes of base64 text in its one canonical spelling, padded, or `undefined`. They last until the next call. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  if (text.length % 4 !== 0) return undefined;
  return decode(text, text.length - padding, STANDARD);
}

/** The bytes of base64url text in its one canonical spelling, unpadded, or `undefined`. They last until the next call. */
export function fromBase64Url(
  text: string,
): Uint8Array<ArrayBuffer> | undefined {
  return decode(text, text.length, URL_SAFE);
}

const ALPHABET =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const INVALID = 64;
const STANDARD = tableOf(ALPHABET + "+/");
const URL_SAFE = tableOf(ALPHABET + "-_");

function tableOf(alphabet: string): Uint8Array {
  const table = new Uint8Array(128).fill(INVALID);
  for (let i = 0; i < alphabet.length; i++) table[alphabet.charCodeAt(i)] = i;
  return table;
}

const decoded = new Uint8Array(3 * 1024);

// By hand, because no platform's decoder is strict: they skip spaces, or take stray bits or the other alphabet. Two
// spellings of one value would be two cookies that are both authentic.
function decode(
  text: string,
  length: number,
  table: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  const rest = length & 3;
  if (rest === 1) return undefined;
  const size = (length * 3) >> 2;
  const bytes = size > decoded.length ? new Uint8Array(size) : decoded;
  let at = 0;
  let bits = 0;
  let seen = 0;
  for (let i = 0; i < length; i++) {
    const sextet = table[text.charCodeAt(i)] ?? INVALID;
    seen |= sextet;
    bits = bits << 6 | sextet;
    if ((i & 3) !== 3) continue;
    bytes[at++] = bits >> 16;
    bytes[at++] = bits >> 8;
    bytes[at++] = bits;
  }
  // The bits that no byte uses must be zero.
  if (rest === 2) {
    if ((bits & 15) !== 0) return undefined;
    bytes[at] = bits >> 4;
  } else if (rest === 3) {
    if ((bits & 3) !== 0) return undefined;
    bytes[at++] = bits >> 10;
    bytes[at] = bits >> 2;
  }
  return seen < INVALID ? bytes.subarray(0, size) : undefined;
}
