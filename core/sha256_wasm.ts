/**
 * Writes the WebAssembly module that compresses blocks of SHA-256 (FIPS 180-4, 6.2.2).
 *
 * The rounds are unrolled, so that the eight working variables change their names instead of their places. Bytes that
 * are written by a loop are much shorter than the module.
 *
 * @module
 */

/** Instructions of WebAssembly (core specification, 5.4). */
const op = {
  loop: 0x03,
  end: 0x0b,
  branchIf: 0x0d,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  load: 0x28,
  store: 0x36,
  constant: 0x41,
  add: 0x6a,
  and: 0x71,
  or: 0x72,
  xor: 0x73,
  shiftRight: 0x76,
  rotateLeft: 0x77,
  rotateRight: 0x78,
} as const;

const I32 = 0x7f;

// Locals: the parameter, a pointer, a word, and three groups.
const BLOCKS = 0;
const AT = 1;
const WORD = 2;
const STATE = 3;
const WORKING = 11;
const SCHEDULE = 19;
const LOCALS = 35;

/**
 * The bytes of a module that exports the memory `m` and the function `f`, which takes a number of blocks.
 *
 * @param rounds The constants of the 64 rounds.
 * @param message Where the message begins in the memory. The state is at its beginning.
 */
export function assembleCompressor(
  rounds: Int32Array,
  message: number,
): Uint8Array<ArrayBuffer> {
  const code: number[] = [];
  const emit = (...bytes: number[]) => void code.push(...bytes);
  const get = (local: number) => emit(op.get, local);
  const constant = (value: number) => emit(op.constant, ...signed(value));
  /** The word on the stack, from big-endian to little-endian or back. */
  const swapBytes = () => {
    emit(op.tee, WORD);
    constant(8);
    emit(op.rotateLeft);
    constant(0x00ff00ff);
    emit(op.and);
    get(WORD);
    constant(8);
    emit(op.rotateRight);
    constant(0xff00ff00 | 0);
    emit(op.and, op.or);
  };
  /** Two rotations, and a third one or a shift, of a local. */
  const mix = (
    local: number,
    x: number,
    y: number,
    z: number,
    last: number,
  ) => {
    get(local);
    constant(x);
    emit(op.rotateRight);
    get(local);
    constant(y);
    emit(op.rotateRight, op.xor);
    get(local);
    constant(z);
    emit(last, op.xor);
  };

  for (let i = 0; i < 8; i++) {
    constant(i * 4);
    emit(op.load, 2, 0);
    swapBytes();
    emit(op.set, STATE + i);
  }
  constant(message);
  emit(op.set, AT);
  emit(op.loop, 0x40);
  for (let i = 0; i < 8; i++) {
    get(STATE + i);
    emit(op.set, WORKING + i);
  }
  for (let i = 0; i < 64; i++) {
    const word = (n: number) => SCHEDULE + (n & 15);
    const [a, b, c, d, e, f, g, h] = Array.from(
      { length: 8 },
      (_, n) => WORKING + (n - i & 7),
    ) as [number, number, number, number, number, number, number, number];
    if (i < 16) {
      get(AT);
      emit(op.load, 2, i * 4);
      swapBytes();
    } else {
      get(word(i));
      get(word(i + 9));
      emit(op.add);
      mix(word(i + 1), 7, 18, 3, op.shiftRight);
      emit(op.add);
      mix(word(i + 14), 17, 19, 10, op.shiftRight);
      emit(op.add);
    }
    emit(op.tee, word(i));
    get(h);
    emit(op.add);
    constant(rounds[i] ?? 0);
    emit(op.add);
    mix(e, 6, 11, 25, op.rotateRight);
    emit(op.add);
    get(f);
    get(g);
    emit(op.xor);
    get(e);
    emit(op.and);
    get(g);
    emit(op.xor, op.add, op.tee, WORD);
    get(d);
    emit(op.add, op.set, d);
    get(WORD);
    mix(a, 2, 13, 22, op.rotateRight);
    emit(op.add);
    get(a);
    get(b);
    emit(op.and);
    get(a);
    get(b);
    emit(op.xor);
    get(c);
    emit(op.and, op.xor, op.add, op.set, h);
  }
  for (let i = 0; i < 8; i++) {
    get(STATE + i);
    get(WORKING + i);
    emit(op.add, op.set, STATE + i);
  }
  get(AT);
  constant(64);
  emit(op.add, op.set, AT);
  get(BLOCKS);
  constant(-1);
  emit(op.add, op.tee, BLOCKS, op.branchIf, 0, op.end);
  for (let i = 0; i < 8; i++) {
    constant(i * 4);
    get(STATE + i);
    swapBytes();
    emit(op.store, 2, 0);
  }
  emit(op.end);

  const body = [1, LOCALS - 1, I32, ...code];
  const section = (id: number, content: number[]) => [
    id,
    ...unsigned(content.length),
    ...content,
  ];
  const name = (letter: string) => [1, letter.charCodeAt(0)];
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...name("m"), 2, 0, ...name("f"), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

/** An unsigned integer in LEB128. */
function unsigned(value: number): number[] {
  return value < 128 ? [value] : [value & 127 | 128, ...unsigned(value >>> 7)];
}

/** A signed integer in LEB128. */
function signed(value: number): number[] {
  return value >= -64 && value < 64
    ? [value & 127]
    : [value & 127 | 128, ...signed(value >> 7)];
}
