import { type Mutant, mutant } from "../_mutant.ts";

export const touch: readonly Mutant[] = [
  mutant("ENGINE-15", {
    name: "touch writes the deadline in whole seconds (EXPIRE)",
    reason: "touch() moves a deadline, later: the deadline differs",
    defect: ({ engine }) => ({
      touch: (key, expires, options) =>
        engine.touch(key, Math.floor(expires / 1000) * 1000, options),
    }),
  }),
  mutant("ENGINE-15", {
    name: "touch only moves a deadline later (EXPIRE GT)",
    reason: "touch() moves a deadline, earlier: the deadline differs",
    defect: ({ engine }) => ({
      async touch(key, expires, options) {
        const old = await engine.read(key);
        const later = Math.max(expires, old?.expires ?? 0);
        return await engine.touch(key, later, options);
      },
    }),
  }),
  mutant("ENGINE-15", {
    name: "touch is an UPDATE, and each UPDATE changes the row's version",
    reason: "touch() changed the version",
    also: {
      "ENGINE-16": "it expects one version twice",
      "ENGINE-29": "an owner's list is in the order of the versions",
    },
    defect: ({ engine }) => ({
      async touch(key, expires, options) {
        const old = await engine.read(key);
        if (!old || !await engine.touch(key, expires, options)) return false;
        const { value, version } = old;
        await engine.write(key, value, { expires, ifVersion: version });
        return true;
      },
    }),
  }),
  mutant("ENGINE-15", {
    name: "touch writes the text again, in the encoding of another driver",
    reason: "touch() moves a deadline, later: it ",
    defect: ({ engine }) => ({
      async touch(key, expires, options) {
        const old = await engine.read(key);
        const garbled = old && /\u00e9/.test(old.value);
        if (garbled && !options) {
          const value = old.value.replaceAll("\u00e9", "\u00c3\u00a9");
          await engine.write(key, value, { expires });
          return true;
        }
        return await engine.touch(key, expires, options);
      },
    }),
  }),
  mutant("ENGINE-16", {
    name: "touch ignores the version",
    reason: "touch() that expects a stale version changed the record",
    defect: ({ engine }) => ({
      touch: (key, expires) => engine.touch(key, expires),
    }),
  }),
  mutant("ENGINE-16", {
    name: "touch looks for a condition with if (ifVersion)",
    reason: "touch() that expects null changed the record",
    defect: ({ engine }) => ({
      touch: (key, expires, options) =>
        engine.touch(key, expires, options?.ifVersion ? options : undefined),
    }),
  }),
  mutant("ENGINE-16", {
    name: "touch is true for a row of another version",
    reason: "returned true, and moved nothing",
    defect: ({ engine }) => ({
      async touch(key, expires, options) {
        return await engine.touch(key, expires, options) ||
          await engine.read(key) !== null;
      },
    }),
  }),
  mutant("ENGINE-17", {
    name: "touch is true for a missing row",
    reason: "touch() returned true for a record that was never written",
    also: { "ENGINE-28": "it asks touch() whether the record was there" },
    defect: ({ engine }) => ({
      async touch(key, expires, options) {
        return await engine.touch(key, expires, options) ||
          await engine.read(key) === null;
      },
    }),
  }),
  mutant("ENGINE-17", {
    name: "touch is an upsert (UpdateItem), and creates an item without a text",
    reason: "touch() stored a record that was never written",
    also: {
      "ENGINE-21": "its touch() may come after the delete",
      "ENGINE-28": "its touch() may come after the sweep",
    },
    defect: ({ engine }) => ({
      async touch(key, expires, options) {
        if (await engine.read(key)) {
          return await engine.touch(key, expires, options);
        }
        await engine.write(key, "", { expires });
        return true;
      },
    }),
  }),
];
