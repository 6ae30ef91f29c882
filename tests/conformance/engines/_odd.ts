/**
 * Engines that are unusual and right.
 */
import type { EngineTarget } from "../../../conformance/mod.ts";
import { memoryEngine } from "../../engines/_memory.ts";
import {
  alone,
  broken,
  type Defect,
  GUARANTEES,
  inSteps,
  reading,
  sharing,
} from "./_mutant.ts";
import {
  around,
  exclusive,
  inNoTime,
  lacking,
  lagging,
  limited,
  nonceOf,
  oneTable,
  versioned,
} from "./_odd_parts.ts";

/** An engine that is unusual and right. */
export interface Odd {
  readonly target: EngineTarget | Defect;
  /** The rules that do not apply. */
  readonly without?: readonly string[];
}

const TOUCH = ["ENGINE-15", "ENGINE-16", "ENGINE-17", "ENGINE-21"];
const CAS = [
  ...["ENGINE-10", "ENGINE-11", "ENGINE-12", "ENGINE-13", "ENGINE-14"],
  ...["ENGINE-16", "ENGINE-18", "ENGINE-19", "ENGINE-20", "ENGINE-32"],
  "ENGINE-33",
];

/** The engines, by what is unusual. */
export const odd: Record<string, Odd> = {
  "versions are texts": {
    target: versioned((n) => `v${n}`, (version) => Number(version.slice(1))),
  },
  "versions are bigints": {
    target: versioned((n) => BigInt(n), (version) => Number(version)),
  },
  "versions are symbols": {
    target: versioned(
      (n) => Symbol.for(`${n}`),
      (version) => Number(Symbol.keyFor(version)),
    ),
  },
  "versions are new objects at each read": {
    target: versioned((n) => ({ n }), ({ n }) => n),
  },
  "versions are objects that JSON cannot tell apart": {
    target: versioned(
      (n) => Object.defineProperty({}, "n", { value: n }) as { n: number },
      ({ n }) => n,
    ),
  },
  "a version that is read has more members than one that is written": {
    target: ({ engine }) => ({
      async read(key) {
        const record = await engine.read(key);
        const version = { nonce: record?.version, cas: "7" };
        return record && { ...record, version };
      },
      write: async (key, value, options) => {
        const version = await engine.write(key, value, {
          ...options,
          ifVersion: nonceOf(options.ifVersion),
        });
        return version === null ? null : { nonce: version };
      },
      delete: (key, options) =>
        engine.delete(key, { ifVersion: nonceOf(options?.ifVersion) }),
      touch: (key, expires, options) =>
        engine.touch(key, expires, {
          ifVersion: nonceOf(options?.ifVersion),
        }),
      async move(key, value, { from, ...options }) {
        const own = { ...from, ifVersion: nonceOf(from.ifVersion) };
        const moved = { ...options, from: own };
        const version = await engine.move(key, value, moved);
        return version === null ? null : { nonce: version };
      },
      deleteOwned: (owner, key, options) =>
        engine.deleteOwned(owner, key, {
          ...{ ...options, ifVersion: nonceOf(options.ifVersion) },
        }),
    }),
  },
  "it has read, write and delete only": {
    target: lacking("touch", "move", "owned", "deleteOwned", "sweep", "close"),
    without: [
      ...TOUCH,
      ...["ENGINE-25", "ENGINE-27", "ENGINE-28", "ENGINE-29", "ENGINE-30"],
      ...["ENGINE-32", "ENGINE-33"],
    ],
  },
  "it needs several steps for a move, and says so": {
    target: () => ({ move: async () => null }),
    without: ["ENGINE-33"],
  },
  "it has a lock instead of transactions, and moves in two steps": {
    target: (at) => {
      const { engine } = at;
      return {
        read: (key) => alone(at, () => engine.read(key)),
        write: (...call) => alone(at, () => engine.write(...call)),
        delete: (...call) => alone(at, () => engine.delete(...call)),
        touch: (...call) => alone(at, () => engine.touch(...call)),
        owned: (owner) => alone(at, () => engine.owned(owner)),
        move: (...call) => alone(at, () => inSteps(engine, ...call)),
      };
    },
  },
  "it does not count what a sweep removes": {
    target: ({ engine }) => ({
      sweep: async (now) => void await engine.sweep(now),
    }),
  },
  "a sweep that joins another one leaves the count to it": {
    target: ({ engine }) => {
      let sweeping: Promise<unknown> | undefined;
      return {
        async sweep(now) {
          if (sweeping) return void await sweeping;
          const sweep = engine.sweep(now);
          const done = () => void (sweeping = undefined);
          sweeping = sweep.then(done, done);
          return await sweep;
        },
      };
    },
  },
  "records are gone at their deadline": {
    target: (at) =>
      reading(at, (record) => record.expires > at.now() ? record : null),
  },
  "a write whose deadline has passed stores nothing": {
    target: ({ engine, now }) => ({
      async write(key, value, options) {
        const version = await engine.write(key, value, options);
        if (options.expires <= now()) await engine.delete(key);
        return version;
      },
    }),
  },
  "records have more members, and are frozen": {
    target: (at) =>
      reading(at, (record) => Object.freeze({ ...record, id: 7, key: "x" })),
  },
  "an unconditional delete says whether there was a record": {
    target: ({ engine }) => ({
      async delete(key, options) {
        const found = await engine.read(key) !== null;
        return await engine.delete(key, options) && found;
      },
    }),
  },
  "a conditional delete of a missing record is false, also for null": {
    target: ({ engine }) => ({
      async delete(key, options) {
        if (options?.ifVersion === null) return false;
        return await engine.delete(key, options);
      },
    }),
  },
  "answers are not promises": {
    target: inNoTime(),
    without: [
      ...CAS,
      ...TOUCH,
      ...["ENGINE-25", "ENGINE-27", "ENGINE-28", "ENGINE-29", "ENGINE-30"],
      "ENGINE-31",
    ],
  },
  "each call takes a few turns of the event loop": {
    target: (at) => {
      const wait = async () => {
        for (let i = 0; i < 3; i++) {
          await new Promise((resolve) => setTimeout(resolve));
        }
      };
      return around(at.engine, wait);
    },
  },
  "calls take different times": {
    target: (at) => {
      let n = 0;
      return around(at.engine, async () => {
        for (let i = n++ * 7 % 13; i > 0; i--) await null;
      });
    },
  },
  "calls wait in a queue": {
    target: (at) => {
      const queue = sharing(at, "queue", () => ({ last: Promise.resolve() }));
      return around(at.engine, async () => {
        const before = queue.last;
        queue.last = before.then(() => {});
        await before;
      });
    },
  },
  "it is an instance of a class, with private members": {
    target: {
      name: "class",
      clock: { kind: "virtual", advance() {} },
      open: ({ now }) => memoryEngine(1000, now, () => {}),
    },
    without: [
      ...["ENGINE-23", "ENGINE-25", "ENGINE-26", "ENGINE-31", "ENGINE-32"],
      "ENGINE-33",
    ],
  },
  "it ignores versions, and says so": {
    target: ({ engine }) => ({
      guarantees: { ...GUARANTEES, compareAndSet: false },
      write: (key, value, { ifVersion: _, ...options }) =>
        engine.write(key, value, options),
      delete: (key) => engine.delete(key),
      touch: (key, expires) => engine.touch(key, expires),
    }),
    without: CAS,
  },
  "it has one version for all records, without compareAndSet": {
    target: (at) => ({
      guarantees: { ...GUARANTEES, compareAndSet: false },
      ...reading(at, (record) => ({ ...record, version: 1 })),
      async write(key, value, { ifVersion: _, ...options }) {
        await at.engine.write(key, value, options);
        return 1;
      },
    }),
    without: CAS,
  },
  "its reads lag behind its writes, and it says so": {
    target: (at) => lagging(at),
    without: CAS,
  },
  "its largest record has 1,000 bytes": { target: limited(1000) },
  "its largest record has 70,000 bytes": { target: limited(70_000) },
  "it does not have a largest record": {
    target: () => {
      const { maxBytes: _, ...guarantees } = GUARANTEES;
      return { guarantees };
    },
  },
  "it evicts any record, and has room for 24": {
    target: (at) => {
      const keys = sharing(at, "keys", () => new Set<string>());
      return {
        guarantees: { ...GUARANTEES, evicts: "any" },
        async write(key, value, options) {
          const version = await at.engine.write(key, value, options);
          if (version === null) return null;
          keys.add(key);
          const [oldest] = keys;
          if (keys.size > 24 && oldest !== undefined) {
            keys.delete(oldest);
            await at.engine.delete(oldest);
          }
          return version;
        },
        async delete(key, options) {
          const deleted = await at.engine.delete(key, options);
          if (deleted) keys.delete(key);
          return deleted;
        },
      };
    },
    without: ["ENGINE-05", "ENGINE-06"],
  },
  "it keeps records for a minute at least": {
    target: () => ({ guarantees: { ...GUARANTEES, minSeconds: 60 } }),
  },
  "its table is one for all namespaces, and it says so": {
    target: oneTable(),
    without: [
      ...["ENGINE-23", "ENGINE-24", "ENGINE-25", "ENGINE-26", "ENGINE-31"],
      ...["ENGINE-32", "ENGINE-33"],
    ],
  },
  "its database allows one process at a time": {
    target: exclusive(),
    without: ["ENGINE-23", "ENGINE-31", "ENGINE-32", "ENGINE-33"],
  },
  "the clock is real, and exact to a second": {
    target: {
      ...broken("real", () => ({}), { kind: "real", granularityMs: 1 }),
    },
  },
  "its records are made older": {
    target: broken("aged", () => ({}), { kind: "aged", async age() {} }),
  },
};
