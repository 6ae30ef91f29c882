import {
  type Bench,
  GUARANTEES,
  type Mutant,
  mutant,
  sharing,
  writing,
} from "../_mutant.ts";
import type { Engine } from "../../../../mod.ts";

export const texts: readonly Mutant[] = [
  ...Object.entries<(value: string) => string>({
    "CHAR columns lose the spaces at their end": (value) => value.trimEnd(),
    "characters that nobody sees are removed": (value) =>
      value.replaceAll(/[\u200b\ufeff]/g, ""),
    "a text is compared and stored in one normal form": (value) =>
      value.normalize("NFC"),
    "a JSONB column writes the JSON in its own way": (value) => {
      try {
        return JSON.stringify(JSON.parse(value));
      } catch {
        return value;
      }
    },
    "a backslash is an escape in the SQL text (MySQL)": (value) =>
      value.replaceAll(/\\(.)/g, "$1"),
    "a list turns into an object and back, without its type (PHP)": (value) =>
      value.replace(/^\{"0":"a","1":"b"\}$/, '["a","b"]'),
    "the text goes through a template, which knows $&": (value) =>
      "?".replace("?", value),
    "the text is a parameter of a URL, decoded once too often": (value) =>
      value.replaceAll("%41", "A"),
  }).map(([name, change]) =>
    mutant("ENGINE-07", {
      name,
      reason: "is changed: it ",
      defect: (at) => writing(at, (value) => ({ value: change(value) })),
    })
  ),
  mutant("ENGINE-07", {
    name: "the column is utf8mb3, and an emoji is stored as ?",
    reason: "is changed: it ",
    also: { "ENGINE-08": "a third of its texts consists of emoji" },
    defect: (at) =>
      writing(at, (value) => ({
        value: value.replaceAll(/[\u{10000}-\u{10ffff}]/gu, "?"),
      })),
  }),
  ...[255, 1000, 4000, 65_535].map((most) =>
    mutant("ENGINE-08", {
      name: `the column has room for ${most} characters, and the rest is cut`,
      reason: `do not come back whole: it has ${most} characters instead of`,
      defect: (at) => writing(at, (value) => ({ value: value.slice(0, most) })),
    })
  ),
  mutant("ENGINE-08", {
    name: "a column of 64 KB is measured in bytes, and cut in a character",
    reason: "do not come back whole",
    defect: (at) => writing(at, (value) => ({ value: cut(value, 65_535) })),
  }),
  mutant("ENGINE-08", {
    name: "a queue drops rows over 4 KB, and says that they were written",
    reason: "do not come back whole: it has 3 characters instead of",
    defect: ({ engine }) => ({
      async write(key, value, options) {
        return value.length > 4096
          ? 7
          : await engine.write(key, value, options);
      },
    }),
  }),
  mutant("ENGINE-08", {
    name: "its limit is 400 KB, and it does not say so",
    reason:
      "are refused, and guarantees.maxBytes does not say so: write() rejected: Error: Item size has exceeded the maximum",
    defect: (at) => {
      const { maxBytes: _, ...guarantees } = GUARANTEES;
      return { guarantees, ...refusing(at, async () => {}) };
    },
  }),
  mutant("ENGINE-08", {
    name:
      "the limit that it declares is the packet's, and the row has less room",
    reason: "are refused, although guarantees.maxBytes is 2097152",
    defect: (at) => refusing(at, async () => {}),
  }),
  mutant("ENGINE-08", {
    name: "a write deletes the row first, and then the new one is refused",
    reason: "left its mark",
    defect: (at) =>
      refusing(at, async (key) => void await at.engine.delete(key)),
  }),
  ...Object.entries<(key: string) => string>({
    "the collation of the key ignores case": (key) => key.toLowerCase(),
    "the column of the key is VARCHAR(42)": (key) => key.slice(0, 42),
    "the key is a file's name, and - is replaced": (key) =>
      key.replaceAll("-", "_"),
    "a key of digits is a number (SQLite's affinity)": (key) =>
      /^\d+$/.test(key) ? String(Number(key)) : key,
  }).map(([name, change]) =>
    mutant("ENGINE-09", {
      name,
      reason: "a key finds the record of another",
      defect: (at) => {
        const { engine } = at;
        const names = sharing(at, "names", () => new Map<string, string>());
        return {
          read: (key) => engine.read(change(key)),
          write(key, value, options) {
            names.set(change(key), key);
            return engine.write(change(key), value, options);
          },
          delete: (key, options) => engine.delete(change(key), options),
          touch: (key, expires, options) =>
            engine.touch(change(key), expires, options),
          owned: async (owner) =>
            (await engine.owned(owner)).map((record) => ({
              ...record,
              key: names.get(record.key) ?? record.key,
            })),
          move(key, value, { from, ...options }) {
            names.set(change(key), key);
            const own = { ...from, key: change(from.key) };
            return engine.move(change(key), value, { ...options, from: own });
          },
          deleteOwned: (owner, key, options) =>
            engine.deleteOwned(owner, change(key), {
              ...options,
              beside: change(options.beside),
            }),
        };
      },
    })
  ),
  ...(["delete", "touch"] as const).map((method) =>
    mutant("ENGINE-09", {
      name: `${method} finds the row with LIKE`,
      reason: "a change by one key reaches the record of another",
      defect: (at) => likeIn(at, method),
    })
  ),
];

function cut(value: string, bytes: number): string {
  const start = new TextEncoder().encode(value).slice(0, bytes);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(start);
}

/** Texts over 400 KB are refused. */
function refusing(
  { engine }: Bench,
  before: (key: string) => Promise<void>,
): Pick<Engine, "write"> {
  return {
    async write(key, value, options) {
      if (value.length > 200 * 1024) {
        await before(key);
        throw new Error("Item size has exceeded the maximum allowed size");
      }
      return await engine.write(key, value, options);
    },
  };
}

/** A key is a pattern, in which `_` matches any character. */
function likeIn(at: Bench, method: "delete" | "touch"): Partial<Engine> {
  const { engine } = at;
  const keys = sharing(at, "keys", () => new Set<string>());
  const found = (key: string) => {
    const pattern = new RegExp(`^${key.replaceAll("_", ".")}$`);
    return [...keys].filter((other) => other !== key && pattern.test(other));
  };
  return {
    write(key, value, options) {
      keys.add(key);
      return engine.write(key, value, options);
    },
    async delete(key, options) {
      const others = method === "delete" && !options ? found(key) : [];
      for (const other of others) await engine.delete(other);
      return await engine.delete(key, options);
    },
    async touch(key, expires, options) {
      const others = method === "touch" && !options ? found(key) : [];
      for (const other of others) await engine.touch(other, expires);
      return await engine.touch(key, expires, options);
    },
  };
}
