import {
  type Bench,
  GUARANTEES,
  type Mutant,
  mutant,
  reading,
  sharing,
  writing,
} from "../_mutant.ts";
import type { StorageGuarantees } from "../../../../mod.ts";

const DAY = 86_400_000;

let opened = 0;

export const records: readonly Mutant[] = [
  mutant("ENGINE-01", {
    name: "its guarantees are from before a member was added",
    reason: "guarantees.revoke is undefined; it must be true or false",
    defect: () => {
      const { revoke: _, ...older } = GUARANTEES;
      return { guarantees: older as StorageGuarantees };
    },
  }),
  mutant("ENGINE-01", {
    name: "its largest size is written as in a configuration file",
    reason: 'guarantees.maxBytes is a string, "2mb"; it must be a whole number',
    defect: () => ({
      guarantees: { ...GUARANTEES, maxBytes: "2mb" as unknown as number },
    }),
  }),
  mutant("ENGINE-01", {
    name: "a replica is read, and a logout is said to work at once",
    reason: "a destroyed session works until the reads catch up",
    defect: () => ({ guarantees: { ...GUARANTEES, reads: "eventual" } }),
  }),
  mutant("ENGINE-01", {
    name: "each instance probes the server for its limit",
    reason: "a second instance declares other guarantees",
    defect: () => ({
      guarantees: { ...GUARANTEES, maxBytes: 2 ** 21 + opened++ },
    }),
  }),
  mutant("ENGINE-02", {
    name: "a DELETE that finds no row is an error",
    reason: "delete() rejected: Error: no row was deleted",
    defect: ({ engine }) => ({
      async delete(key, options) {
        if (!options && !await engine.read(key)) {
          throw new Error("no row was deleted");
        }
        return await engine.delete(key, options);
      },
    }),
  }),
  mutant("ENGINE-02", {
    name: "a deletion is an upsert of an empty row",
    reason: "deleting a missing record stored something",
    defect: ({ engine, now }) => ({
      async delete(key, options) {
        if (options || await engine.read(key)) {
          return await engine.delete(key, options);
        }
        await engine.write(key, "[]", { expires: now() + DAY });
        return true;
      },
    }),
  }),
  mutant("ENGINE-03", {
    name: "a shorter text is written over the longer one (SETRANGE)",
    reason: "a write does not replace the whole record: it has 204 characters",
    defect: ({ engine }) => ({
      async write(key, value, options) {
        const old = await engine.read(key);
        const rest = old?.value.slice(value.length) ?? "";
        return await engine.write(key, value + rest, options);
      },
    }),
  }),
  mutant("ENGINE-03", {
    name: "an upsert keeps the later deadline (GREATEST)",
    reason: "a write does not replace the whole record: the deadline differs",
    defect: ({ engine }) => ({
      async write(key, value, options) {
        const old = await engine.read(key);
        const expires = Math.max(options.expires, old?.expires ?? 0);
        return await engine.write(key, value, { ...options, expires });
      },
    }),
  }),
  mutant("ENGINE-03", {
    name: 'it looks for a condition with "ifVersion" in options',
    reason: "an unconditional write returned null",
    defect: ({ engine }) => ({
      async write(key, value, options) {
        return "ifVersion" in options && options.ifVersion === undefined
          ? null
          : await engine.write(key, value, options);
      },
    }),
  }),
  mutant("ENGINE-03", {
    name: "delete compares the version with undefined",
    reason: "an unconditional delete() returned false",
    defect: ({ engine }) => ({
      async delete(key, options) {
        return options && options.ifVersion === undefined
          ? false
          : await engine.delete(key, options);
      },
    }),
  }),
  mutant("ENGINE-04", {
    name: "the deadline is a column of whole seconds",
    reason: "a record that expires in 90 seconds",
    also: {
      "ENGINE-27": "its deadlines are a millisecond apart",
    },
    defect: (at) => rounded(at, (ms) => Math.floor(ms / 1000) * 1000),
  }),
  mutant("ENGINE-04", {
    name: "the deadline is an INT of seconds, which ends in 2038",
    reason: "a record that expires in 2040: the deadline differs",
    defect: (at) => rounded(at, (ms) => Math.min(ms, (2 ** 31 - 1) * 1000)),
  }),
  mutant("ENGINE-04", {
    name: "the deadline is a DECIMAL(12, 2) of seconds",
    reason: "the deadline differs by",
    also: { "ENGINE-27": "its deadlines are a millisecond apart" },
    defect: (at) => rounded(at, (ms) => Math.round(ms / 10) * 10),
  }),
  mutant("ENGINE-04", {
    name:
      "a lifetime beyond 30 days is taken for an instant in 1970 (Memcached)",
    reason: "a record that expires in 31 days",
    defect: ({ engine, now }) => ({
      async write(key, value, options) {
        const version = await engine.write(key, value, options);
        if (options.expires - now() > 30 * DAY) await engine.delete(key);
        return version;
      },
    }),
  }),
  mutant("ENGINE-04", {
    name: "a lifetime that is not positive is an error (SET PX)",
    reason: "write() rejected: Error: ERR invalid expire time in 'set' command",
    defect: ({ engine, now }) => ({
      async write(key, value, options) {
        if (options.expires <= now()) {
          throw new Error("ERR invalid expire time in 'set' command");
        }
        return await engine.write(key, value, options);
      },
    }),
  }),
  mutant("ENGINE-05", {
    name: "the TTL is in whole seconds, rounded down",
    reason: "a record is gone before its deadline",
    defect: (at) =>
      reading(at, (record) => {
        const ttl = Math.floor(record.expires / 1000) * 1000;
        return at.now() < ttl ? record : null;
      }),
  }),
  mutant("ENGINE-05", {
    name: "touch moves the column and not the TTL",
    reason: "a record is gone at the deadline before touch()",
    defect: (at) => {
      const ttls = sharing(at, "ttls", () => new Map<string, number>());
      return {
        ...reading(
          at,
          (record, key) =>
            at.now() < (ttls.get(key) ?? Infinity) ? record : null,
        ),
        ...writing(at, (_value, { expires }, key) => {
          ttls.set(key, expires > at.now() ? expires : Infinity);
          return {};
        }),
      };
    },
  }),
  mutant("ENGINE-05", {
    name: "a write keeps the TTL of the one before (KEEPTTL)",
    reason: "a record is gone at the deadline of an older write",
    defect: (at) => {
      const ttls = sharing(at, "ttls", () => new Map<string, number>());
      return {
        ...reading(
          at,
          (record, key) =>
            at.now() < (ttls.get(key) ?? Infinity) ? record : null,
        ),
        ...writing(at, (_value, { expires }, key) => {
          if (!ttls.has(key) && expires > at.now()) ttls.set(key, expires);
          return {};
        }),
        async touch(key, expires, options) {
          const touched = await at.engine.touch(key, expires, options);
          if (touched) ttls.set(key, expires);
          return touched;
        },
      };
    },
  }),
  mutant("ENGINE-06", {
    name:
      "a table in memory has room for 32 rows, and says that it evicts nothing",
    reason: "one of 40 records is lost or mixed up",
    defect: (at) => {
      const keys = sharing(at, "keys", () => new Set<string>());
      return {
        async write(key, value, options) {
          keys.add(key);
          const [oldest] = keys;
          if (keys.size > 32 && oldest !== undefined) {
            keys.delete(oldest);
            await at.engine.delete(oldest);
          }
          return await at.engine.write(key, value, options);
        },
        async delete(key, options) {
          const deleted = await at.engine.delete(key, options);
          if (deleted) keys.delete(key);
          return deleted;
        },
      };
    },
  }),
  mutant("ENGINE-06", {
    name: "parallel writes share one prepared statement, and its parameters",
    reason: "one of 40 records is lost or mixed up",
    also: {
      "ENGINE-09": "it writes its keys in parallel",
      "ENGINE-18": "its writes are parallel",
      "ENGINE-19": "its writes are parallel",
      "ENGINE-29": "it writes some records in parallel",
    },
    defect: ({ engine }) => {
      let bound: Parameters<typeof engine.write> | undefined;
      return {
        async write(...parameters) {
          bound = parameters;
          await null;
          return await engine.write(...bound);
        },
      };
    },
  }),
];

/** Deadlines that are written are rounded; those that touch moves are right. */
function rounded(
  at: Bench,
  round: (ms: number) => number,
): ReturnType<typeof writing> {
  return writing(at, (_value, options) => ({
    options: { ...options, expires: round(options.expires) },
  }));
}
