/**
 * Engine targets: their arguments are checked, and each becomes a target that the runner knows.
 *
 * @module
 */
import type { Engine, SynchronousEngine } from "../../storage/contract.ts";
import { HarnessError, PORT, type Port } from "../trial/port.ts";
import { clockProblem } from "../target.ts";
import type { Opened, StorageLike, Target } from "../types.ts";
import type { EngineTarget, OpenedEngine } from "./types.ts";

/**
 * Whether a value is a target for {@linkcode checkEngine}, rather than for {@linkcode checkStorage}: it has a name and
 * `open`, and does not list capabilities.
 *
 * @param value What a module exports.
 * @returns Whether it is an engine target.
 *
 * @example
 * ```ts
 * import { isEngineTarget } from "@satchel/session/conformance";
 * import { assert } from "@std/assert";
 *
 * const open = () => ({});
 * assert(isEngineTarget({ name: "my engine", open }));
 * assert(!isEngineTarget({ name: "my storage", capabilities: [], open }));
 * ```
 */
export function isEngineTarget(value: unknown): value is EngineTarget {
  if (typeof value !== "object" || value === null) return false;
  const { name, open, capabilities } = value as Record<string, unknown>;
  return typeof name === "string" && typeof open === "function" &&
    capabilities === undefined;
}

/** Refuses an invalid target. */
export function checkEngineTarget(target: EngineTarget): void {
  const given = target as EngineTarget & { capabilities?: unknown };
  const problem = typeof target !== "object" || target === null
    ? "it must be an object"
    : typeof target.name !== "string" || target.name === ""
    ? "name must be a string"
    : typeof target.open !== "function"
    ? "open must be a function"
    : given.capabilities !== undefined
    ? "capabilities are read from the engine's guarantees; leave them out, or use checkStorage() for a session storage"
    : target.namespaces !== undefined && typeof target.namespaces !== "boolean"
    ? "namespaces must be true or false"
    : clockProblem(target.clock);
  if (problem) throw new TypeError(`Cannot check engine: ${problem}`);
}

/** The key of an open engine, on the object that the runner takes for a storage. */
const ENGINE: unique symbol = Symbol("engine");

type EngineStorage = StorageLike & {
  readonly [PORT]: Port;
  readonly [ENGINE]: unknown;
};

/** The target as the runner knows it. */
export function runnable(target: EngineTarget): Target {
  return {
    name: target.name,
    capabilities: [],
    ...target.clock ? { clock: target.clock } : {},
    ...target.versions ? { versions: target.versions } : {},
    async open({ namespace, now }): Promise<Opened> {
      const given: unknown = await target.open({ namespace, now });
      const opened = isOpened(given) ? given : undefined;
      const engine = (opened?.engine ?? given) as
        | Engine
        | SynchronousEngine
        | undefined;
      let closed = false;
      const closeEngine = async () => {
        closed = true;
        await engine?.close?.();
      };
      const storage: EngineStorage = {
        [PORT]: NO_SESSIONS,
        [ENGINE]: opened ? opened.engine : given,
        close: closeEngine,
      };
      return {
        storage,
        ...opened?.faults ? { faults: opened.faults } : {},
        async close() {
          if (!closed && typeof engine?.close === "function") {
            // Whether it rejects is the subject of a rule.
            await closeEngine().catch(() => {});
          }
          await opened?.close?.();
        },
      };
    },
  };
}

/** The engine that `open` returned. */
export function engineOf(storage: unknown): Engine | SynchronousEngine {
  const engine = (storage as EngineStorage)[ENGINE];
  if (typeof engine !== "object" || engine === null) {
    throw new HarnessError(
      `open() returned ${
        engine === null ? "null" : typeof engine
      }; it must return an engine, or { engine }`,
    );
  }
  const methods = engine as Record<string, unknown>;
  if (methods["storage"] !== undefined || methods["getSession"] !== undefined) {
    throw new HarnessError(
      "open() returned a session storage, but the target has no capabilities, as an engine's target; give it capabilities (a list, which may be empty)",
    );
  }
  const missing = ["read", "write", "delete"].filter((name) =>
    typeof methods[name] !== "function"
  );
  if (missing.length > 0) {
    throw new HarnessError(
      `open() must return an engine: it does not have ${
        missing.map((name) => `${name}()`).join(", ")
      }`,
    );
  }
  const optional = ["touch", "move", "owned", "deleteOwned", "sweep", "close"];
  const wrong = optional.find((name) =>
    methods[name] !== undefined && typeof methods[name] !== "function"
  );
  if (wrong !== undefined) {
    throw new HarnessError(
      `the engine's ${wrong} is ${typeof methods[
        wrong
      ]}; it must be a function, or left out`,
    );
  }
  return engine as Engine | SynchronousEngine;
}

function isOpened(given: unknown): given is OpenedEngine {
  if (typeof given !== "object" || given === null) return false;
  const { read, engine } = given as Record<string, unknown>;
  return typeof read !== "function" && engine !== undefined;
}

const refuse = () => {
  throw new HarnessError("an engine does not have sessions");
};
const NO_SESSIONS: Port = {
  http: false,
  read: async () => refuse(),
  save: async () => refuse(),
  destroy: async () => refuse(),
};
