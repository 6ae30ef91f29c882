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
  return utf8(text).length;
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

/** The bytes of base64 text in its one canonical spelling, padded, or `undefined`. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  if (text.length % 4 !== 0) return undefined;
  return decode(text, text.length - padding, STANDARD);
}

/** The bytes of base64url text in its one canonical spelling, unpadded, or `undefined`. */
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

// By hand, because no platform's decoder is strict: they skip spaces, or take stray bits or the other alphabet. Two
// spellings of one value would be two cookies that are both authentic.
function decode(
  text: string,
  length: number,
  table: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  if (length % 4 === 1) return undefined;
  const bytes = new Uint8Array(length * 3 >> 2);
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < length; i++) {
    const sextet = table[text.charCodeAt(i)] ?? INVALID;
    if (sextet === INVALID) return undefined;
    held = held << 6 | sextet;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  return held === 0 ? bytes : undefined;
}
