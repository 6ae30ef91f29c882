/**
 * Encodes text as bytes and decodes it strictly: each value has exactly one encoding.
 *
 * @module
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// Part of ES2026. Node before 25 does not have it.
interface Base64Bytes {
  toBase64?(options: { alphabet: "base64url"; omitPadding: true }): string;
}

/** The UTF-8 bytes of `text`. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

const scratch = new Uint8Array(3 * 4096);

/** As {@linkcode utf8}, but the next call overwrites the bytes. */
export function utf8Briefly(text: string): Uint8Array<ArrayBuffer> {
  // Reusing bytes takes a tenth of the time of allocating them.
  if (text.length * 3 > scratch.length) return utf8(text);
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

/** The text of `bytes`; `undefined` if they are not UTF-8. */
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

/** The bytes of canonical, padded base64; `undefined` for any other text. The next call overwrites them. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  if (text.length % 4 !== 0) return undefined;
  return decode(text, text.length - padding, STANDARD);
}

/** The bytes of canonical, unpadded base64url; `undefined` for any other text. The next call overwrites them. */
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

// Written by hand, because the decoders of the platforms are not strict: they skip spaces, or accept stray bits or the
// other alphabet. One value would then have several authentic cookies.
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
  // Unused bits must be zero.
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
