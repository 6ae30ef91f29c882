// Base64 by each of the ways of the runtimes: their decoders accept different texts, this library one for each value.
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import {
  bytesOf,
  fromBase64,
  fromBase64Url,
  toBase64,
  toBase64Url,
} from "../../core/bytes.ts";
import { rowName } from "../_row.ts";

/** The ways, and what a runtime with this way lacks. */
const WAYS: Readonly<Record<string, readonly [object, string][]>> = {
  "the methods of Uint8Array": [],
  "Buffer, as on Node before 25": [
    [Uint8Array.prototype, "toBase64"],
    [Uint8Array.prototype, "setFromBase64"],
  ],
  "atob() and btoa()": [
    [Uint8Array.prototype, "toBase64"],
    [Uint8Array.prototype, "setFromBase64"],
    [globalThis, "Buffer"],
  ],
};

/** Runs without some members. */
function without(lacks: readonly [object, string][], run: () => void): void {
  const had = lacks.map(([object, name]) =>
    Object.getOwnPropertyDescriptor(object, name)
  );
  try {
    for (const [object, name] of lacks) Reflect.deleteProperty(object, name);
    run();
  } finally {
    lacks.forEach(([object, name], i) => {
      const descriptor = had[i];
      if (descriptor) Object.defineProperty(object, name, descriptor);
    });
  }
}

/** Texts of up to three characters, and of four that begin with `A`. Most are not base64. */
function* shortTexts(): Generator<string> {
  const characters = [..."AQIgw_-+/=8 \n.é", "\u0141", "\u{10041}", "\0"];
  let texts = [""];
  for (let length = 1; length <= 3; length++) {
    texts = texts.flatMap((text) => characters.map((next) => text + next));
    yield* texts;
  }
  for (const text of texts) yield "A" + text;
}

for (const [way, lacks] of Object.entries(WAYS)) {
  Deno.test(`fromBase64Url() and fromBase64() accept exactly what is written, with ${way}`, () => {
    const accepted = { base64url: 0, base64: 0 };
    const texts = [...shortTexts()];
    const results: [string, string | undefined, string | undefined][] = [];
    without(lacks, () => {
      for (const text of texts) {
        const url = fromBase64Url(text);
        const read = url && String.fromCharCode(...url);
        const padded = fromBase64(text);
        results.push([text, read, padded && String.fromCharCode(...padded)]);
      }
    });
    for (const [text, ...found] of results) {
      for (
        const [i, alphabet] of (["base64url", "base64"] as const).entries()
      ) {
        const bytes = Buffer.from(text, alphabet);
        const expected = bytes.toString(alphabet) === text
          ? bytes.toString("latin1")
          : undefined;
        if (expected !== undefined) accepted[alphabet]++;
        assertEquals(found[i], expected, rowName(way, text, alphabet));
      }
    }
    // Not only the empty text.
    assert(accepted.base64url > 500);
    assert(accepted.base64 > 300);
  });

  Deno.test(`toBase64Url() and toBase64() write what they read, at every length, with ${way}`, () => {
    for (const length of [0, 1, 2, 3, 31, 32, 33, 3071, 3072, 3073, 100_000]) {
      const bytes = new Uint8Array(length).map((_, i) => i * 7);
      const expected = Buffer.from(bytes);
      without(lacks, () => {
        const url = toBase64Url(bytes);
        const padded = toBase64(bytes);
        const own = bytesOf(url);
        assertEquals(url, expected.toString("base64url"), rowName(length));
        assertEquals(padded, expected.toString("base64"), rowName(length));
        assertEquals(fromBase64Url(url)?.slice(), bytes, rowName(length));
        assertEquals(fromBase64(padded)?.slice(), bytes, rowName(length));
        assertEquals(own, bytes, rowName(length, "own"));
      });
    }
  });
}
