/**
 * SIZE: a session of any size is returned whole, or its save is refused; nothing is dropped or cut silently.
 *
 * @module
 */
import { must, type Rule } from "./support/rule.ts";
import {
  findRefused,
  inWords,
  keepsOrRefuses,
  manyLoad,
  savesAgain,
  SIZES,
  textLoad,
} from "./support/sizes.ts";

export const size: readonly Rule[] = [
  must("SIZE-01", {
    since: "2026.2",
    sentence:
      "A value from 255 bytes to 1 MB is returned whole, or the save rejects, sends no cookie and leaves the stored session as it was.",
    why:
      "A column that is too short cuts a cart in the middle, and a browser drops a cookie over 4 KB. If the save resolves, nobody notices until the visitor complains.",
    async check(t) {
      for (const size of t.cases(SIZES, { atLeast: 8 })) {
        const text = t.random.word(size);
        const load = textLoad("value", text, `${inWords(size)} characters`);
        await keepsOrRefuses(t, load);
      }
    },
  }),
  must("SIZE-02", {
    since: "2026.2",
    sentence:
      "A value of characters that take several bytes is returned whole, or the save rejects, at every size.",
    why:
      "VARCHAR(n) counts characters and MySQL's TEXT counts bytes. A limit that is checked in the wrong unit cuts the names and messages of visitors who do not write in English.",
    async check(t) {
      for (const [text, size] of t.cases(multiByteTexts(), { atLeast: 8 })) {
        await keepsOrRefuses(t, textLoad("value", text, size));
      }
    },
  }),
  must("SIZE-03", {
    since: "2026.2",
    sentence:
      "A flash from 255 bytes to 1 MB is returned whole, or the save rejects.",
    why:
      "A flash may be stored apart from the values. A list of errors of a long form is lost, and the visitor does not see why the form was refused.",
    async check(t) {
      for (const size of t.cases(SIZES, { atLeast: 8 })) {
        const text = t.random.word(size);
        const load = textLoad("flash", text, `${inWords(size)} characters`);
        await keepsOrRefuses(t, load);
      }
    },
  }),
  must("SIZE-04", {
    since: "2026.2",
    sentence:
      "A session with up to 10,000 small entries is returned whole, or the save rejects.",
    why:
      "A storage with a row or a field for each entry may write them in batches, or stop at a limit of the engine. The rest is lost.",
    async check(t) {
      const counts = [10_000, 1_001, 257, 101, 33, 1_500, 3_000];
      for (const count of t.cases(counts, { atLeast: 3 })) {
        await keepsOrRefuses(t, manyLoad(count));
      }
    },
  }),
  must("SIZE-05", {
    since: "2026.2",
    sentence:
      "After a save that was refused for its size, the stored session is unchanged, and a smaller change can be saved.",
    why:
      "A storage that deletes the old record before it writes the new one signs the visitor out because of one long text.",
    async check(t) {
      let tried = false;
      for (const kind of ["value", "flash"] as const) {
        const load = await findRefused(t, kind);
        if (load) await savesAgain(t, load);
        tried ||= load !== undefined;
      }
      if (!tried) t.notApplicable("it stores 1 MB, and no save was refused");
    },
  }),
];

/** Texts around the usual limits, by their characters and by their bytes, and their sizes in words. */
function multiByteTexts(): [text: string, size: string][] {
  const out: [string, string][] = [];
  for (const [letter, bytes] of LETTERS) {
    for (const most of [65_535, 4_000, 1_000, 255, 262_144]) {
      // Just over the limit in bytes, and far below it in characters; just over it in units of UTF-16; in characters.
      const units = [bytes, letter.length, 1];
      for (const each of new Set(units)) {
        const count = Math.ceil(most / each) + 1;
        // One to three letters of one byte, so that a cut falls inside a character.
        const head = "abc".slice(0, count % 3 + 1);
        const text = head + letter.repeat(count);
        const size = `${inWords(head.length + count)} characters and ${
          inWords(head.length + count * bytes)
        } bytes`;
        out.push([text, size]);
      }
    }
  }
  return out;
}

/** Letters that take 2, 3 and 4 bytes in UTF-8. */
const LETTERS: readonly (readonly [letter: string, bytes: number])[] = [
  ["é", 2],
  ["語", 3],
  ["😀", 4],
];
