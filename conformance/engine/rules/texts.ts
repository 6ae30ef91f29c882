import { must } from "../rule.ts";
import { settled } from "../../rules/support/head_starts.ts";
import type { DraftedRule } from "../rule.ts";
import type { EngineTrial } from "../engine_trial.ts";
import type { OpenEngine } from "../open_engine.ts";
import { randomKey } from "../engine_trial.ts";

/** The largest value that is tried, in bytes. */
const A_MEGABYTE = 1024 * 1024;

/** Around the sizes of columns: VARCHAR(255), (1000), (4000), TEXT of MySQL, rows of DynamoDB, items of Memcached. */
const SIZES = [
  ...[255, 256, 1000, 1001, 1024, 4000, 4001, 8192],
  ...[65_535, 65_536, 100_000, 400_000, A_MEGABYTE],
];

/** Values and keys, byte by byte. */
export const texts: readonly DraftedRule[] = [
  must("ENGINE-07", {
    sentence:
      "A value comes back character by character: quotes, escapes, wildcards, spaces at its ends, a byte-order mark inside, every script.",
    why:
      "A record that comes back changed cannot be decoded, and its visitor is signed out.",
    async check(e, a) {
      const cases = e.random.shuffle(Object.entries(TEXTS));
      for (const [name, value] of e.trial.cases(cases)) {
        const key = e.key();
        const expires = e.soon;
        await a.write(key, value, { expires });
        await e.holds(a, key, { value, expires }, `a text ${name} is changed`);
      }
    },
  }),
  must("ENGINE-08", {
    sentence:
      "A value of 1 KB to 1 MB comes back whole, up to `guarantees.maxBytes` in UTF-8. A write that is refused leaves the old record as it was.",
    why:
      "A text that is cut off is a lost session. If the largest size is declared, the visitor's change is refused with an error that names the largest keys.",
    async check(e, a) {
      const { maxBytes } = a.engine.guarantees ?? {};
      const largest = Math.min(maxBytes ?? A_MEGABYTE, A_MEGABYTE);
      const sizes = [...SIZES.filter((size) => size < largest), largest];
      const cases = Object.entries(CHARACTERS).flatMap(([name, character]) =>
        sizes.map((bytes) => ({ name, character, bytes }))
      );
      // The largest first: if it comes back whole, the others are likely to.
      const order = e.random.shuffle(cases).sort((one, other) =>
        Number(other.bytes === largest) - Number(one.bytes === largest)
      );
      for (const { name, character, bytes } of e.trial.cases(order)) {
        const value = textOf(bytes, character);
        await isStored(e, a, value, `${bytes} bytes of ${name}`);
      }
    },
  }),
  must("ENGINE-09", {
    sentence:
      "Two keys are the same only if they are equal in every character, in their case too.",
    why:
      "Keys are hashes in base64url. If a database ignores their case, or takes `_` for a wildcard, one visitor gets another's session.",
    async check(e, a) {
      const keys = keysAlike(e);
      const wanted = keys.map((_, i) => ({ value: `[${i}]`, expires: e.soon }));
      const at = (i: number) => wanted[i] as typeof wanted[number];
      // Each step is one for all keys, because an engine can be slow.
      const forAll = (step: (key: string, i: number) => Promise<unknown>) =>
        settled(keys.map(step));
      await forAll((key, i) =>
        a.write(key, at(i).value, { expires: at(i).expires })
      );
      const mixed = "a key finds the record of another";
      await forAll((key, i) => e.holds(a, key, at(i), mixed));
      const what = "a change by one key reaches the record of another";
      if (e.has("touch", a)) {
        await forAll(async (key, i) => {
          if (!CHANGED.includes(i)) return;
          wanted[i] = { ...at(i), expires: e.soon };
          await a.touch(key, at(i).expires);
        });
        await forAll((key, i) => e.holds(a, key, at(i), what));
      }
      await forAll(async (key, i) =>
        CHANGED.includes(i) && await a.delete(key)
      );
      await forAll((key, i) =>
        e.holds(a, key, CHANGED.includes(i) ? null : at(i), what)
      );
    },
  }),
];

