/**
 * HMAC-SHA-256 in WebAssembly: the fastest way to sign a short text that is known on every runtime.
 *
 * An assembler writes the module: one function, `compress(pointer, blocks)`, with all 64 rounds unrolled. The state is
 * in the first 32 bytes of its memory, and the message begins at byte 64.
 *
 * @module
 */
const STATE_BYTES = 64;
const BLOCK = 64;

const PRIMES = Array.from({ length: 312 }, (_, n) => n).filter((n) => {
  if (n < 2) return false;
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false;
  return true;
});
/** The first 32 bits of a number's fraction (FIPS 180-4, section 4.2.2). */
const fraction = (x: number) => ((x - Math.floor(x)) * 2 ** 32) | 0;
const ROUND = PRIMES.slice(0, 64).map((p) => fraction(Math.cbrt(p)));
const START = PRIMES.slice(0, 8).map((p) => fraction(Math.sqrt(p)));

/** LEB128, as WebAssembly writes integers. */
function leb(n: number, signed = false): number[] {
  const bytes = [];
  for (;;) {
    const byte = n & 0x7f;
    n = signed ? n >> 7 : n >>> 7;
    const negative = signed && (byte & 0x40) !== 0;
    if (n === (negative ? -1 : 0) && (!signed || negative === n < 0)) {
      return [...bytes, byte];
    }
    bytes.push(byte | 0x80);
  }
}

/** The instructions of the function that compresses blocks. */
function instructions(): number[] {
  const code: number[] = [];
  const emit = (...bytes: number[]) => void code.push(...bytes);
  const get = (local: number) => emit(0x20, ...leb(local));
  const set = (local: number) => emit(0x21, ...leb(local));
  const tee = (local: number) => emit(0x22, ...leb(local));
  const constant = (n: number) => emit(0x41, ...leb(n | 0, true));
  const load = (base: number, offset: number) => {
    get(base);
    emit(0x28, 2, ...leb(offset));
  };
  const [add, and, or, xor] = [0x6a, 0x71, 0x72, 0x73];
  const [shiftRight, rotateLeft, rotateRight] = [0x76, 0x77, 0x78];
  const by = (local: number, operation: number, bits: number) => {
    get(local);
    constant(bits);
    emit(operation);
  };
  /** The sigma functions: three rotations, or two and a shift, combined. */
  const sigma = (
    local: number,
    a: number,
    b: number,
    c: number,
    last = rotateRight,
  ) => {
    by(local, rotateRight, a);
    by(local, rotateRight, b);
    emit(xor);
    by(local, last, c);
    emit(xor);
  };

  // Locals: the pointer, the number of blocks, a to h, 16 words of the message, a temporary, and zero.
  const [pointer, blocks, temporary, zero] = [0, 1, 26, 27];
  const variable = (i: number) => 2 + (i & 7);
  const word = (i: number) => 10 + (i & 15);

  constant(0);
  set(zero);
  for (let i = 0; i < 8; i++) {
    load(zero, i * 4);
    set(variable(i));
  }
  emit(0x03, 0x40); // loop
  for (let i = 0; i < 16; i++) {
    // The message is big-endian.
    load(pointer, i * 4);
    set(temporary);
    by(temporary, rotateLeft, 8);
    constant(0x00ff00ff);
    emit(and);
    by(temporary, rotateRight, 8);
    constant(0xff00ff00);
    emit(and, or);
    set(word(i));
  }
  for (let i = 0; i < 64; i++) {
    // The variables change their names, not their values.
    const [a, b, c, d, e, f, g, h] = Array.from(
      { length: 8 },
      (_, j) => variable(j - i + 64),
    ) as [number, number, number, number, number, number, number, number];
    if (i >= 16) {
      get(word(i));
      get(word(i + 9));
      emit(add);
      sigma(word(i + 1), 7, 18, 3, shiftRight);
      emit(add);
      sigma(word(i + 14), 17, 19, 10, shiftRight);
      emit(add);
      set(word(i));
    }
    get(h);
    sigma(e, 6, 11, 25);
    emit(add);
    get(f);
    get(g);
    emit(xor);
    get(e);
    emit(and);
    get(g);
    emit(xor, add);
    constant(ROUND[i] ?? 0);
    emit(add);
    get(word(i));
    emit(add);
    tee(temporary);
    get(d);
    emit(add);
    set(d);
    get(temporary);
    sigma(a, 2, 13, 22);
    emit(add);
    get(a);
    get(b);
    emit(and);
    get(a);
    get(b);
    emit(xor);
    get(c);
    emit(and, xor, add);
    set(h);
  }
  for (let i = 0; i < 8; i++) {
    load(zero, i * 4);
    get(variable(i));
    emit(add);
    set(variable(i));
    get(zero);
    get(variable(i));
    emit(0x36, 2, ...leb(i * 4));
  }
  get(pointer);
  constant(BLOCK);
  emit(add);
  set(pointer);
  get(blocks);
  constant(-1);
  emit(add);
  tee(blocks);
  emit(0x0d, 0, 0x0b, 0x0b); // br_if loop, end, end
  return code;
}

function assemble(): Uint8Array<ArrayBuffer> {
  const section = (id: number, bytes: number[]) => [
    id,
    ...leb(bytes.length),
    ...bytes,
  ];
  const name = (
    text: string,
  ) => [text.length, ...new TextEncoder().encode(text)];
  const i32 = 0x7f;
  const body = [1, ...leb(26), i32, ...instructions()];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 2, i32, i32, 0]), // the function's type
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]), // one page of memory
    ...section(7, [2, ...name("memory"), 2, 0, ...name("compress"), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

const { memory, compress } = new WebAssembly.Instance(
  new WebAssembly.Module(assemble()),
).exports as {
  memory: WebAssembly.Memory;
  compress(pointer: number, blocks: number): void;
};
const state = new Int32Array(memory.buffer, 0, 8);
const message = new Uint8Array(memory.buffer, STATE_BYTES);
const encoder = new TextEncoder();

const swap = (word: number) =>
  (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) |
  (word >>> 24);

/** Pads a message of `end` bytes that follows `before` others, and compresses it. */
function finish(end: number, before: number): void {
  const total = (end + 9 + BLOCK - 1) & ~(BLOCK - 1);
  message[end] = 0x80;
  message.fill(0, end + 1, total);
  const bits = (end + before) * 8;
  for (let i = 0; i < 4; i++) message[total - 1 - i] = bits >>> (i * 8);
  compress(STATE_BYTES, total / BLOCK);
}

/**
 * Prepares a key.
 *
 * @param key At most 64 bytes.
 * @returns A function that signs a text, of at most about 60,000 bytes.
 */
export function hmac(
  key: Uint8Array,
): (text: string) => Uint8Array<ArrayBuffer> {
  const pad = (byte: number) => {
    state.set(START);
    for (let i = 0; i < BLOCK; i++) message[i] = (key[i] ?? 0) ^ byte;
    compress(STATE_BYTES, 1);
    return state.slice();
  };
  const inner = pad(0x36);
  const outer = pad(0x5c);
  const words = new Int32Array(memory.buffer, STATE_BYTES, 8);
  const digest = () => {
    for (let i = 0; i < 8; i++) words[i] = swap(state[i] ?? 0);
  };
  return (text) => {
    state.set(inner);
    finish(encoder.encodeInto(text, message).written, BLOCK);
    digest();
    state.set(outer);
    finish(32, BLOCK);
    digest();
    return message.slice(0, 32);
  };
}
