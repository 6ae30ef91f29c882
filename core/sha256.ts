/**
 * SHA-256 (FIPS 180-4) and HMAC (RFC 2104) of texts, synchronously.
 *
 * Blocks are compressed by WebAssembly, which takes half as long as JavaScript. Where it may not be compiled, as in
 * Workers, a function in JavaScript does the same. Web Crypto takes ten times as long for the few hundred bytes of a
 * cookie, because it is asynchronous, and native hash objects stall Deno's garbage collector.
 *
 * @module
 */
import { assembleCompressor } from "./sha256_wasm.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Hashes blocks. */
interface Compressor {
  /** The state, big-endian, in the first 32 bytes, and the message from {@linkcode MESSAGE} on. */
  readonly memory: Bytes;
  /** Updates the state with so many blocks of the message. */
  compress(blocks: number): void;
}

const BLOCK = 64;
const DIGEST = 32;
/** Where the message begins. */
const MESSAGE = 64;
/** How many bytes of a message are compressed at once. A last, padded part takes at most two blocks more. */
const PART = 61_440;

/** The first 32 bits of the fractional parts of the roots of the first primes (FIPS 180-4, 4.2.2 and 5.3.3). */
function constants(): { readonly start: Bytes; readonly rounds: Int32Array } {
  const start = new DataView(new ArrayBuffer(DIGEST));
  const rounds = new Int32Array(64);
  const bits = (root: number) => (root % 1) * 2 ** 32 | 0;
  for (let n = 0, candidate = 2; n < 64; candidate++) {
    let divisor = 2;
    while (candidate % divisor !== 0) divisor++;
    if (divisor < candidate) continue;
    if (n < 8) start.setInt32(n * 4, bits(Math.sqrt(candidate)));
    rounds[n++] = bits(Math.cbrt(candidate));
  }
  return { start: new Uint8Array(start.buffer), rounds };
}

/** What hashing needs, made on first use: bundles that do not hash are to have no trace of it. */
interface Hashing extends Compressor {
  readonly start: Bytes;
  /** The part of the memory for the state. */
  readonly state: Bytes;
  /** The part of the memory for the message. */
  readonly message: Bytes;
  readonly encoder: TextEncoder;
}

let made: Hashing | undefined;

function hashing(): Hashing {
  if (made) return made;
  const { start, rounds } = constants();
  const { memory, compress } = webAssembly(rounds) ?? javaScript(rounds);
  const state = memory.subarray(0, DIGEST);
  const message = memory.subarray(MESSAGE);
  const encoder = new TextEncoder();
  return made = { start, memory, compress, state, message, encoder };
}

/** The SHA-256 of a text's UTF-8 bytes. The next call of this file overwrites it. */
export function sha256(text: string): Bytes {
  const { start, state } = hashing();
  digest(start, text, 0);
  return state;
}

/**
 * HMAC-SHA-256 with a key, for the UTF-8 bytes of texts. The next call of this file overwrites a result. The two blocks
 * of the padded key are hashed once.
 *
 * @param key At most 64 bytes.
 */
export function createHmac(key: Bytes): (text: string) => Bytes {
  const { memory, state, message, compress, start } = hashing();
  const padded = (pad: number) => {
    state.set(start);
    for (let i = 0; i < BLOCK; i++) message[i] = (key[i] ?? 0) ^ pad;
    compress(1);
    return new Uint8Array(state);
  };
  const inner = padded(0x36);
  const outer = padded(0x5c);
  return (text) => {
    digest(inner, text, BLOCK);
    memory.copyWithin(MESSAGE, 0, DIGEST);
    state.set(outer);
    finish(DIGEST, BLOCK + DIGEST);
    return state;
  };
}

/** A key of any length, as HMAC uses it: a longer one than a block is hashed (RFC 2104, section 2). */
export function hmacKey(key: string): Bytes {
  const bytes = new TextEncoder().encode(key);
  return bytes.length > BLOCK ? new Uint8Array(sha256(key)) : bytes;
}

/** Continues from a state, after so many bytes, with a whole text. */
function digest(from: Bytes, text: string, before: number): void {
  const { state, message, compress, encoder } = hashing();
  state.set(from);
  let length = 0;
  let total = before;
  if (text.length * 3 <= PART) {
    length = encoder.encodeInto(text, message).written;
  } else {
    const bytes = encoder.encode(text);
    let at = 0;
    for (; bytes.length - at > PART; at += PART) {
      message.set(bytes.subarray(at, at + PART));
      compress(PART / BLOCK);
    }
    message.set(bytes.subarray(at));
    length = bytes.length - at;
    total += at;
  }
  finish(length, total + length);
}

/** Pads what is left of the message, `length` bytes of `total` in all, and compresses it. */
function finish(length: number, total: number): void {
  const { message, compress } = hashing();
  const end = (length + 9 + BLOCK - 1) & -BLOCK;
  message[length] = 0x80;
  message.fill(0, length + 1, end - 8);
  let bits = total * 8;
  for (let at = end - 1; at >= end - 8; at--) {
    message[at] = bits;
    bits = Math.floor(bits / 256);
  }
  compress(end / BLOCK);
}

/** Compresses with WebAssembly; `undefined` where it may not be compiled. */
function webAssembly(rounds: Int32Array): Compressor | undefined {
  try {
    const module = new WebAssembly.Module(assembleCompressor(rounds, MESSAGE));
    const { m, f } = new WebAssembly.Instance(module).exports;
    const { buffer } = m as WebAssembly.Memory;
    return {
      memory: new Uint8Array(buffer as ArrayBuffer),
      compress: f as (blocks: number) => void,
    };
  } catch {
    return undefined;
  }
}

/** Compresses with JavaScript. */
function javaScript(rounds: Int32Array): Compressor {
  const memory = new Uint8Array(MESSAGE + PART + 2 * BLOCK);
  const words = new DataView(memory.buffer);
  const state = new Int32Array(8);
  const w = new Int32Array(64);
  const rotate = (x: number, by: number) => x >>> by | x << 32 - by;
  const compress = (blocks: number) => {
    for (let i = 0; i < 8; i++) state[i] = words.getInt32(i * 4);
    for (let block = 0; block < blocks; block++) {
      const at = MESSAGE + block * BLOCK;
      for (let i = 0; i < 16; i++) w[i] = words.getInt32(at + i * 4);
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15]!;
        const y = w[i - 2]!;
        w[i] = w[i - 16]! + w[i - 7]! +
          (rotate(x, 7) ^ rotate(x, 18) ^ x >>> 3) +
          (rotate(y, 17) ^ rotate(y, 19) ^ y >>> 10);
      }
      let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!;
      let e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
      for (let i = 0; i < 64; i++) {
        const first = h + rounds[i]! + w[i]! + (g ^ e & (f ^ g)) +
            (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) | 0;
        const second = (a & b ^ c & (a ^ b)) +
          (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22));
        [h, g, f, e] = [g, f, e, d + first | 0];
        [d, c, b, a] = [c, b, a, first + second | 0];
      }
      state[0] = state[0]! + a;
      state[1] = state[1]! + b;
      state[2] = state[2]! + c;
      state[3] = state[3]! + d;
      state[4] = state[4]! + e;
      state[5] = state[5]! + f;
      state[6] = state[6]! + g;
      state[7] = state[7]! + h;
    }
    for (let i = 0; i < 8; i++) words.setInt32(i * 4, state[i]!);
  };
  return { memory, compress };
}
