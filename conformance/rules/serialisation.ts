/**
 * SERIAL: a value is returned unchanged, or refused; it is never changed silently.
 *
 * @module
 */
import { alike } from "../trial/alike.ts";
import { Violation } from "../trial/port.ts";
import type { Trial } from "../trial/trial.ts";
import type { VisitorRequest } from "../trial/visitor.ts";
import { JSON_VALUES, KEYS, NESTED_KEYS } from "./support/json_values.ts";
import { WITH_NUL } from "./support/nul_texts.ts";
import { must, type Rule } from "./support/rule.ts";

export const serialisation: readonly Rule[] = [
  must("SERIAL-01", {
    sentence:
      "Every JSON value is returned unchanged, as a value and as a flash.",
    why:
      "Otherwise text that the visitor typed, in any script, comes back changed or is lost.",
    async check(t) {
      const values = structuredClone([...JSON_VALUES, nested(100)]);
      for (let i = 0; i < t.runs; i++) values.push(someJson(t));
      for (const value of t.cases(t.random.shuffle(values))) {
        if (value === null && t.exemptsPart("SERIAL-01")) continue;
        await comesBack(t, value);
      }
    },
  }),
  must("SERIAL-02", {
    sentence:
      "Every string can be a key, and different strings are different keys.",
    why: "Otherwise a value is lost, or is returned for another key.",
    async check(t) {
      const keys = new Set(KEYS);
      for (let i = 0; i < t.runs; i++) keys.add(t.random.text());
      const list = [...keys].slice(0, 120);
      // A cookie does not have room for all of them. Keys that are alike are close to each other.
      for (let i = 0; i < list.length; i += 40) {
        await keepsKeys(t, list.slice(i, i + 40));
      }
    },
  }),
  must("SERIAL-03", {
    sentence:
      "A value that the storage cannot store is rejected, never silently changed.",
    why:
      "A date that becomes text, or a NaN that becomes null, causes an error far from the code that stored it.",
    async check(t) {
      for (const [name, make, carried = false] of VALUES) {
        const visitor = await t.visitor();
        const request = await visitor.request();
        const value = make();
        try {
          request.set("value", value);
          await request.save();
        } catch (error) {
          if (!(error instanceof Violation)) throw error;
          if (!carried) continue;
          throw new Violation(`${name} is rejected`, undefined, error.cause);
        }
        const next = await visitor.request();
        t.ok(
          alike(next.get("value"), value),
          `${name} is neither rejected nor returned unchanged`,
        );
      }
    },
  }),
  must("SERIAL-04", {
    sentence:
      "A save that rejects a value does not change the stored record, and sends no cookie.",
    why:
      "A value that cannot be stored must not cost the visitor the whole session.",
    async check(t) {
      const make = await findRefused(t);
      const works: ((r: VisitorRequest) => void)[] = [
        (r) => r.set("visits", 2),
        (r) => r.unset("userId"),
        (r) => {
          const able = typeof r.session.regenerateId === "function";
          able ? r.regenerate() : r.set("visits", 2);
        },
      ];
      for (const work of works) {
        const visitor = await t.visitor();
        await visitor.visit((r) => r.set("userId", "u1"));
        const before = await visitor.storage.records();
        const { cookie } = visitor;
        const failing = await visitor.request();
        work(failing);
        await t.rejects(async () => {
          failing.set("bad", make());
          await failing.save();
        }, "the value is not rejected this time");
        t.ok(visitor.cookie === cookie, "the rejected save sends a cookie");
        const after = await visitor.storage.records();
        t.ok(
          alike(after && [...after], before && [...before]),
          "the rejected save changed the stored records",
        );
        const next = await visitor.request();
        t.equal(next.get("userId"), "u1", "the rejected save changed a value");
        t.ok(!next.has("visits"), "the rejected save stored a value");
        t.ok(!next.has("bad"), "the rejected save stored the value");
      }
      const storage = await t.open({});
      const fresh = await t.visitor(storage);
      const first = await fresh.request();
      await t.rejects(async () => {
        first.set("userId", "u1");
        first.set("bad", make());
        await first.save();
      }, "the value is not rejected this time");
      t.equal(await storage.count() ?? 0, 0, "the rejected save left a record");
    },
  }),
  must("SERIAL-05", {
    since: "2026.2",
    sentence:
      "Every string can be a key of an object inside a value; an object stays an object, and a list stays a list.",
    why:
      "MongoDB splits keys at dots and refuses $; PHP, qs and Firebase turn an object with the keys 0 to n into a list. A cart by product number then comes back with other products.",
    async check(t) {
      for (const value of t.cases(t.random.shuffle(NESTED_KEYS))) {
        await comesBack(t, value);
      }
    },
  }),
  must("SERIAL-06", {
    since: "2026.2",
    sentence:
      "A text or key with the character NUL is returned unchanged, or the save rejects and leaves the stored session as it was.",
    why:
      "PostgreSQL's text and jsonb refuse NUL, and C libraries end a text there. If the rest is cut silently, half of what the visitor sent is lost.",
    async check(t) {
      for (const [what, put, find] of WITH_NUL) {
        const visitor = await t.visitor();
        await visitor.visit((r) => r.set("userId", "u1"));
        const { cookie } = visitor;
        const request = await visitor.request();
        const refused = await t.refuses(async () => {
          put(request);
          await request.save();
        });
        const next = await visitor.request();
        t.equal(
          next.get("userId"),
          "u1",
          `${what} with NUL costs the visitor another value`,
        );
        t.ok(
          !refused || visitor.cookie === cookie,
          `${what} with NUL is refused, but the save sends a cookie`,
        );
        t.equal(
          find(next),
          refused ? undefined : "kept",
          refused
            ? `${what} with NUL is refused, but stored in part`
            : `${what} with NUL is neither rejected nor returned unchanged`,
        );
      }
    },
  }),
];

