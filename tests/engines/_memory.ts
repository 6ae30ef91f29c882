// The engine of the memory storage, whose answers are promises, as those of most engines are.
import { MemoryEngine } from "../../storage/engines/memory.ts";
import type { Engine } from "../../storage/contract.ts";

/** An engine that can do all that one in memory can. */
export type AsynchronousMemoryEngine =
  & Engine
  & Required<Pick<Engine, "owned" | "sweep" | "touch">>;

/** Creates the engine. */
export function memoryEngine(
  ...args: ConstructorParameters<typeof MemoryEngine>
): AsynchronousMemoryEngine {
  const engine = new MemoryEngine(...args);
  return {
    guarantees: engine.guarantees,
    read: async (key) => await engine.read(key),
    write: async (...call) => await engine.write(...call),
    delete: async (...call) => await engine.delete(...call),
    touch: async (...call) => await engine.touch(...call),
    owned: (owner) => engine.owned(owner),
    sweep: (now) => engine.sweep(now),
  };
}
