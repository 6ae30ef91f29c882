import { type Bench, type Mutant, mutant, sharing } from "../_mutant.ts";
import type { Engine } from "../../../../mod.ts";

export const races: readonly Mutant[] = [
  mutant("ENGINE-18", {
    name: "the version is compared by a SELECT, and then the UPDATE follows",
    reason: "of 8 parallel writes that expect the same version, 8 succeed",
    also: {
      "ENGINE-20": "a delete may come between the two",
      "ENGINE-33": "a move may come between the two",
    },
    defect: ({ engine }) => ({
      async write(key, value, { ifVersion, ...options }) {
        if (ifVersion === undefined || ifVersion === null) {
          return await engine.write(key, value, { ...options, ifVersion });
        }
        const old = await engine.read(key);
        if (old?.version !== ifVersion) return null;
        await null;
        return await engine.write(key, value, options);
      },
    }),
  }),
  mutant("ENGINE-18", {
    name: "a lock in the process keeps its own requests apart, and no others",
    reason: "of 8 parallel writes that expect the same version, 2 succeed",
    also: {
      "ENGINE-20": "its calls come from two instances",
      "ENGINE-33": "a move does not take the lock",
    },
    defect: (at) => {
      let last: Promise<unknown> = Promise.resolve();
      const { engine } = at;
      return {
        async write(key, value, { ifVersion, ...options }) {
          if (ifVersion === undefined || ifVersion === null) {
            return await engine.write(key, value, { ...options, ifVersion });
          }
          const turn = last.then(async () => {
            const old = await engine.read(key);
            if (old?.version !== ifVersion) return null;
            await null;
            return await engine.write(key, value, options);
          });
          last = turn;
          return await turn;
        },
      };
    },
  }),
  mutant("ENGINE-18", {
    name: "a write that comes second is a deadlock (40P01) instead of null",
    reason: "write() rejected: error: deadlock detected",
    defect: (at) => {
      const busy = sharing(at, "busy", () => new Set<string>());
      return {
        async write(key, value, options) {
          const { ifVersion } = options;
          if (ifVersion !== undefined && ifVersion !== null) {
            if (busy.has(key)) {
              throw Object.assign(new Error("deadlock detected"), {
                name: "error",
              });
            }
            busy.add(key);
            await null;
            busy.delete(key);
          }
          return await at.engine.write(key, value, options);
        },
      };
    },
  }),
  mutant("ENGINE-19", {
    name: "a missing row is found by a SELECT, and then the upsert follows",
    reason: "of 8 parallel writes that expect the same version, 8 succeed",
    defect: ({ engine }) => ({
      async write(key, value, options) {
        if (options.ifVersion !== null) {
          return await engine.write(key, value, options);
        }
        if (await engine.read(key)) return null;
        await null;
        const { expires, owner } = options;
        return await engine.write(key, value, { expires, owner });
      },
    }),
  }),
  mutant("ENGINE-19", {
    name: "a duplicate key is an error (23505) instead of null",
    reason: "write() rejected: Error: duplicate key value",
    also: {
      "ENGINE-12": "it writes a stored record with ifVersion: null",
      "ENGINE-30": "it writes a stored record with ifVersion: null",
    },
    defect: ({ engine }) => ({
      async write(key, value, options) {
        const version = await engine.write(key, value, options);
        if (version === null && options.ifVersion === null) {
          throw new Error("duplicate key value violates unique constraint");
        }
        return version;
      },
    }),
  }),
  mutant("ENGINE-20", {
    name: "the version is compared by a SELECT, and then the DELETE follows",
    reason: "a write and a delete that expect the same version both succeed",
    also: { "ENGINE-33": "a move may come between the two" },
    defect: ({ engine }) => ({
      async delete(key, options) {
        if (options?.ifVersion === undefined) return await engine.delete(key);
        const old = await engine.read(key);
        if ((old?.version ?? null) !== options.ifVersion) return false;
        await null;
        return await engine.delete(key);
      },
    }),
  }),
  mutant("ENGINE-20", {
    name: "delete marks the row, and the mark is read without a lock",
    reason: "a write and a delete that expect the same version both succeed",
    also: { "ENGINE-33": "a move may come between the two" },
    defect: ({ engine }) => ({
      async delete(key, options) {
        const old = await engine.read(key);
        await null;
        const deleted = await engine.delete(key, options);
        return deleted ||
          options?.ifVersion !== undefined && options.ifVersion !== null &&
            old?.version === options.ifVersion;
      },
    }),
  }),
  mutant("ENGINE-21", {
    name: "touch reads the row, and writes it again with another deadline",
    reason: "touch() undid a write that overlaps with it",
    defect: ({ engine }) => ({
      async touch(key, expires, options) {
        const old = await engine.read(key);
        if (!old || options && options.ifVersion !== old.version) {
          return await engine.touch(key, expires, options);
        }
        await null;
        const now = await engine.read(key);
        if (now?.version === old.version) {
          return await engine.touch(key, expires, options);
        }
        await engine.write(key, old.value, { expires });
        return true;
      },
    }),
  }),
  mutant("ENGINE-21", {
    name: "touch writes the row again if it is gone by then",
    reason: "touch() brought a deleted record back",
    defect: ({ engine }) => ({
      async touch(key, expires, options) {
        const old = await engine.read(key);
        await null;
        const touched = await engine.touch(key, expires, options);
        if (touched || !old || options) return touched;
        await engine.write(key, old.value, { expires });
        return true;
      },
    }),
  }),
  mutant("ENGINE-22", {
    name: "a write is a DELETE and an INSERT, without a transaction",
    reason: "a read during a write does not find the record",
    defect: ({ engine }) => ({
      async write(key, value, options) {
        if (options.ifVersion !== undefined || !await engine.read(key)) {
          return await engine.write(key, value, options);
        }
        await engine.delete(key);
        await null;
        return await engine.write(key, value, options);
      },
    }),
  }),
  mutant("ENGINE-22", {
    name: "the text and the deadline are two commands (SET, PEXPIREAT)",
    reason: "a read during a write returns parts of two writes",
    also: { "ENGINE-28": "a sweep may come between the two" },
    defect: (at) => inParts(at, (value) => [value]),
  }),
  mutant("ENGINE-22", {
    name: "the text is written in blocks of 100 characters",
    reason: "a read during a write returns parts of two writes",
    also: { "ENGINE-28": "a sweep may come between two blocks" },
    defect: (at) =>
      inParts(at, (value) => {
        const ends = Math.ceil(value.length / 100);
        return Array.from(
          { length: Math.min(ends, 4) },
          (_, i) => i === 3 ? value : value.slice(0, 100 * (i + 1)),
        );
      }),
  }),
];

/** An unconditional write of an existing record is several, and only the last has the new deadline. */
function inParts(
  { engine }: Bench,
  parts: (value: string) => string[],
): Pick<Engine, "write"> {
  return {
    async write(key, value, options) {
      const old = await engine.read(key);
      if (!old || options.ifVersion !== undefined) {
        return await engine.write(key, value, options);
      }
      const { owner } = options;
      let version: unknown;
      for (const part of parts(value)) {
        const { expires } = old;
        version = await engine.write(key, part, { expires, owner });
        await null;
      }
      await engine.touch(key, options.expires);
      return version;
    },
  };
}
