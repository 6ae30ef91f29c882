import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import { encodeEntries, encodeJson, exactText } from "../../core/json.ts";
import { rowName } from "../_row.ts";
import { assertSessionError } from "./_support.ts";

/** Deep equality that distinguishes `-0`, the order of keys and an own `__proto__`. */
function assertSame(actual: unknown, expected: unknown): void {
  if (typeof expected !== "object" || expected === null) {
    assert(Object.is(actual, expected));
    return;
  }
  assertEquals(Array.isArray(actual), Array.isArray(expected));
  assertEquals(Object.keys(actual as object), Object.keys(expected));
  for (const key of Object.keys(expected)) {
    const own = (value: unknown) =>
      Object.getOwnPropertyDescriptor(value, key)?.value;
    assertSame(own(actual), own(expected));
  }
}

const key = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "toJSON",
    "then",
    "length",
    "0",
    "\ud800",
  ),
);
const leaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.string({ unit: "binary" }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 4 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom(-0, "\ud800", "\udc00x", "\u2028", "\0", 1e308, 5e-324),
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.array(fc.tuple(key, tie("value")), { maxLength: 5 }).map((entries) =>
      Object.fromEntries(entries)
    ),
  ),
})).value;

Deno.test("encodeJson() writes a text that JSON.parse turns into the same value", () => {
  fc.assert(
    fc.property(json, (value) => {
      assertSame(JSON.parse(encodeJson(value, "key")), value);
    }),
    { numRuns: 500 },
  );
});

Deno.test("encodeJson() writes what JSON.stringify writes, apart from -0", () => {
  fc.assert(fc.property(json, (value) => {
    assertEquals(
      encodeJson(value, "key").replaceAll("-0", "0"),
      JSON.stringify(value).replaceAll("-0", "0"),
    );
  }));
});

Deno.test("encodeEntries() writes an object with any keys", () => {
  fc.assert(fc.property(fc.dictionary(key, json), (entries) => {
    const texts = new Map(
      Object.entries(entries).map((
        [key, value],
      ) => [key, encodeJson(value, key)]),
    );
    const parsed = JSON.parse(encodeEntries(texts));
    assertEquals(Object.keys(parsed).sort(), [...texts.keys()].sort());
  }));
  assertEquals(encodeEntries(new Map()), "{}");
});

Deno.test("encodeJson() accepts every kind of plain object", () => {
  const bare = Object.create(null);
  bare.a = 1;
  assertEquals(encodeJson(bare, "k"), '{"a":1}');
  assertEquals(
    encodeJson({
      get a() {
        return 1;
      },
    }, "k"),
    '{"a":1}',
  );
  assertEquals(encodeJson(Object.freeze([1]), "k"), "[1]");
  assertEquals(
    encodeJson(JSON.parse('{"__proto__":{"a":1}}'), "k"),
    '{"__proto__":{"a":1}}',
  );
  const twice = { a: 1 };
  assertEquals(encodeJson([twice, twice], "k"), '[{"a":1},{"a":1}]');
});

const holes: unknown[] = [1];
holes.length = 2;
const named = Object.assign([1], { name: "x" });
class Money {
  amount = 5;
}
const hidden = Object.defineProperty({}, "a", { value: 1, enumerable: false });

const rejected: [string, unknown, string][] = [
  ["undefined", undefined, "undefined is not JSON; leave it out"],
  ["NaN", NaN, "NaN is not a JSON number"],
  ["Infinity", -Infinity, "-Infinity is not a JSON number"],
  ["a BigInt", 1n, "a bigint is not JSON"],
  ["a symbol", Symbol("s"), "a symbol is not JSON"],
  ["a function", () => {}, "a function is not JSON"],
  ["a Date", new Date(0), "an instance of Date is not JSON"],
  ["a Map", new Map([[1, 2]]), "an instance of Map is not JSON"],
  ["a Set", new Set([1]), "an instance of Set is not JSON"],
  ["a RegExp", /a/, "an instance of RegExp is not JSON"],
  ["an Error", new Error("hush"), "an instance of Error is not JSON"],
  ["a typed array", new Uint8Array(2), "an instance of Uint8Array is not JSON"],
  ["a promise", Promise.resolve(1), "an instance of Promise is not JSON"],
  ["a boxed number", Object(1), "an instance of Number is not JSON"],
  ["an instance", new Money(), "an instance of Money is not JSON"],
  [
    "an anonymous instance",
    new (class {})(),
    "an instance of a class is not JSON",
  ],
  ["an inheriting object", Object.create({ a: 1 }), "is not JSON"],
  ["an array with holes", holes, "the array has holes or named properties"],
  ["an array with names", named, "the array has holes or named properties"],
  [
    "an array with a symbol",
    Object.assign([1], { [Symbol("s")]: 1 }),
    "the array has holes or named properties",
  ],
  [
    "an object with a symbol",
    { [Symbol("s")]: 1 },
    "the object has symbol keys or hidden properties",
  ],
  [
    "an object with a hidden property",
    hidden,
    "the object has symbol keys or hidden properties",
  ],
  ["an object with toJSON", { toJSON: () => 1 }, "a function is not JSON"],
];

