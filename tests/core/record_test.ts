import { assert, assertEquals } from "@std/assert";
import {
  decodeRecord,
  decodeRecordLife,
  encodeRecord,
  encodeTexts,
  parseJson,
  storedTexts,
} from "../../core/record.ts";
import type { StoredLifetime } from "../../core/lifetime.ts";
import { rowName } from "../_row.ts";

Deno.test("parseJson() refuses a number that is out of range, wherever it is and however it is written", () => {
  const nines = (n: number) => "9".repeat(n);
  for (
    const number of [
      "1e309",
      "-1E+309",
      "1.5e0400",
      nines(309),
      `-${nines(400)}`,
      `${nines(250)}e70`,
      `${nines(211)}e99`,
      `${nines(309)}.5`,
    ]
  ) {
    for (let before = 0; before < 130; before++) {
      const text = `["${"x".repeat(before)}",${number}]`;
      const row = rowName(number.slice(0, 8), before);
      assertEquals(parseJson(text), undefined, row);
    }
    assertEquals(parseJson(number), undefined, rowName(number));
  }
});

Deno.test("parseJson() accepts large numbers and digits in texts", () => {
  for (
    const text of [
      "1e308",
      "-1.7976931348623157E+308",
      "1e-400",
      "9".repeat(308),
      `"${"9".repeat(1000)}"`,
      `"1e999"`,
      JSON.stringify(Array.from({ length: 300 }, (_, i) => 10 ** (i % 15))),
    ]
  ) {
    assertEquals(parseJson(text), JSON.parse(text), rowName(text));
  }
  assertEquals(parseJson("{"), undefined);
});

Deno.test("decodeRecord() ignores what the application has added to all objects", () => {
  const entries = {
    values: encodeTexts([["cart", { items: [{ id: 1 }] }]]),
    flashes: encodeTexts([]),
    tags: new Map([["note", "tag1"]]),
  };
  const life = { created: 1, saved: 1, lifetime: null, span: 1 };
  const text = encodeRecord("", { ...life, entries, expires: 2 });
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  for (const added of [() => {}, {}, NaN, Infinity]) {
    prototype["added"] = added;
    try {
      const { values, tags } = decodeRecord("", text) ?? {};
      assert(values && tags, rowName(String(added)));
      assert(Object.hasOwn(values, "cart"), rowName(String(added)));
    } finally {
      delete prototype["added"];
    }
  }
});

Deno.test("decodeRecordLife() and decodeRecord() agree on every life", () => {
  const entries = {
    values: encodeTexts([["a", "],{"], ["b", [1]]]),
    flashes: encodeTexts([]),
  };
  const key = "k".repeat(43);
  const instants = [0, -1, 1_795_956_000_123, 1.5, 8.64e15, -8.64e15];
  const lifetimes: StoredLifetime[] = [null, 0, 60_000, 0.5, [5], [-1.5]];
  for (const created of instants) {
    for (const lifetime of lifetimes) {
      for (const authenticated of [undefined, ...instants]) {
        for (const span of [0, 1e300, 1_209_600_000]) {
          const draft = {
            ...{ created, saved: -created, lifetime, span, authenticated },
            ...{ expires: 0, entries },
          };
          const text = encodeRecord(key, draft);
          const record = decodeRecord(key, text);
          const { values: _, flashes: __, tags: ___, owner: ____, ...life } = {
            tags: {},
            ...record,
          };
          const row = rowName(text);
          assertEquals<unknown>(
            decodeRecordLife(text),
            record && life,
            row,
          );
        }
      }
    }
  }
});

Deno.test("decodeRecordLife() refuses what a life cannot be", () => {
  for (
    const text of [
      "",
      "[]",
      "{}",
      '[1,"kkkkkkkk",1,1,null,1,null,{},{},{},null]',
      '[2,"kkkkkkkk",01,1,null,1,null,{},{},{},null]',
      '[2,"kkkkkkkk",1,1,[1,null,1,null,{},{},{},null]',
      '[2,"kkkkkkkk",1,1,1],1,null,{},{},{},null]',
      '[2,"kkkkkkkk",1,1,null,-1,null,{},{},{},null]',
      '[2,"kkkkkkkk",1,1,-1,1,null,{},{},{},null]',
      '[2,"kkkkkkkk",9999999999999999,1,null,1,null,{},{},{},null]',
      '[2,"kkkkkkkk",1,1,null,1,',
    ]
  ) {
    assertEquals(decodeRecordLife(text), undefined, rowName(text));
  }
});

Deno.test("storedTexts() finds each entry's text, whatever is escaped in keys and values", () => {
  const parts = ['"', "\\", "{", "}", "[", "]", ",", ":", "é", "\n", "a"];
  const texts = parts.flatMap((a) =>
    parts.flatMap((b) => parts.map((c) => a + b + c))
  );
  for (const [i, key] of texts.entries()) {
    const value = texts[texts.length - 1 - i] as string;
    const values = encodeTexts([
      [key, value],
      ["list", [value, { [value]: [key] }, []]],
      [key + value, i],
    ]);
    const flashes = encodeTexts([[value, { [key]: value }]]);
    const life = { created: 1, saved: 1, lifetime: null, span: 1 };
    const draft = { ...life, entries: { values, flashes }, expires: 2 };
    const found = storedTexts(encodeRecord("", draft));
    assertEquals(found?.values, values, rowName(key, value));
    assertEquals(found?.flashes, flashes, rowName(key, value));
  }
});

Deno.test("storedTexts() returns undefined and ends, when a text is cut anywhere", () => {
  const values = encodeTexts([['a\\"', ["\\", '"', { b: "c" }]], ["d", 1]]);
  const flashes = encodeTexts([["e", "\\"]]);
  const life = { created: 1, saved: 1, lifetime: null, span: 1 };
  const draft = { ...life, entries: { values, flashes }, expires: 2 };
  const text = encodeRecord("", draft);
  const end = text.lastIndexOf(",{},null]");
  for (let length = 0; length < end; length++) {
    let found: unknown;
    try {
      found = storedTexts(text.slice(0, length));
    } catch (error) {
      assert(error instanceof SyntaxError, rowName(length));
    }
    assertEquals(found, undefined, rowName(length));
  }
});
