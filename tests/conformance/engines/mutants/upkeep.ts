import { type Bench, type Mutant, mutant, writtenKeys } from "../_mutant.ts";
import type { Engine } from "../../../../mod.ts";

const WRONG_COUNT =
  "the numbers that two sweeps returned are not how many records they removed";

export const sweeps: readonly Mutant[] = [
  mutant("ENGINE-27", {
    name: "sweep uses the database's clock: WHERE expires <= NOW()",
    reason: "sweep() left a record that had expired at its instant",
    defect: ({ engine, now }) => ({ sweep: () => engine.sweep(now()) }),
  }),
  mutant("ENGINE-27", {
    name: "sweep removes what expired before the instant, and not at it",
    reason: "sweep() left a record that had expired at its instant",
    defect: ({ engine }) => ({ sweep: (now) => engine.sweep(now - 1) }),
  }),
  mutant("ENGINE-27", {
    name: "the deadline is an index of hours, rounded down",
    reason: "sweep() removed a record",
    defect: ({ engine }) => ({
      sweep: (now) => engine.sweep(now + 3_599_999),
    }),
  }),
  mutant("ENGINE-27", {
    name: "sweep removes ten rows (LIMIT 10), and is not repeated",
    reason: "sweep() left a record that had expired at its instant",
    also: {
      "ENGINE-28": "it deletes by the version, which touch() does not change",
    },
    defect: (at) => {
      const keys = writtenKeys(at);
      return {
        ...keys.writing,
        async sweep(now) {
          let left = 10;
          for (const key of keys.all) {
            const record = await at.engine.read(key);
            if (left === 0 || !record || record.expires > now) continue;
            left--;
            await at.engine.delete(key, { ifVersion: record.version });
          }
        },
      };
    },
  }),
  mutant("ENGINE-27", {
    name: "sweep returns how many rows there were",
    reason: WRONG_COUNT,
    defect: (at) => {
      const keys = writtenKeys(at);
      return {
        ...keys.writing,
        async sweep(now) {
          const { size } = keys.all;
          await at.engine.sweep(now);
          return size;
        },
      };
    },
  }),
  mutant("ENGINE-27", {
    name: "a sweep that joins another one returns its number",
    reason: WRONG_COUNT,
    defect: ({ engine }) => {
      let sweeping: ReturnType<typeof engine.sweep> | undefined;
      return {
        async sweep(now) {
          const done = () => void (sweeping = undefined);
          sweeping ??= engine.sweep(now).finally(done);
          return await sweeping;
        },
      };
    },
  }),
  mutant("ENGINE-27", {
    name: "sweep deletes ten rows at a time, and returns the last number",
    reason: WRONG_COUNT,
    defect: ({ engine }) => ({
      sweep: async (now) => Number(await engine.sweep(now)) % 10,
    }),
  }),
  mutant("ENGINE-28", {
    name: "sweep lists the expired keys, and then deletes each",
    reason: "sweep() removed a record that a write renewed meanwhile",
    defect: (at) => {
      const keys = writtenKeys(at);
      return {
        ...keys.writing,
        async sweep(now) {
          const expired: string[] = [];
          for (const key of keys.all) {
            const record = await at.engine.read(key);
            if (record && record.expires <= now) expired.push(key);
          }
          await null;
          for (const key of expired) await at.engine.delete(key);
        },
      };
    },
  }),
  mutant("ENGINE-28", {
    name: "sweep deletes by the version, which touch does not change",
    reason: "sweep() removed a record that a touch renewed meanwhile",
    defect: (at) => {
      const keys = writtenKeys(at);
      return {
        ...keys.writing,
        async sweep(now) {
          for (const key of keys.all) {
            const record = await at.engine.read(key);
            if (!record || record.expires > now) continue;
            await null;
            await at.engine.delete(key, { ifVersion: record.version });
          }
        },
      };
    },
  }),
];

export const failures: readonly Mutant[] = [
  mutant("ENGINE-31", {
    name: "a move that fails is one that takes several steps",
    reason: "move() resolves although the database fails",
    defect: ({ engine }) => ({
      move: (...call) => engine.move(...call).catch(() => null),
    }),
  }),
  ...Object.entries<(engine: Bench["engine"]) => Partial<Engine>>({
    "a failed read is a missing record": ({ read }) => ({
      read: (key) => read(key).catch(() => null),
    }),
    "a failed write is a conflict": ({ write }) => ({
      write: (...call) => write(...call).catch(() => null),
    }),
    "a failed write is logged and forgotten": ({ write }) => ({
      write: (...call) => write(...call).catch(() => 7),
    }),
    "a failed delete is a deletion": ({ delete: remove }) => ({
      delete: (...call) => remove(...call).catch(() => true),
    }),
    "a failed touch is a missing record": ({ touch }) => ({
      touch: (...call) => touch(...call).catch(() => false),
    }),
    "an owner whose sessions cannot be listed has none": ({ owned }) => ({
      owned: (owner) => owned(owner).catch(() => []),
    }),
  }).map(([name, wrong]) =>
    mutant("ENGINE-31", {
      name,
      reason: "() resolves although the database fails",
      defect: ({ engine }) => wrong(engine),
    })
  ),
  mutant("ENGINE-31", {
    name: "a broken connection is not opened again",
    reason: "after a failure, a record is not there",
    defect: ({ engine }) => {
      let broken = false;
      return {
        async read(key) {
          if (broken) return null;
          try {
            return await engine.read(key);
          } catch (error) {
            broken = true;
            throw error;
          }
        },
      };
    },
  }),
];