for (const [what, value, why] of rejected) {
  Deno.test(`encodeJson() throws for ${what} and names the path`, async () => {
    const at = what === "an object with toJSON" ? ".toJSON" : "";
    const places: [unknown, string][] = [
      [value, "cart"],
      [[0, value], "cart[1]"],
      [{ items: [{ price: value }] }, "cart.items[0].price"],
    ];
    for (const [whole, path] of places) {
      await assertSessionError(
        () => encodeJson(whole, "cart"),
        "unserializable",
        `Cannot store "${path}${at}": `,
        why,
        { row: path },
      );
    }
  });
}

Deno.test("encodeJson() throws and names the key, when a value is too deep or contains itself", async () => {
  let deep: unknown = [];
  for (let i = 0; i < 100_000; i++) deep = i % 2 ? [deep] : { a: deep };
  const cycle: Record<string, unknown> = { a: [] };
  (cycle["a"] as unknown[]).push(cycle);
  const self: unknown[] = [];
  self.push(self);
  for (const value of [deep, cycle, self]) {
    await assertSessionError(
      () => encodeJson(value, "cart"),
      "unserializable",
      'Cannot store "cart": the value is nested deeper than 500 levels, or contains itself',
      { row: rowName(value) },
    );
  }
  let fits: unknown = 1;
  for (let i = 0; i < 500; i++) fits = [fits];
  assertEquals(encodeJson(fits, "cart").length, 1001);
  await assertSessionError(() => encodeJson([fits], "cart"), "unserializable");
});

Deno.test("encodeJson() throws with the error as its cause, when a getter throws", async () => {
  const cause = new Error("no database");
  const throwing = {
    get price() {
      throw cause;
    },
  };
  const error = await assertSessionError(
    () => encodeJson([throwing], "cart"),
    "unserializable",
    'Cannot store "cart[0].price": its getter threw an error',
  );
  assertEquals(error.cause, cause);
  assertFalse(error.message.includes("no database"));
  const silent = await assertSessionError(
    () => encodeJson(1n, "cart"),
    "unserializable",
  );
  assertFalse("cause" in silent);
});

Deno.test("encodeJson() reads a getter once", () => {
  let reads = 0;
  const text = encodeJson({
    get n() {
      return ++reads === 1 ? 1 : NaN;
    },
  }, "k");
  assertEquals([text, reads], ['{"n":1}', 1]);
});

Deno.test("exactText() returns nothing for what JSON.stringify converts, or throws at", () => {
  class Collection extends Array<number> {
    toJSON(): number[] {
      return [1];
    }
  }
  const thrower = Object.defineProperty({}, "a", {
    enumerable: true,
    get() {
      throw new Error("never");
    },
  });
  const list = Object.setPrototypeOf([1], null);
  const rows: [what: string, value: unknown][] = [
    ["an array with its own toJSON()", Collection.of(1, 2)],
    ["a getter that throws", thrower],
    ["an array without methods", list],
    ["a Date", { at: new Date(0) }],
    ["undefined", { a: undefined }],
    ["negative zero", [-0]],
    ["not a number", [NaN]],
    ["a hole", new Array(1)],
  ];
  for (const [what, value] of rows) {
    assertEquals(exactText(value), undefined, rowName(what));
  }
  assertEquals(exactText({ a: [1, "b", null] }), '{"a":[1,"b",null]}');
});

Deno.test("encodeJson() does not put values into its messages", async () => {
  const values = [
    "hush",
    { hush: 1n }["hush"],
    Symbol("hush"),
    new Map([["hush", 1]]),
    function hush() {},
  ];
  for (const value of values.slice(1)) {
    const error = await assertSessionError(
      () => encodeJson({ a: ["hush", value] }, "k"),
      "unserializable",
      { row: rowName(value) },
    );
    assertFalse(error.message.includes("hush"), rowName(value));
  }
});
