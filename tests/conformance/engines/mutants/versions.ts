import {
  type Bench,
  type Mutant,
  mutant,
  reading,
  sharing,
} from "../_mutant.ts";
import type { Engine, EngineRecord } from "../../../../mod.ts";

export const versions: readonly Mutant[] = [
  mutant("ENGINE-10", {
    name: "the version is a BIGINT, read as text and compared as a number",
    reason: "the version that read() returned is refused",
    also: { "ENGINE-29": "owned() returns it as text too" },
    defect: (at) =>
      reading(at, (record) => ({ ...record, version: `${record.version}` })),
  }),
  mutant("ENGINE-10", {
    name: "a write returns the version from before a trigger changed it",
    reason: "the version that write() returned is refused",
    also: {
      "ENGINE-13": "it deletes by the version of a write",
      "ENGINE-15": "it expects the version of a write after touch()",
      "ENGINE-16": "it touches by the version of a write",
      "ENGINE-18": "its writes expect the version of a write",
      "ENGINE-19": "it expects the version of the write that succeeded",
      "ENGINE-20": "its calls expect the version of a write",
      "ENGINE-26": "it expects the version of a write",
      "ENGINE-32": "it deletes by the version of a write",
    },
    defect: ({ engine }) => ({
      async write(key, value, options) {
        const version = await engine.write(key, value, options);
        return typeof version === "number" ? version - 0.5 : version;
      },
    }),
  }),
  mutant("ENGINE-11", {
    name: "a conditional write is an upsert, which inserts a missing row",
    reason: "a write that expects the version of a deleted record succeeds",
    also: { "ENGINE-20": "its write may come after the delete" },
    defect: ({ engine }) => ({
      async write(key, value, options) {
        const { expires, owner } = options;
        return await engine.write(key, value, options) ??
          (options.ifVersion !== null && !await engine.read(key)
            ? await engine.write(key, value, { expires, owner })
            : null);
      },
    }),
  }),
  mutant("ENGINE-11", {
    name: "the deadline is moved first, and then the version is compared",
    reason: "a refused write left its mark: the deadline differs",
    also: { "ENGINE-33": "its write beside a move moves the deadline" },
    defect: ({ engine }) => ({
      async write(key, value, options) {
        const { ifVersion, expires } = options;
        if (ifVersion !== undefined && ifVersion !== null) {
          await engine.touch(key, expires);
        }
        return await engine.write(key, value, options);
      },
    }),
  }),
  mutant("ENGINE-11", {
    name: "nobody looks how many rows an UPDATE has changed",
    reason: "a write that expects a stale version succeeds",
    also: {
      "ENGINE-14": "it asks whether an old version is accepted",
      "ENGINE-18": "each of its writes seems to succeed",
      "ENGINE-20": "its write seems to succeed after the delete",
      "ENGINE-33": "its write seems to succeed after a move",
    },
    defect: ({ engine }) => ({
      async write(key, value, options) {
        const version = await engine.write(key, value, options);
        return version ?? (options.ifVersion === null ? null : 0);
      },
    }),
  }),
  mutant("ENGINE-12", {
    name: "null is taken for no condition (INSERT OR REPLACE)",
    reason: "a write that expects null succeeds, although it must not",
    also: {
      "ENGINE-19": "all of its writes succeed",
      "ENGINE-30": "its refused write succeeds",
    },
    defect: ({ engine }) => ({
      write(key, value, { ifVersion, ...options }) {
        return engine.write(
          key,
          value,
          ifVersion ? { ...options, ifVersion } : options,
        );
      },
    }),
  }),
  mutant("ENGINE-12", {
    name: "a new row is INSERT IGNORE, whose answer is always success",
    reason: "a write that expects null succeeds, although it must not",
    also: { "ENGINE-19": "all of its writes seem to succeed" },
    defect: ({ engine }) => ({
      async write(key, value, options) {
        const version = await engine.write(key, value, options);
        return version ?? (options.ifVersion === null ? 0 : null);
      },
    }),
  }),
  mutant("ENGINE-12", {
    name: "a deleted row stays with deleted = true, and keeps its key taken",
    reason: "is refused, although the record is deleted",
    defect: (at) => {
      const taken = sharing(at, "taken", () => new Set<string>());
      return {
        async write(key, value, options) {
          if (options.ifVersion === null && taken.has(key)) return null;
          return await at.engine.write(key, value, options);
        },
        async delete(key, options) {
          taken.add(key);
          return await at.engine.delete(key, options);
        },
      };
    },
  }),
  mutant("ENGINE-13", {
    name: "delete ignores the version",
    reason: "delete() that expects a stale version changed the record",
    also: {
      "ENGINE-20": "its delete may come after the write",
      "ENGINE-33": "its delete may come after a move",
    },
    defect: ({ engine }) => ({ delete: (key) => engine.delete(key) }),
  }),
  mutant("ENGINE-13", {
    name: "delete looks for a condition with if (ifVersion)",
    reason: "delete() that expects null changed the record",
    defect: ({ engine }) => ({
      delete: (key, options) =>
        engine.delete(key, options?.ifVersion ? options : undefined),
    }),
  }),
  mutant("ENGINE-13", {
    name: "delete is always true",
    reason: "returned true, but the record is there",
    also: {
      "ENGINE-20": "its delete seems to succeed after the write",
      "ENGINE-33": "its delete seems to succeed after a move",
    },
    defect: ({ engine }) => ({
      async delete(key, options) {
        await engine.delete(key, options);
        return true;
      },
    }),
  }),
  mutant("ENGINE-14", {
    name:
      "the version is a counter in the row, which starts again after a delete",
    reason: "a version came back, after a delete",
    defect: (at) => renumbered(at, (old) => Number(old?.version ?? 0) + 1),
  }),
  mutant("ENGINE-14", {
    name: "the version is a hash of the value (ETag)",
    reason: "a version came back, for an equal value",
    defect: (at) => renumbered(at, (_, value) => `"${value.slice(0, 99)}"`),
  }),
  mutant("ENGINE-14", {
    name: "the version is the time of the write, in seconds",
    reason: "a version came back, for",
    also: {
      "ENGINE-11": "its writes are within one second",
      "ENGINE-13": "its writes are within one second",
      "ENGINE-16": "its writes are within one second",
      "ENGINE-18": "its writes are within one second",
      "ENGINE-20": "its writes are within one second",
      "ENGINE-32": "its writes are within one second",
      "ENGINE-33": "its writes are within one second",
    },
    defect: (at) => renumbered(at, () => Math.floor(at.now() / 1000)),
  }),
  mutant("ENGINE-14", {
    name: "each process counts its own writes of a key",
    reason: "a version came back, in another instance",
    also: {
      "ENGINE-18": "its writes come from two instances",
      "ENGINE-33": "its moves come from two instances",
    },
    defect: (at) => {
      const counts = new Map<string, number>();
      return renumbered(at, (_old, _value, key) => {
        const count = (counts.get(key) ?? 0) + 1;
        counts.set(key, count);
        return count;
      });
    },
  }),
];

