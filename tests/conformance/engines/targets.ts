/**
 * The engines of this library as targets of `checkEngine`.
 *
 * @module
 */
import type { EngineTarget } from "../../../conformance/mod.ts";
import { instrument } from "../../../conformance/mod.ts";
import type { Engine } from "../../../mod.ts";
import { DenoKvEngine, type KvLike } from "../../../storage/engines/deno_kv.ts";
import { FileEngine } from "../../../storage/engines/file/engine.ts";
import { MemoryEngine } from "../../../storage/engines/memory.ts";

const clock = { kind: "virtual", advance() {} } as const;

/** A target for an engine whose database is elsewhere. */
export function target(
  name: string,
  connect: (
    options: { namespace: string; now(): number },
  ) => Engine | Promise<Engine>,
): EngineTarget {
  return {
    name,
    clock,
    async open(options) {
      const engine = await connect(options);
      const { engine: failing, faults } = instrument(engine);
      return { engine: failing, faults };
    },
  };
}

/** Memory: each instance has records of its own. */
export function memoryEngine(): EngineTarget {
  return target("memory", ({ now }) => new MemoryEngine(1000, now, () => {}));
}

/** Files below `root`, a folder for each namespace. */
export function fileEngine(root: string): EngineTarget {
  return target(
    "file",
    ({ namespace, now }) =>
      new FileEngine(`${root}/${namespace}`, now, (error) => {
        throw error;
      }),
  );
}

/** Deno KV. */
export function denoKvEngine(kv: KvLike): EngineTarget {
  return target(
    "Deno KV",
    ({ namespace, now }) => new DenoKvEngine(kv, namespace, now),
  );
}
