/**
 * Writes the WebAssembly module that compresses blocks of SHA-256 (FIPS 180-4, 6.2.2).
 *
 * The rounds are unrolled, so that the eight working variables change their names instead of their places. Bytes that
 * are written by a loop are much shorter than the module.
 *
 * @module
 */

// Instructions of WebAssembly (core specification, 5.4). Bundlers write constants of their own into the code, but not
// those of an object.
const LOOP = 0x03;
const END = 0x0b;
const BRANCH_IF = 0x0d;
const GET = 0x20;
const SET = 0x21;
const TEE = 0x22;
const LOAD = 0x28;
const STORE = 0x36;
const CONSTANT = 0x41;
const ADD = 0x6a;
const AND = 0x71;
const OR = 0x72;
const XOR = 0x73;
const SHIFT_RIGHT = 0x76;
const ROTATE_LEFT = 0x77;
const ROTATE_RIGHT = 0x78;

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
  const get = (local: number) => emit(GET, local);
  const constant = (value: number) => emit(CONSTANT, ...signed(value));
  /** The word on the stack, from big-endian to little-endian or back. */
  const swapBytes = () => {
    emit(TEE, WORD);
    constant(8);
    emit(ROTATE_LEFT);
    constant(0x00ff00ff);
    emit(AND);
    get(WORD);
    constant(8);
    emit(ROTATE_RIGHT);
    constant(0xff00ff00 | 0);
    emit(AND, OR);
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
    emit(ROTATE_RIGHT);
    get(local);
    constant(y);
    emit(ROTATE_RIGHT, XOR);
    get(local);
    constant(z);
    emit(last, XOR);
  };

  for (let i = 0; i < 8; i++) {
    constant(i * 4);
    emit(LOAD, 2, 0);
    swapBytes();
    emit(SET, STATE + i);
  }
  constant(message);
  emit(SET, AT);
  emit(LOOP, 0x40);
  for (let i = 0; i < 8; i++) {
    get(STATE + i);
    emit(SET, WORKING + i);
  }
  for (let i = 0; i < 64; i++) {
    const word = (n: number) => SCHEDULE + (n & 15);
    const [a, b, c, d, e, f, g, h] = Array.from(
      { length: 8 },
      (_, n) => WORKING + (n - i & 7),
    ) as [number, number, number, number, number, number, number, number];
    if (i < 16) {
      get(AT);
      emit(LOAD, 2, i * 4);
      swapBytes();
    } else {
      get(word(i));
      get(word(i + 9));
      emit(ADD);
      mix(word(i + 1), 7, 18, 3, SHIFT_RIGHT);
      emit(ADD);
      mix(word(i + 14), 17, 19, 10, SHIFT_RIGHT);
      emit(ADD);
    }
    emit(TEE, word(i));
    get(h);
    emit(ADD);
    constant(rounds[i] ?? 0);
    emit(ADD);
    mix(e, 6, 11, 25, ROTATE_RIGHT);
    emit(ADD);
    get(f);
    get(g);
    emit(XOR);
    get(e);
    emit(AND);
    get(g);
    emit(XOR, ADD, TEE, WORD);
    get(d);
    emit(ADD, SET, d);
    get(WORD);
    mix(a, 2, 13, 22, ROTATE_RIGHT);
    emit(ADD);
    get(a);
    get(b);
    emit(AND);
    get(a);
    get(b);
    emit(XOR);
    get(c);
    emit(AND, XOR, ADD, SET, h);
  }
  for (let i = 0; i < 8; i++) {
    get(STATE + i);
    get(WORKING + i);
    emit(ADD, SET, STATE + i);
  }
  get(AT);
  constant(64);
  emit(ADD, SET, AT);
  get(BLOCKS);
  constant(-1);
  emit(ADD, TEE, BLOCKS, BRANCH_IF, 0, END);
  for (let i = 0; i < 8; i++) {
    constant(i * 4);
    get(STATE + i);
    swapBytes();
    emit(STORE, 2, 0);
  }
  emit(END);

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
