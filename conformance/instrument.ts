/**
 * Hooks for the capabilities `inspect` and `faults`, for any engine.
 *
 * @module
 */
import type { Engine, SynchronousEngine } from "../storage/contract.ts";
import type { Faults, Inspect } from "./types.ts";

/** An engine with hooks. */
export interface Instrumented {
  /** The engine, for `createSessionStorage({ engine })`. */
  readonly engine: Engine;
  /** Reads and replaces the records that were written through the engine. */
  readonly inspect: Inspect;
  /** Makes the engine fail, and work again. */
  readonly faults: Faults;
}

/** The lifetime in milliseconds of a record that a test adds. A record that a test replaces keeps its deadline. */
const A_DAY = 86_400_000;

/**
 * Wraps an engine with the hooks that the suite needs to read its records and to make it fail.
 *
 * @param engine The engine of one namespace.
 * @param keys The keys written so far. Share one set between all instances over one namespace.
 * @returns The wrapped engine for the storage, and the hooks for {@linkcode Opened}.
 *
 * @example A target with hooks
 * ```ts
 * import { type Engine, createSessionStorage } from "@satchel/session";
 * import { instrument, type Target } from "@satchel/session/conformance";
 *
 * function targetFor(openEngine: (namespace: string) => Engine): Target {
 *   return {
 *     name: "my engine",
 *     capabilities: ["revoke", "expiry", "touch", "absolute", "merge", "inspect", "faults"],
 *     clock: { kind: "virtual", advance() {} },
 *     open(options) {
 *       const { engine, inspect, faults } = instrument(openEngine(options.namespace));
 *       return { storage: createSessionStorage({ ...options, engine }), inspect, faults };
 *     },
 *   };
 * }
 * ```
 */
export function instrument(
  engine: Engine | SynchronousEngine,
  keys: Set<string> = new Set(),
): Instrumented {
  const broken = { reads: false, writes: false };
  const guard = (kind: keyof typeof broken) => {
    if (broken[kind]) {
      throw new Error(`the engine's ${kind} fail because of a fault`);
    }
  };
  const wrapped: Engine = {
    guarantees: engine.guarantees,
    async read(key) {
      guard("reads");
      return await engine.read(key);
    },
    async write(key, value, options) {
      guard("writes");
      keys.add(key);
      return await engine.write(key, value, options);
    },
    async delete(key, options) {
      guard("writes");
      return await engine.delete(key, options);
    },
  };
  const { touch, move, owned, deleteOwned, sweep, close } = engine;
  if (touch) {
    wrapped.touch = async (...call) => {
      guard("writes");
      return await Reflect.apply(touch, engine, call);
    };
  }
  if (move) {
    wrapped.move = async (key, value, options) => {
      guard("writes");
      keys.add(key);
      return await move.call(engine, key, value, options);
    };
  }
  if (owned) {
    wrapped.owned = async (owner) => {
      guard("reads");
      return await owned.call(engine, owner);
    };
  }
  if (deleteOwned) {
    wrapped.deleteOwned = async (owner, key, options) => {
      guard("writes");
      return await deleteOwned.call(engine, owner, key, options);
    };
  }
  if (sweep) wrapped.sweep = (now) => sweep.call(engine, now);
  if (close) wrapped.close = () => close.call(engine);
  return {
    engine: wrapped,
    inspect: {
      async records() {
        const records = new Map<string, string>();
        for (const key of keys) {
          const record = await engine.read(key);
          if (record) records.set(key, record.value);
        }
        return records;
      },
      async write(key, text) {
        const { expires } = await engine.read(key) ??
          { expires: Date.now() + A_DAY };
        keys.add(key);
        await engine.write(key, text, { expires });
      },
    },
    faults: {
      fail({ reads = false, writes = false }) {
        broken.reads = reads;
        broken.writes = writes;
      },
      heal() {
        broken.reads = broken.writes = false;
      },
    },
  };
}
