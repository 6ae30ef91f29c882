/**
 * Encodes text as bytes and decodes it strictly: each value has exactly one encoding.
 *
 * Encodings of the platform are used where there are any. They are faster than a loop, but not strict.
 *
 * @module
 */
import { nodeBuffer } from "./runtime.ts";

type Bytes = Uint8Array<ArrayBuffer>;

// Part of ES2026. Node before 25 does not have it.
interface Base64Bytes {
  toBase64?(options: { alphabet: Alphabet; omitPadding: boolean }): string;
  setFromBase64?(
    text: string,
    options: { alphabet: Alphabet; lastChunkHandling: "loose" },
  ): { written: number };
}

type Alphabet = "base64" | "base64url";

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", {
  fatal: true,
  ignoreBOM: true,
});

/** The UTF-8 bytes of `text`. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

const scratch = /* @__PURE__ */ new Uint8Array(12_288);

/** As {@linkcode utf8}, but the next call overwrites the bytes. */
export function utf8Briefly(text: string): Bytes {
  return text.length * 3 > scratch.length
    ? utf8(text)
    : scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

/** So many bytes, which the next call overwrites. To reuse them takes a tenth of the time of allocating others. */
export function sized(reused: Bytes, size: number): Bytes {
  return size > reused.length ? new Uint8Array(size) : reused.subarray(0, size);
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
  return encode(bytes, "base64");
}

/** Base64url without padding (RFC 4648, section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  return encode(bytes, "base64url");
}

function encode(bytes: Uint8Array, alphabet: Alphabet): string {
  const omitPadding = alphabet === "base64url";
  const native = (bytes as Base64Bytes).toBase64;
  if (native) return native.call(bytes, { alphabet, omitPadding });
  const { buffer, byteOffset, length } = bytes;
  const node = nodeBuffer()?.from(buffer, byteOffset, length);
  if (node) return node.toString(alphabet);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const text = btoa(binary);
  return omitPadding
    ? text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")
    : text;
}

/** The bytes of canonical, padded base64; `undefined` for any other text. The next call overwrites them. */
export function fromBase64(text: string): Bytes | undefined {
  return text.length % 4 === 0
    ? decode(text.replace(/==?$/, ""), "base64")
    : undefined;
}

/** The bytes of canonical, unpadded base64url; `undefined` for any other text. The next call overwrites them. */
export function fromBase64Url(text: string): Bytes | undefined {
  return decode(text, "base64url");
}

/** As {@linkcode fromBase64Url}, of a text that this library has written. The bytes are the caller's own. */
export function bytesOf(text: string): Bytes {
  const own = new Uint8Array(text.length * 3 >> 2);
  return decode(text, "base64url", own) as Bytes;
}

const decoded = /* @__PURE__ */ new Uint8Array(3072);

// The decoders of the platforms skip spaces, and accept padding and stray bits. One value would then have several
// authentic cookies. With anything that was skipped, there are fewer bytes.
function decode(
  text: string,
  alphabet: Alphabet,
  into = decoded,
): Bytes | undefined {
  const bytes = sized(into, text.length * 3 >> 2);
  const native = (bytes as Base64Bytes).setFromBase64;
  try {
    if (!native) return decodeElsewhere(text, bytes, alphabet);
    if (!hasCanonicalEnd(text)) return undefined;
    const options = { alphabet, lastChunkHandling: "loose" } as const;
    const { written } = native.call(bytes, text, options);
    return written === bytes.length ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the bits of the last character that are not used are zero. */
function hasCanonicalEnd(text: string): boolean {
  const rest = text.length & 3;
  if (rest === 2) return /[AQgw]$/.test(text);
  if (rest === 3) return /[AEIMQUYcgkosw048]$/.test(text);
  return rest === 0;
}

/** Where the platform does not have a strict decoder. To encode the bytes again is the fastest check. */
function decodeElsewhere(
  text: string,
  bytes: Bytes,
  alphabet: Alphabet,
): Bytes | undefined {
  const { buffer, length } = bytes;
  const node = nodeBuffer()?.from(buffer, 0, length);
  if (node) node.write(text, alphabet);
  else {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    for (let i = 0; i < length; i++) bytes[i] = binary.charCodeAt(i);
  }
  const again = encode(bytes, alphabet).slice(0, text.length);
  return again === text ? bytes : undefined;
}
