import { type Bench, type Mutant, mutant, sharing } from "../_mutant.ts";
import type { Engine, EngineRecord } from "../../../../mod.ts";

export const instances: readonly Mutant[] = [
  mutant("ENGINE-23", {
    name: "each process keeps a cache of what it has read",
    reason: "the other instance does not see a write",
    defect: (at) => cached(at, (record) => record !== null),
  }),
  mutant("ENGINE-23", {
    name: "each process remembers which rows are missing",
    reason: "the other instance does not see a new record",
    also: {
      "ENGINE-33": "the other instance does not see the new record of a move",
    },
    defect: (at) => cached(at, (record) => record === null),
  }),
  mutant("ENGINE-23", {
    name: "a replica answers reads, and deletes reach it late",
    reason: "the other instance does not see a delete",
    defect: (at) => {
      const deleted = sharing(
        at,
        "deleted",
        () => new Map<string, EngineRecord>(),
      );
      const own = new Set<string>();
      return {
        async read(key) {
          const record = await at.engine.read(key);
          return record ?? (own.has(key) ? null : deleted.get(key) ?? null);
        },
        async delete(key, options) {
          const old = await at.engine.read(key);
          const done = await at.engine.delete(key, options);
          own.add(key);
          if (old && done && !options) deleted.set(key, old);
          return done;
        },
      };
    },
    also: {
      "ENGINE-26": "the restarted instance reads the replica too",
      "ENGINE-21": "its delete may come from the other instance",
    },
  }),
  mutant("ENGINE-23", {
    name:
      "touch is collected, and reaches the database when it is read again here",
    reason: "the other instance does not see touch()",
    defect: ({ engine }) => {
      const pending = new Map<string, number>();
      return {
        async read(key) {
          const expires = pending.get(key);
          pending.delete(key);
          if (expires !== undefined) await engine.touch(key, expires);
          return await engine.read(key);
        },
        async write(key, value, options) {
          pending.delete(key);
          return await engine.write(key, value, options);
        },
        async touch(key, expires, options) {
          if (options) return await engine.touch(key, expires, options);
          if (!await engine.read(key)) return false;
          pending.set(key, expires);
          return true;
        },
        owned: async (owner) =>
          (await engine.owned(owner)).map((record) => ({
            ...record,
            expires: pending.get(record.key) ?? record.expires,
          })),
        async sweep(now) {
          for (const [key, expires] of pending) {
            await engine.touch(key, expires);
          }
          pending.clear();
          await engine.sweep(now);
        },
      };
    },
    also: {
      "ENGINE-28": "a sweep by the other instance does not see touch()",
      "ENGINE-31": "touch() does not ask the database, which fails",
    },
  }),
  mutant("ENGINE-24", {
    name: "sweep removes what begins with the prefix (SCAN MATCH prefix*)",
    reason: "sweep() removes the records of another namespace",
    defect: (at) => ({
      async sweep(now) {
        for (const [name, engine] of at.namespaces()) {
          if (name.startsWith(at.namespace)) await engine.sweep(now);
        }
      },
    }),
  }),
  mutant("ENGINE-24", {
    name: "the name of a namespace is cut to 20 characters",
    reason: "a namespace has the record of another",
    defect: (at) => {
      const real = () => {
        const short = at.namespace.slice(0, 20);
        const [, engine] = at.namespaces()
          .find(([name]) => name.slice(0, 20) === short) ?? [];
        return engine ?? at.engine;
      };
      return {
        read: (key) => real().read(key),
        write: (key, value, options) => real().write(key, value, options),
        delete: (key, options) => real().delete(key, options),
      };
    },
    also: { "ENGINE-31": "the hooks of its faults are around the other" },
  }),
  mutant("ENGINE-25", {
    name: "close ends the pool that all instances use",
    reason: "write() rejected: Error: Cannot use a pool after calling end",
    defect: (at) => {
      const pool = sharing(at, "pool", () => ({ open: true }));
      pool.open = true;
      return {
        async write(key, value, options) {
          if (!pool.open) {
            throw new Error("Cannot use a pool after calling end on the pool");
          }
          return await at.engine.write(key, value, options);
        },
        async close() {
          pool.open = false;
        },
      };
    },
  }),
  mutant("ENGINE-25", {
    name: "a client can be closed only once",
    reason: "close() rejected: Error: The client is closed",
    defect: () => {
      let open = true;
      return {
        async close() {
          if (!open) throw new Error("The client is closed");
          open = false;
        },
      };
    },
  }),
  mutant("ENGINE-25", {
    name: "close needs the connection that the first call opens",
    reason: "close() rejected: TypeError: connection is undefined",
    defect: ({ engine }) => {
      let used = false;
      return {
        read(key) {
          used = true;
          return engine.read(key);
        },
        async write(key, value, options) {
          used = true;
          return await engine.write(key, value, options);
        },
        async close() {
          if (!used) throw new TypeError("connection is undefined");
        },
      };
    },
  }),
  mutant("ENGINE-26", {
    name: "what was not written to the disk yet is lost with the process",
    reason: "a record is lost or changed by a restart",
    defect: ({ lose }) => ({
      async close() {
        lose();
      },
    }),
  }),
  mutant("ENGINE-26", {
    name: "the versions are numbered anew when the file is loaded",
    reason: "a restart changes the version of a record",
    also: { "ENGINE-33": "the instances have different versions of a record" },
    defect: (at) => {
      const owners = sharing(
        at,
        "owners",
        () => new Map<string, string | undefined>(),
      );
      const load = (async () => {
        for (const [key, owner] of owners) {
          const record = await at.engine.read(key);
          if (!record) continue;
          const { value, expires, version } = record;
          // Not if it was deleted meanwhile: that would be another flaw.
          const options = { expires, ifVersion: version, owner };
          await at.engine.write(key, value, options);
        }
      })();
      return {
        async read(key) {
          await load;
          return await at.engine.read(key);
        },
        async write(key, value, options) {
          await load;
          owners.set(key, options.owner);
          return await at.engine.write(key, value, options);
        },
      };
    },
  }),
];

/** Each instance answers from its own copy of some records, until it changes them itself. */
function cached(
  { engine }: Bench,
  isKept: (record: EngineRecord | null) => boolean,
): Partial<Engine> {
  const copies = new Map<string, EngineRecord | null>();
  return {
    async read(key) {
      const copy = copies.get(key);
      if (copy !== undefined) return copy;
      const record = await engine.read(key);
      if (isKept(record)) copies.set(key, record);
      return record;
    },
    async write(key, value, options) {
      copies.delete(key);
      return await engine.write(key, value, options);
    },
    async delete(key, options) {
      copies.delete(key);
      return await engine.delete(key, options);
    },
    async touch(key, expires, options) {
      copies.delete(key);
      return await engine.touch(key, expires, options);
    },
    async move(key, value, options) {
      copies.delete(key);
      copies.delete(options.from.key);
      return await engine.move(key, value, options);
    },
    async deleteOwned(owner, key, options) {
      copies.delete(key);
      return await engine.deleteOwned(owner, key, options);
    },
    async sweep(now) {
      copies.clear();
      await engine.sweep(now);
    },
  };
}
