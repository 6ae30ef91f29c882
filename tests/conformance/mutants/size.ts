import {
  type Defect,
  edit,
  isSession,
  type Mutant,
  mutant,
} from "./_mutant.ts";

/** Other rules that store as much. */
const MANY_BYTES = { "SIZE-02": "a value of many bytes is long too" };
const LONG = { ...MANY_BYTES, "SIZE-03": "a flash is in the same record" };
const WHOLE = { ...LONG, "SIZE-04": "many entries make a long record" };
const OWNER = { "OWNER-09": "one of its owners has a long name" };
const KEYS = { "SERIAL-02": "its keys together are longer" };

export const size: readonly Mutant[] = [
  mutant("SIZE-01", {
    name:
      "each value is a row, in a VARCHAR(255) that cuts it (MySQL, not strict)",
    reason:
      "a value of 1,048,576 characters: the save resolves, but it is cut to 255 characters",
    also: { ...MANY_BYTES, ...OWNER },
    // UNSET-05 looks at the size of records that are longer than this.
    without: ["inspect"],
    defect: values((text) => text.slice(0, 255)),
  }),
  mutant("SIZE-01", {
    name: "a record is a VARCHAR(1000), and the error is only logged",
    reason: "the save resolves, but it is lost",
    also: { ...WHOLE, ...OWNER, ...KEYS },
    // UNSET-05 looks at the size of records that are longer than this.
    without: ["inspect"],
    defect: dropping((text) => text.length > 1000),
  }),
  mutant("SIZE-01", {
    name: "a record is a VARCHAR(4000), and the error is only logged",
    reason: "the save resolves, but it is lost",
    also: WHOLE,
    defect: dropping((text) => text.length > 4000),
  }),
  mutant("SIZE-01", {
    name: "a record is a TEXT of MySQL, which cuts it at 65,535 bytes",
    reason: "the save resolves, but it is lost",
    also: WHOLE,
    defect: records((text) => cutBytes(text, 65_535)),
  }),
  mutant("SIZE-01", {
    name: "a session of more than 4 KB goes into a cookie that browsers drop",
    reason: "the save resolves, but it is lost",
    also: WHOLE,
    defect: dropping((text) => bytesOf(text) > 4096),
  }),
  mutant("SIZE-01", {
    name: "writes go through a queue that drops messages of more than 256 KB",
    reason: "the save resolves, but it is lost",
    also: LONG,
    defect: dropping((text) => bytesOf(text) > 262_144),
  }),
  mutant("SIZE-01", {
    name:
      "an item of more than 400 KB is refused, as by DynamoDB, and nobody looks",
    reason: "the save resolves, but it is lost",
    also: LONG,
    defect: dropping((text) => bytesOf(text) > 409_600),
  }),
  mutant("SIZE-01", {
    name: "a record is compressed, with its length in 16 bits",
    reason: "the save resolves, but it is lost",
    also: WHOLE,
    defect: records((text) =>
      text.length > 65_535 ? text.slice(0, text.length % 65_536) : text
    ),
  }),
  mutant("SIZE-01", {
    name: "the cookie has a copy of the data, however long that is",
    reason: "its cookie has more than 4,096 bytes, so browsers drop it",
    also: { ...MANY_BYTES, "SIZE-04": WHOLE["SIZE-04"] },
    defect: (at) => ({
      storage: {
        read: (value) => at.storage.read(value && value.replace(/_{3,}$/, "")),
        async save(session, options) {
          const id = await at.storage.save(session, options);
          const { length } = JSON.stringify(session.data);
          return id && id + "_".repeat(length > 3000 ? length : 0);
        },
      },
    }),
  }),
  mutant("SIZE-02", {
    name:
      "a value is checked by its characters, and a TEXT of MySQL cuts it by its bytes",
    reason: "the save resolves, but it is cut to",
    also: {
      "SERIAL-01": "it saves long texts of several bytes, too",
    },
    defect: values((text) => {
      if (text.length > 65_000) throw new RangeError("the value is too long");
      return cutBytes(text, 65_535);
    }),
  }),
  mutant("SIZE-02", {
    name: "a value is read in pieces of 1,000 bytes, each decoded by itself",
    reason: "the save resolves, but it comes back changed",
    also: {
      "SERIAL-01": "it saves long texts of several bytes, too",
    },
    defect: values((text) => {
      const bytes = new TextEncoder().encode(text);
      let out = "";
      for (let i = 0; i < bytes.length; i += 1000) {
        out += new TextDecoder().decode(bytes.subarray(i, i + 1000));
      }
      return out;
    }),
  }),
  mutant("SIZE-02", {
    name:
      "a value is a NVARCHAR(4000), which counts pairs of bytes, and is cut",
    reason: "the save resolves, but it is cut to",
    defect: values((text) => {
      if ([...text].length > 4000) {
        throw new RangeError("the value is too long");
      }
      return text.slice(0, 4000);
    }),
  }),
  mutant("SIZE-03", {
    name: "flashes are a column of 4,000 characters, which cuts each",
    reason:
      "a flash of 1,048,576 characters: the save resolves, but it is cut to 4,000 characters",
    defect: entries(8, (text) => text.slice(0, 4000)),
  }),
  mutant("SIZE-03", {
    name: "a flash of more than 64 KB is left out",
    reason: "the save resolves, but it is lost",
    defect: ({ engine }) => ({
      engine: {
        write: (key, text, options) =>
          engine.write(
            key,
            edit(text, (parts) => {
              for (const [name, flash] of Object.entries(parts[8])) {
                if (JSON.stringify(flash).length > 65_535) {
                  delete parts[8][name];
                }
              }
            }),
            options,
          ),
      },
    }),
  }),
  mutant("SIZE-04", {
    name: "the first 1,000 entries are kept, as of a form in PHP",
    reason: "10,000 keys: the save resolves, but 9,001 of them are lost",
    defect: firstEntries(1000),
  }),
  mutant("SIZE-04", {
    name: "entries are fields, and a query reads 100 of them",
    reason: "10,000 keys: the save resolves, but 9,901 of them are lost",
    defect: firstEntries(100),
  }),
  mutant("SIZE-05", {
    name: "the old record is deleted before the new one is refused",
    reason:
      "the save is refused, but the session that was stored before is lost",
    also: {
      "SIZE-01": "it looks at the stored session too",
      "SIZE-02": "it looks at the stored session too",
      "SIZE-03": "it looks at the stored session too",
      "SIZE-04": "it looks at the stored session too",
    },
    defect: ({ engine }) => ({
      engine: {
        async write(key, text, options) {
          if (isSession(text) && text.length > 60_000) {
            await engine.delete(key);
            throw new RangeError("the record is too long");
          }
          return await engine.write(key, text, options);
        },
      },
    }),
  }),
  mutant("SIZE-05", {
    name: "a session that was refused once is not written again",
    reason: "the session cannot be saved",
    defect({ engine }) {
      const refused = new Set<string>();
      return {
        engine: {
          async write(key, text, options) {
            if (isSession(text) && text.length > 60_000) {
              refused.add(key);
              throw new RangeError("the record is too long");
            }
            return refused.has(key)
              ? options.ifVersion ?? "1"
              : await engine.write(key, text, options);
          },
        },
      };
    },
  }),
];