/** Fails unless keys are found again, as keys of values and of flashes. */
async function keepsKeys(t: Trial, keys: readonly string[]): Promise<void> {
  const values = await t.visitor();
  const flashes = await t.visitor();
  await values.visit((r) => keys.forEach((key, i) => r.set(key, i)));
  await flashes.visit((r) => keys.forEach((key, i) => r.flash(key, i)));
  const value = await values.request();
  const flash = await flashes.request();
  for (const [i, key] of keys.entries()) {
    t.ok(
      value.has(key),
      `has() returns false for key ${JSON.stringify(key)}`,
    );
    t.equal(value.get(key), i, `key ${JSON.stringify(key)} is lost`);
    t.equal(flash.get(key), i, `flash ${JSON.stringify(key)} is lost`);
  }
}

/** Fails unless a value is returned unchanged, as a value and as a flash. */
async function comesBack(t: Trial, value: unknown): Promise<void> {
  const visitor = await t.visitor();
  await visitor.visit((r) => {
    r.set("value", value);
    r.flash("flash", value);
  });
  const next = await visitor.request();
  for (const key of ["value", "flash"]) {
    const got = next.get(key);
    if (alike(got, value)) continue;
    throw new Violation(`a ${key} comes back changed`, { got, want: value });
  }
}

/** JSON that is small enough for every storage. */
function someJson(t: Trial): unknown {
  for (let depth = 3;; depth--) {
    const value = t.random.json(depth);
    if (JSON.stringify(value).length < 500 || depth === 0) return value;
  }
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { a: value };
  return value;
}

class Money {
  readonly cents: number = 5;
}

/** Values that JSON cannot represent, or only with care; `true` as the third item: it must not be rejected. */
const VALUES: readonly (readonly [string, () => unknown, boolean?])[] = [
  ["a BigInt", () => 10n],
  ["NaN", () => NaN],
  ["Infinity", () => [-Infinity]],
  ["a Date", () => new Date(1e12)],
  ["a nested Date", () => ({ at: [new Date(1e12)] })],
  ["a Map", () => new Map([["a", 1]])],
  ["a Set", () => new Set([1])],
  ["a RegExp", () => /a/g],
  ["bytes", () => new Uint8Array([1, 2])],
  ["an Error", () => new Error("no")],
  ["a function", () => () => 1],
  ["a function in an object", () => ({ a: 1, f: () => 1 })],
  ["a symbol", () => Symbol("s")],
  ["a symbol as a key", () => ({ [Symbol.for("s")]: 1 })],
  ["undefined in an array", () => [1, undefined]],
  ["undefined in an object", () => ({ a: undefined })],
  ["a hole", () => Object.assign([], { length: 2, 1: "b" })],
  ["an array with a name", () => Object.assign([1], { name: "list" })],
  ["an instance of a class", () => new Money()],
  ["a boxed string", () => Object("text")],
  ["an object with toJSON", () => ({ a: 1, toJSON: () => 2 })],
  ["a getter that throws", () => ({
    get a(): never {
      throw new Error("no");
    },
  })],
  ["a cycle", () => {
    const list: unknown[] = [];
    list.push({ list });
    return list;
  }],
  ["a value nested 100,000 deep", () => nested(100_000)],
  // Made from its number, because the coverage of Deno 2.9 panics on such a key in the source.
  ["a lone surrogate", () => {
    const [lead, trail] = [0xd800, 0xdc00].map((c) => String.fromCharCode(c));
    return [lead, { [trail as string]: `a${trail}b` }];
  }, true],
];

/** A value that the storage rejects. */
async function findRefused(t: Trial): Promise<() => unknown> {
  const wanted = ["a function", "a BigInt", "a symbol", "a getter that throws"];
  for (const [name, make] of VALUES) {
    if (!wanted.includes(name)) continue;
    const request = await (await t.visitor(await t.open({}))).request();
    try {
      request.set("bad", make());
      await request.save();
    } catch (error) {
      if (error instanceof Violation) return make;
      throw error;
    }
  }
  t.notApplicable("it does not reject any value");
}
