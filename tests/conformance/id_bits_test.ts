/**
 * Whether the estimate of an id's random bits is right for the ids that people use.
 */
import { assert } from "@std/assert";
import { estimateBits } from "../../conformance/rules/support/id_bits.ts";
import { Random } from "../../conformance/trial/random.ts";

const HEX = "0123456789abcdef";
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz";
const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE62 = `${BASE36}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;
const BASE64 =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** A moment in the year 2026, in milliseconds. */
const NOW = 1_780_000_000_000;

interface Maker {
  /** A fresh id; `i` counts them, and `ms` is the time. */
  (r: Random, i: number, ms: number): string;
}

const makers: Readonly<
  Record<string, readonly [make: Maker, least: number, most: number]>
> = {
  ...sized("64 bits in", 64, 63, 67),
  ...sized("128 bits in", 128, 127, 133),
  ...sized("256 bits in", 256, 254, 262),
  "UUID v4": [uuid4, 121.5, 122.5],
  "nanoid(21)": [(r) => word(r, BASE64, 21), 125.5, 126.2],
  "cuid2": [
    (r) => word(r, BASE36.slice(10), 1) + word(r, BASE36, 23),
    123,
    125,
  ],
  "a counter": [(_, i) => `${i + 1}`, 0, 20],
  "a counter, padded": [(_, i) => `${i + 990}`.padStart(24, "0"), 0, 10],
  "a counter in hex": [(_, i) => (i + 0xabcdef00).toString(16), 0, 10],
  "a time in milliseconds": [(_, _i, ms) => `${ms}`, 0, 15],
  "a time and a counter": [(_, i, ms) => `${ms}-${i}`, 0, 25],
  "Math.random in base 36": [(r) => word(r, BASE36, 8), 40, 42],
  "a Mongo ObjectId": [
    (_, i, ms) => hex(ms / 1000, 8) + "5f1d7a9c3e" + hex(0x8f3c21 + i, 6),
    0,
    15,
  ],
  "UUID v1": [uuid1, 0, 40],
  "UUID v7": [uuid7, 69, 78],
  "a ULID": [
    (r, _, ms) => inBase(BigInt(ms), CROCKFORD, 10) + word(r, CROCKFORD, 16),
    74,
    86,
  ],
  "cuid": [
    (r, i, ms) =>
      `c${ms.toString(36)}${inBase(BigInt(i), BASE36, 4)}a1b2` +
      word(r, BASE36, 8),
    36,
    50,
  ],
  "a Snowflake id": [
    (_, i, ms) =>
      `${(BigInt(ms - 1_288_834_974_657) << 22n) | 0x11000n | BigInt(i)}`,
    0,
    40,
  ],
};

for (const [name, [make, least, most]] of Object.entries(makers)) {
  for (const [pace, msEach] of [["at once", 0.02], ["slowly", 40]] as const) {
    Deno.test(`the random bits of ids are estimated: ${name}, made ${pace}`, () => {
      for (const count of [60, 200]) {
        for (let seed = 1; seed <= 12; seed++) {
          const r = new Random(seed * 7919);
          const ids = Array.from(
            { length: count },
            (_, i) =>
              make(r, i, Math.floor(NOW + seed * 5_231_337 + i * msEach)),
          );
          const { bits, seen } = estimateBits(ids);
          assert(
            bits >= least && bits <= most,
            `${name}, seed ${seed}: ${bits} bits by ${seen}`,
          );
        }
      }
    });
  }
}

/** A number of random bits, written in each alphabet. */
function sized(
  name: string,
  bits: number,
  least: number,
  most: number,
): typeof makers {
  const alphabets = {
    hex: HEX,
    base32: BASE32,
    "base 36": BASE36,
    base58: BASE58,
    "base 62": BASE62,
    base64url: BASE64,
    decimal: "0123456789",
  };
  const out: Record<string, readonly [Maker, number, number]> = {};
  for (const [as, alphabet] of Object.entries(alphabets)) {
    const width = Math.ceil(bits / Math.log2(alphabet.length));
    out[`${name} ${as}`] = [
      (r) => inBase(number(r, bits), alphabet, width),
      least,
      most,
    ];
    out[`${name} ${as}, unpadded`] = [
      (r) => inBase(number(r, bits), alphabet, 1),
      least,
      most,
    ];
    // As `base64url` writes bytes: the last character has the bits that are left.
    if (Number.isInteger(Math.log2(alphabet.length))) {
      const each = Math.log2(alphabet.length);
      const shift = BigInt(width * each - bits);
      out[`${name} ${as}, of bytes`] = [
        (r) => inBase(number(r, bits) << shift, alphabet, width),
        least,
        most,
      ];
    }
  }
  return out;
}

function number(r: Random, bits: number): bigint {
  let value = 0n;
  for (let i = 0; i < bits; i += 16) {
    value = value << 16n | BigInt(r.int(65536));
  }
  return value;
}

function inBase(value: bigint, alphabet: string, width: number): string {
  const base = BigInt(alphabet.length);
  let out = "";
  for (; value > 0n; value /= base) out = alphabet[Number(value % base)] + out;
  return out.padStart(width, alphabet[0]);
}

function word(r: Random, alphabet: string, length: number): string {
  return Array.from({ length }, () => r.pick([...alphabet])).join("");
}

function hex(value: number, width: number): string {
  return Math.floor(value).toString(16).padStart(width, "0");
}

function uuid4(r: Random): string {
  const x = (n: number) => word(r, HEX, n);
  return `${x(8)}-${x(4)}-4${x(3)}-${word(r, "89ab", 1)}${x(3)}-${x(12)}`;
}

function uuid1(_: Random, i: number, ms: number): string {
  const ticks = BigInt(ms) * 10_000n + 0x1b21dd213814000n + BigInt(i % 50);
  const text = ticks.toString(16).padStart(15, "0");
  return `${text.slice(7)}-${text.slice(3, 7)}-1${
    text.slice(0, 3)
  }-9a3c-0242ac120002`;
}

function uuid7(r: Random, _: number, ms: number): string {
  const time = hex(ms, 12);
  const x = (n: number) => word(r, HEX, n);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${x(3)}-${word(r, "89ab", 1)}${
    x(3)
  }-${x(12)}`;
}
