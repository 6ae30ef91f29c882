/**
 * SHA-256 (FIPS 180-4) and HMAC (RFC 2104) of texts, synchronously, as base64url.
 *
 * On Node and Bun, `hash` of `node:crypto` is the fastest. On Deno it would stall the garbage collector, so blocks are
 * compressed by WebAssembly there, which takes half as long as JavaScript. Where neither is to be had, as in Workers, a
 * function in JavaScript does the same as WebAssembly. Web Crypto takes ten times as long for the few hundred bytes of a
 * cookie, because it is asynchronous.
 *
 * @module
 */
import { bytesOf, sized, toBase64Url, utf8, utf8Briefly } from "./bytes.ts";
import { type NativeHash, nativeHash } from "./runtime.ts";
import { assembleCompressor } from "./sha256_wasm.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Hashes texts, and makes functions that sign them. */
interface Hashing {
  sha256(text: string): string;
  createHmac(key: Bytes): (text: string) => string;
}

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

/** Made on first use: bundles that do not hash are to have no trace of it. */
let made: Hashing | undefined;

function hashing(): Hashing {
  if (made) return made;
  const native = nativeHash();
  return made = native ? byRuntime(native) : byBlocks();
}

/** The SHA-256 of a text's UTF-8 bytes, as base64url. */
export function sha256(text: string): string {
  return hashing().sha256(text);
}

/**
 * HMAC-SHA-256 with a key, for the UTF-8 bytes of texts, as base64url.
 *
 * @param key At most 64 bytes.
 */
export function createHmac(key: Bytes): (text: string) => string {
  return hashing().createHmac(key);
}

/** A key of any length, as HMAC uses it: a longer one than a block is hashed (RFC 2104, section 2). */
export function hmacKey(key: string): Bytes {
  const bytes = utf8(key);
  return bytes.length > BLOCK ? bytesOf(sha256(key)) : bytes;
}

/** The first of HMAC's two blocks, or the second, at the beginning of so many bytes. */
function padded(key: Bytes, pad: number, size = BLOCK): Bytes {
  const bytes = new Uint8Array(size).fill(pad, 0, BLOCK);
  for (let i = 0; i < key.length; i++) bytes[i] = key[i]! ^ pad;
  return bytes;
}

/** Hashes with a function of the runtime. Its answers are texts, because each object would cost as much as hashing. */
function byRuntime(hash: NativeHash): Hashing {
  const message = new Uint8Array(BLOCK + PART);
  return {
    sha256: (text) => hash("sha256", text, "base64url"),
    createHmac(key) {
      const inner = padded(key, 0x36);
      const outer = padded(key, 0x5c, BLOCK + DIGEST);
      return (text) => {
        const bytes = utf8Briefly(text);
        const whole = sized(message, BLOCK + bytes.length);
        whole.set(inner);
        whole.set(bytes, BLOCK);
        const digest = hash("sha256", whole, "latin1");
        for (let i = 0; i < DIGEST; i++) {
          outer[BLOCK + i] = digest.charCodeAt(i);
        }
        return hash("sha256", outer, "base64url");
      };
    },
  };
}

/** Hashes block by block. What does not change between two calls of HMAC, its padded key, is hashed once. */
function byBlocks(): Hashing {
  const { start, rounds } = constants();
  const { memory, compress } = webAssembly(rounds) ?? javaScript(rounds);
  const state = memory.subarray(0, DIGEST);
  const message = memory.subarray(MESSAGE);

  /** Continues from a state, after so many bytes, with a whole text. */
  function digest(from: Bytes, text: string, before: number): void {
    state.set(from);
    const bytes = utf8Briefly(text);
    let at = 0;
    for (; bytes.length - at > PART; at += PART) {
      message.set(bytes.subarray(at, at + PART));
      compress(PART / BLOCK);
    }
    message.set(bytes.subarray(at));
    finish(bytes.length - at, before + bytes.length);
  }

  /** Pads what is left of the message, `length` bytes of `total` in all, and compresses it. */
  function finish(length: number, total: number): void {
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

  return {
    sha256(text) {
      digest(start, text, 0);
      return toBase64Url(state);
    },
    createHmac(key) {
      const [inner, outer] = [0x36, 0x5c].map((pad) => {
        state.set(start);
        message.set(padded(key, pad));
        compress(1);
        return state.slice();
      }) as [Bytes, Bytes];
      return (text) => {
        digest(inner, text, BLOCK);
        memory.copyWithin(MESSAGE, 0, DIGEST);
        state.set(outer);
        finish(DIGEST, BLOCK + DIGEST);
        return toBase64Url(state);
      };
    },
  };
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