/** Texts that databases, drivers and clients are known to change. */
const TEXTS: Readonly<Record<string, string>> = {
  "with quotes": `["it's", "\\"", "\`", "''"]`,
  "with backslashes": '["\\\\n", "C:\\\\temp", "\\\\"]',
  "with wildcards": '["100%", "a_b", "*", "[x]", "?", "^"]',
  "with placeholders": '["$1", "?", ":name", "@p1", "%s", "{0}", "${x}", "$&"]',
  "with spaces at its ends": "  [1]  ",
  "with a byte-order mark inside": '["a\ufeffb"]',
  "in several scripts": '["Ünï", "日本語", "עברית", "हिन्दी", "ไทย"]',
  "with emoji": '["😀", "👩‍👩‍👧", "🇫🇷"]',
  "in two forms of one letter": '["\u00e9", "e\u0301", "\u212b", "Å"]',
  "with line separators": '["\u2028", "\u2029", "\u0085"]',
  "with characters that are not assigned": '["\uffff", "\u{10ffff}", "\u007f"]',
  "that is a number": "1e3",
  "that is a long number": "12345678901234567890",
  "that is JSON": '{"0":"a","1":"b"}',
  "that is JSON with spaces": '{ "a" : [ 1 , 2 ] }',
  "that is a word of JSON": "null",
  "that is a word of SQL": "NULL'); DROP TABLE sessions; --",
  "with markup": '["<b>&amp;</b>", "%41", "a+b"]',
  "of one character": ">",
};

/** Characters of one to four bytes in UTF-8, and how many UTF-16 units the letter takes. */
const CHARACTERS: Readonly<Record<string, string>> = {
  "one-byte text": "a",
  "two-byte text": "é",
  "four-byte text": "😀",
};

/** A text of exactly so many bytes, whose every part is different. */
function textOf(bytes: number, character: string): string {
  const size = new TextEncoder().encode(character).length;
  let left = bytes - 2;
  const parts: string[] = [];
  for (let i = 0; left >= 100; i++) {
    const number = `${i},`;
    const many = Math.floor((100 - number.length) / size);
    parts.push(number, character.repeat(many));
    left -= number.length + many * size;
  }
  parts.push(character.repeat(Math.floor(left / size)));
  parts.push("-".repeat(left % size));
  return `[${parts.join("")}]`;
}

async function isStored(
  e: EngineTrial,
  a: OpenEngine,
  value: string,
  what: string,
): Promise<void> {
  const key = e.key();
  const before = { value: "[0]", expires: e.soon };
  await a.write(key, before.value, { expires: before.expires });
  const expires = e.soon;
  // The engine's limit is data. Within it, nothing is too large.
  const { maxBytes } = a.engine.guarantees ?? {};
  const refused = await refusal(() => a.write(key, value, { expires }));
  if (refused !== undefined) {
    await e.holds(a, key, before, `a refused write of ${what} left its mark`);
    e.trial.ok(
      false,
      maxBytes === undefined
        ? `${what} are refused, and guarantees.maxBytes does not say so: ${refused}`
        : `${what} are refused, although guarantees.maxBytes is ${maxBytes}: ${refused}`,
    );
  }
  await e.holds(a, key, { value, expires }, `${what} do not come back whole`);
  await a.delete(key);
}

async function refusal(
  call: () => Promise<unknown>,
): Promise<string | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "Violation") {
      return error.message;
    }
    throw error;
  }
}

/** The keys that are changed while the others must stay as they are. */
const CHANGED = [1, 4, 5, 6, 7, 9];

/** Keys that a careless comparison takes for one another. */
function keysAlike(e: EngineTrial): string[] {
  const letters = `aB${randomKey().replaceAll(/[-_]/g, "x").slice(2)}`;
  const put = (at: number, character: string) =>
    letters.slice(0, at) + character + letters.slice(at + 1);
  const swapped = letters.replaceAll(
    /[a-z]/gi,
    (letter) =>
      letter === letter.toLowerCase()
        ? letter.toUpperCase()
        : letter.toLowerCase(),
  );
  const digits = Array.from(randomKey(), (c) => c.charCodeAt(0) % 10).join("");
  const other = (letter: string | undefined) => letter === "m" ? "n" : "m";
  const named: [string, string][] = [
    ["letters and digits", letters],
    ["as key 1, in the other case", swapped],
    ["as key 1, with another last letter", put(42, other(letters[42]))],
    ["as key 1, with another first letter", put(0, other(letters[0]))],
    ["as key 1, with _ in the middle", put(21, "_")],
    ["as key 1, with - in the middle", put(21, "-")],
    ["as key 1, with _ at the start", put(0, "_")],
    ["as key 1, with - at the start", put(0, "-")],
    ["digits", `1${digits.slice(1, -1)}1`],
    ["digits, with another last digit", `1${digits.slice(1, -1)}2`],
    ["digits, with 0 at the start", `0${digits.slice(1, -1)}1`],
  ];
  return named.map(([label, key]) => e.key(key, label));
}
