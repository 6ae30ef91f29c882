/**
 * Forged session cookies.
 *
 * @module
 */
import type { Trial } from "../../trial/trial.ts";

/** A value that the storage did not make, and how it was made. */
export type Forgery = readonly [how: string, value: string];

/** Forgeries of a session's value; `other` is another session's. */
export async function forgeriesOf(
  t: Trial,
  value: string,
  other: string,
): Promise<Forgery[]> {
  // Trying every bit takes too long; one bit of each character is enough.
  const bits = t.runs < 100 ? [t.random.int(7)] : [0, 1, 2, 3, 4, 5, 6];
  const all = [
    ...truncations(value),
    ...flips(value, bits),
    ...splices(value, other),
    ...keyless(value),
    ...await miskeyed(t, value),
  ];
  return all.filter(([, forged]) =>
    plain(forged) !== plain(value) && forged !== other
  );
}

function truncations(value: string): Forgery[] {
  return Array.from(value, (_, i) => ["truncated", value.slice(0, i)] as const);
}

function flips(value: string, bits: readonly number[]): Forgery[] {
  return Array.from(value).flatMap((char, i) =>
    bits.map((bit) => {
      const flipped = String.fromCharCode(char.charCodeAt(0) ^ 1 << bit);
      const text = value.slice(0, i) + flipped + value.slice(i + 1);
      return ["flipped in a bit", text] as const;
    })
  );
}

function splices(one: string, two: string): Forgery[] {
  return Array.from(
    one,
    (_, i) => ["spliced", one.slice(0, i) + two.slice(i)] as const,
  );
}

/**
 * Signed with another key or an empty one: a text and its HMAC, as in many libraries. Values in other formats can only
 * be damaged.
 */
async function miskeyed(t: Trial, value: string): Promise<Forgery[]> {
  const decoded = plain(value);
  const cut = decoded.lastIndexOf(".");
  if (cut < 0) return [];
  const body = decoded.slice(0, cut);
  const forgeries: Forgery[] = [];
  // An HMAC pads a short key with zeros.
  for (const secret of ["\0", t.random.word(20)]) {
    for (const hash of ["SHA-256", "SHA-1"]) {
      const signature = btoa(await hmac(hash, secret, body));
      const unpadded = signature.replace(/=+$/, "");
      const urlSafe = unpadded.replaceAll("+", "-").replaceAll("/", "_");
      for (const text of new Set([signature, unpadded, urlSafe])) {
        const forged = `${body}.${text}`;
        for (const sent of [forged, encode(forged)]) {
          forgeries.push(["made with another key", sent]);
        }
      }
    }
  }
  return forgeries;
}

/** An HMAC, one byte in each character. */
async function hmac(
  hash: string,
  secret: string,
  text: string,
): Promise<string> {
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey(
    "raw",
    encoder.encode(secret),
    { name: "HMAC", hash },
    false,
    ["sign"],
  );
  const bytes = await crypto.subtle.sign("HMAC", key, encoder.encode(text));
  return String.fromCharCode(...new Uint8Array(bytes));
}

/** Values made without the key: without a signature, with an empty or a wrong one, and sessions in plain text. */
function keyless(value: string): Forgery[] {
  const texts = ['{"userId":"u1"}', '[{"userId":"u1"},{}]'];
  const json = texts.flatMap((text) => [text, btoa(text), `j:${text}`]);
  const cut = Math.max(value.lastIndexOf("."), value.lastIndexOf("%2E"));
  const body = cut > 0 ? value.slice(0, cut) : value;
  return [
    ...json,
    ...json.map(encode),
    body,
    `${body}.`,
    `${body}.${"A".repeat(43)}`,
    `${body}.${"A".repeat(43)}%3D`,
    [...value].reverse().join(""),
  ].map((text) => ["made without the key", text] as const);
}

/** Whether two texts encode the same value. */
function plain(text: string): string {
  try {
    return decodeURIComponent(text).trim();
  } catch {
    return text;
  }
}

/** Encodes any text for a header. */
export function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
