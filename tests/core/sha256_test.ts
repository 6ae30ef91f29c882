import { assert, assertEquals } from "@std/assert";
import * as node from "node:crypto";
import * as webAssembly from "../../core/sha256.ts";
import { assembleCompressor } from "../../core/sha256_wasm.ts";
import { rowName } from "../_row.ts";

/** The same file, loaded again where a global is missing. It looks for it on first use. */
async function loadWithout(
  missing: "Deno" | "WebAssembly",
): Promise<typeof webAssembly> {
  const before = Reflect.get(globalThis, missing);
  const url = new URL(`../../core/sha256.ts?${missing}`, import.meta.url);
  const loaded: typeof webAssembly = await import(url.href);
  try {
    Reflect.deleteProperty(globalThis, missing);
    loaded.sha256("");
    return loaded;
  } finally {
    Object.defineProperty(globalThis, missing, {
      value: before,
      configurable: true,
      writable: true,
    });
  }
}

const implementations = {
  webAssembly,
  javaScript: await loadWithout("WebAssembly"),
  "the function of another runtime": await loadWithout("Deno"),
};

/** Around the ends of blocks, of what is compressed at once, and of what `encodeInto` is sure to fit. */
const LENGTHS = [
  ...Array.from({ length: 200 }, (_, length) => length),
  ...[1000, 4096, 20_479, 20_480, 20_481, 61_439, 61_440, 61_441, 200_000],
];

for (
  const [name, { sha256, createHmac, hmacKey }] of Object.entries(
    implementations,
  )
) {
  Deno.test(`sha256() returns what node:crypto does, with ${name}`, () => {
    for (const letter of ["a", "é", "€", "😀"]) {
      for (const length of LENGTHS) {
        const text = letter.repeat(length);
        const expected = node.createHash("sha256").update(text).digest(
          "base64url",
        );
        assertEquals(sha256(text), expected, rowName(letter, length));
      }
    }
  });

  Deno.test(`sha256() returns the digests of FIPS 180-4, with ${name}`, () => {
    const vectors = {
      "": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      abc: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq:
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    };
    for (const [text, digest] of Object.entries(vectors)) {
      assertEquals(hex(sha256(text)), digest, rowName(text));
    }
  });

  Deno.test(`createHmac() returns what node:crypto does, with ${name}`, () => {
    for (const size of [0, 1, 31, 32, 63, 64, 65, 200]) {
      const key = "k".repeat(size);
      const sign = createHmac(hmacKey(key));
      for (const length of LENGTHS) {
        const text = "ü".repeat(length);
        const expected = node.createHmac("sha256", key).update(text);
        assertEquals(
          sign(text),
          expected.digest("base64url"),
          rowName(size, length),
        );
      }
    }
  });

  Deno.test(`createHmac() keeps keys apart, with ${name}`, () => {
    const [one, two] = ["one", "two"].map((key) => createHmac(hmacKey(key)));
    const before = one!("text");
    two!("another text");
    sha256("a".repeat(100));
    assertEquals(one!("text"), before);
  });
}

Deno.test("assembleCompressor() writes a module that the runtime accepts", () => {
  assert(WebAssembly.validate(assembleCompressor(new Int32Array(64), 64)));
});

function hex(base64url: string): string {
  return Uint8Array.fromBase64(base64url, { alphabet: "base64url" }).toHex();
}