/** Changes each value that is a text, as a row of its own would be. */
function values(change: (text: string) => string): Defect {
  return entries(7, change);
}

function entries(part: 7 | 8, change: (text: string) => string): Defect {
  return ({ engine }) => ({
    engine: {
      write: (key, text, options) =>
        engine.write(
          key,
          edit(text, (parts) => {
            for (const [name, value] of Object.entries(parts[part])) {
              // Half of a pair of surrogates is a matter of SERIAL-01.
              if (typeof value !== "string" || !value.isWellFormed()) continue;
              parts[part][name] = change(value);
            }
          }),
          options,
        ),
    },
  });
}

function firstEntries(most: number): Defect {
  return ({ engine }) => ({
    engine: {
      write: (key, text, options) =>
        engine.write(
          key,
          edit(text, (parts) => {
            const first = Object.entries(parts[7]).slice(0, most);
            parts[7] = Object.fromEntries(first);
          }),
          options,
        ),
    },
  });
}

/** Changes the text of each record. */
function records(change: (text: string) => string): Defect {
  return ({ engine }) => ({
    engine: {
      write: (key, text, options) =>
        engine.write(key, isSession(text) ? change(text) : text, options),
    },
  });
}

/** Drops a write with success. */
function dropping(when: (text: string) => boolean): Defect {
  return ({ engine }) => ({
    engine: {
      write: async (key, text, options) =>
        isSession(text) && when(text)
          ? options.ifVersion ?? "1"
          : await engine.write(key, text, options),
    },
  });
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function cutBytes(text: string, most: number): string {
  const bytes = new TextEncoder().encode(text).subarray(0, most);
  // Bytes of a character that was cut are left out.
  return new TextDecoder().decode(bytes, { stream: true });
}