/** The engine with versions of another kind. */
function renumbered(
  at: Bench,
  next: (old: EngineRecord | null, value: string, key: string) => unknown,
): Partial<Engine> {
  const { engine } = at;
  const given = sharing(at, "given", () => new Map<string, unknown>());
  const shown = (key: string, record: EngineRecord | null) =>
    record && { ...record, version: given.get(key) };
  const holds = (
    key: string,
    record: EngineRecord | null,
    ifVersion: unknown,
  ) =>
    ifVersion === undefined ||
    ifVersion === (record ? given.get(key) : null);
  // Each check and its change are one step.
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    const before = sharing(at, "last", () => ({ last: Promise.resolve() }));
    const turn = before.last.then(work);
    before.last = turn.then(() => {}, () => {});
    return await turn;
  };
  return {
    read: (key) => step(async () => shown(key, await engine.read(key))),
    owned: (owner) =>
      step(async () =>
        (await engine.owned(owner)).map((record) => ({
          ...record,
          version: given.get(record.key),
        }))
      ),
    write: (key, value, { ifVersion, ...options }) =>
      step(async () => {
        const old = await engine.read(key);
        if (!holds(key, old, ifVersion)) return null;
        const version = next(shown(key, old), value, key);
        await engine.write(key, value, options);
        given.set(key, version);
        return version;
      }),
    delete: (key, { ifVersion } = {}) =>
      step(async () =>
        holds(key, await engine.read(key), ifVersion) &&
        await engine.delete(key)
      ),
    touch: (key, expires, { ifVersion } = {}) =>
      step(async () =>
        holds(key, await engine.read(key), ifVersion) &&
        await engine.touch(key, expires)
      ),
    move: (key, value, { from, ...options }) =>
      step(async () => {
        const old = await engine.read(from.key);
        if (!holds(from.key, old, from.ifVersion)) return null;
        const own = { ...from, ifVersion: old?.version };
        const moved = { ...options, from: own };
        const version = next(null, value, key);
        if (await engine.move(key, value, moved) === null) return null;
        given.set(key, version);
        given.set(from.key, next(shown(from.key, old), from.value, from.key));
        return version;
      }),
    deleteOwned: (owner, key, { ifVersion, ...options }) =>
      step(async () => {
        const record = await engine.read(key);
        if (!holds(key, record, ifVersion)) return false;
        const own = { ...options, ifVersion: record?.version };
        return await engine.deleteOwned(owner, key, own);
      }),
  };
}
