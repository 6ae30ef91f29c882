/**
 * Hooks for the capabilities `inspect` and `faults`, for any engine behind the engine contract.
 *
 * @module
 */
import type { Engine } from "../storage/contract.ts";
import type { Faults, Inspect } from "./types.ts";

/** An engine with hooks. */
export interface Instrumented {
  /** The engine, for `createSessionStorage({ engine })`. */
  readonly engine: Engine;
  /** Looks at what was written through it. */
  readonly inspect: Inspect;
  /** Breaks it and mends it. */
  readonly faults: Faults;
}

/** For how long a record stays that a test makes up, in milliseconds; those that it changes keep their deadline. */
const A_DAY = 86_400_000;

/**
 * Puts the hooks around an engine that the conformance suite needs to look inside it and to break it.
 *
 * @param engine The engine, of one namespace.
 * @param keys The keys written so far; share one set between the instances over one namespace.
 * @returns The engine to build a storage on, and the hooks for {@linkcode Opened}.
 *
 * @example A target with every capability that an engine can have
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
  engine: Engine,
  keys: Set<string> = new Set(),
): Instrumented {
  const broken = { reads: false, writes: false };
  const guard = (kind: keyof typeof broken) => {
    if (broken[kind]) {
      throw new Error(`the engine's ${kind} are broken on purpose`);
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
  const { touch, sweep, close } = engine;
  if (touch) {
    wrapped.touch = async (key, expires, options) => {
      guard("writes");
      return await touch.call(engine, key, expires, options);
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
