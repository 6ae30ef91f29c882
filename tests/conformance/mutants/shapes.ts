import { type Defect, edit, type Mutant, mutant } from "./_mutant.ts";

/** Values that come back in another shape: what the column, the driver or the serialiser makes of them. */
export const shapes: readonly Mutant[] = [
  ...changing("SERIAL-01", "a value comes back changed", {
    "text that looks like a number is a number, as where a hash in Redis is read":
      texts((text) => /^\d{1,15}$/.test(text) ? Number(text) : text),
    "the texts true, false and null are parsed": texts((text) =>
      ["true", "false", "null"].includes(text) ? JSON.parse(text) : text
    ),
    "text that is JSON is parsed, as by a JSON column": texts((text) =>
      /^[[{"]/.test(text) ? parsed(text) : text
    ),
    "a reviver makes dates of text": texts((text) =>
      /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(text) ? new Date(text).toString() : text
    ),
    "a byte order mark is dropped, as by TextDecoder": texts((text) =>
      text.replace(/^\ufeff/, "")
    ),
    "spaces at the end are dropped, as in a CHAR column": texts((text) =>
      text.replace(/ +$/, "")
    ),
    "text is trimmed": texts((text) => text.trim()),
    "line ends are those of Unix": texts((text) =>
      text.replace(/\r\n?/g, "\n")
    ),
    "a letter of four bytes is a question mark, as in utf8mb3 of MySQL": texts((
      text,
    ) => text.replace(/[\u{10000}-\u{10ffff}]/gu, "?")),
    "text goes through Latin-1": texts((text) =>
      text.isWellFormed() ? text.replace(/[^\0-\xff]/g, "?") : text
    ),
    "text is stored in the form NFD": texts((text) => text.normalize("NFD")),
    "numbers are FLOAT columns": each((value) =>
      typeof value === "number" ? Math.fround(value) : value
    ),
    "numbers are DECIMAL(20, 6) columns": each((value) =>
      typeof value === "number" && Math.abs(value) < 1e14
        ? Number(value.toFixed(6))
        : value
    ),
    "whole numbers are INT columns": each((value) =>
      Number.isSafeInteger(value)
        ? Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, value as number))
        : value
    ),
    "what is empty is dropped, as by Firebase": each((value) => {
      if (typeof value !== "object" || value === null) return value;
      if (Array.isArray(value)) return value;
      const full = Object.entries(value).filter(([, part]) =>
        typeof part !== "object" || part && Object.keys(part).length > 0
      );
      return Object.fromEntries(full);
    }),
    "null in a list is dropped": each((value) =>
      Array.isArray(value) ? value.filter((item) => item !== null) : value
    ),
    "lists in lists are made flat": each((value) =>
      Array.isArray(value) ? value.flat() : value
    ),
    "an object with $date is a date, as in extended JSON": each((value) =>
      isObject(value) && typeof value["$date"] === "string"
        ? value["$date"]
        : value
    ),
    "an object that looks like a Buffer is one": each((value) =>
      isObject(value) && value["type"] === "Buffer" ? value["data"] : value
    ),
  }),
  ...changing("SERIAL-05", "a value comes back changed", {
    "keys with dots are split, as by MongoDB and lodash": each((value) => {
      if (!isObject(value)) return value;
      const out: Record<string, unknown> = {};
      for (const [key, part] of Object.entries(value)) {
        const [first = "", ...rest] = key.split(".");
        const into = out[first];
        if (rest.length === 0 || first === "") out[key] = part;
        else {
          out[first] = {
            ...isObject(into) ? into : {},
            [rest.join(".")]: part,
          };
        }
      }
      return out;
    }),
    "keys that begin with $ are left out": each((value) =>
      isObject(value) && "$set" in value
        ? without(value, (key) => key.startsWith("$"))
        : value
    ),
    "an object with the keys 0 to n is a list, as in PHP and qs": each((
      value,
    ) => {
      if (!isObject(value)) return value;
      const keys = Object.keys(value);
      const isList = keys.length > 0 && keys.every((key, i) => key === `${i}`);
      return isList ? Object.values(value) : value;
    }),
    "an object with number keys is a list with gaps, as in Firebase": each((
      value,
    ) => {
      if (!isObject(value)) return value;
      const keys = Object.keys(value);
      const last = Number(keys.at(-1));
      const isList = keys.length > 0 && last < 2 * keys.length &&
        keys.every((key) => /^\d$/.test(key));
      if (!isList) {
        return value;
      }
      return Array.from({ length: last + 1 }, (_, i) => value[i] ?? null);
    }),
    "an object with a length is a list": each((value) =>
      isObject(value) && typeof value["length"] === "number"
        ? Array.from(value as unknown as ArrayLike<unknown>)
        : value
    ),
    "keys are compared without regard to case": each((value) =>
      isObject(value) && "A" in value
        ? without(value, (key) => key !== key.toLowerCase())
        : value
    ),
    "keys are camel case, as by an ORM": each((value) =>
      isObject(value)
        ? renamed(
          value,
          (key) =>
            key.replace(/([a-z])_([a-z])/g, (_, a, b) => a + b.toUpperCase()),
        )
        : value
    ),
    "keys are cut to 64 characters": each((value) =>
      isObject(value) ? renamed(value, (key) => key.slice(0, 64)) : value
    ),
    "_id and __v are left out, as by Mongoose": each((value) =>
      isObject(value)
        ? without(value, (key) => key === "_id" || key === "__v")
        : value
    ),
    "keys are trimmed": each((value) =>
      isObject(value) && " a" in value
        ? renamed(value, (key) => key.trim())
        : value
    ),
  }),
  mutant("SERIAL-02", {
    name: "entries are columns of a table, which has its own _id",
    reason: 'has() returns false for key "_id"',
    defect: keys((key) => key === "_id"),
  }),
  mutant("SERIAL-02", {
    name: "a column keeps 255 characters of a key",
    reason: "has() returns false for key",
    defect: keys((key) => key.length > 255),
  }),
  mutant("SERIAL-06", {
    name: "a text ends at a NUL, as in C",
    reason: "a value with NUL is neither rejected nor returned unchanged",
    defect: texts((text) => text.replace(/\0.*/s, "")),
  }),
  mutant("SERIAL-06", {
    name: "NUL is left out, so that PostgreSQL takes the text",
    reason: "a value with NUL is neither rejected nor returned unchanged",
    defect: texts((text) => text.replaceAll("\0", "")),
  }),
  mutant("SERIAL-06", {
    name: "a session with a NUL in a key is dropped with success",
    reason: "a key with NUL is neither rejected nor returned unchanged",
    defect: keys((key) => key.includes("\0")),
  }),
];

/** A mutant of a rule for each of many defects. */
function changing(
  rule: string,
  reason: string,
  defects: Readonly<Record<string, Defect>>,
): Mutant[] {
  return Object.entries(defects).map(([name, defect]) =>
    mutant(rule, { name, reason, defect })
  );
}

/** Changes each text of a record, in depth. */
function texts(change: (text: string) => unknown): Defect {
  return each((value) => typeof value === "string" ? change(value) : value);
}

/** Changes each value of a record, those within it first. */
function each(change: (value: unknown) => unknown): Defect {
  const deep = (value: unknown): unknown => {
    if (Array.isArray(value)) return change(value.map(deep));
    if (!isObject(value)) return change(value);
    const entries = Object.entries(value);
    return change(
      Object.fromEntries(entries.map(([key, part]) => [key, deep(part)])),
    );
  };
  return writing((entries) => {
    for (const key of ["value", "flash"]) {
      if (Object.hasOwn(entries, key)) entries[key] = deep(entries[key]);
    }
  });
}

/** Loses entries by their key. */
function keys(lost: (key: string) => boolean): Defect {
  return writing((entries) => {
    for (const key of Object.keys(entries)) if (lost(key)) delete entries[key];
  });
}

function writing(change: (entries: Record<string, unknown>) => void): Defect {
  return ({ engine }) => ({
    engine: {
      write: (key, text, options) =>
        engine.write(
          key,
          edit(text, (parts) => {
            for (const i of [7, 8]) change(parts[i]);
          }),
          options,
        ),
    },
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function without(
  value: Record<string, unknown>,
  left: (key: string) => boolean,
): Record<string, unknown> {
  const kept = Object.entries(value).filter(([key]) => !left(key));
  return Object.fromEntries(kept);
}

function renamed(
  value: Record<string, unknown>,
  name: (key: string) => string,
): Record<string, unknown> {
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, part]) => [name(key), part]));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
