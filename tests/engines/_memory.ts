// The engine of the memory storage, whose answers are promises, as those of most engines are.
import { MemoryEngine } from "../../storage/engines/memory.ts";
import type { Engine, MoveOptions } from "../../storage/contract.ts";

/** An engine that can do all that one in memory can. */
export type AsynchronousMemoryEngine =
  & Engine
  & Required<Pick<Engine, "owned" | "sweep" | "touch">>;

/** The same with a `move`, as on SQL. */
export type MovingMemoryEngine =
  & AsynchronousMemoryEngine
  & Required<Pick<Engine, "move">>;

/** Creates the engine. */
export function memoryEngine(
  ...args: ConstructorParameters<typeof MemoryEngine>
): AsynchronousMemoryEngine {
  return asynchronous(new MemoryEngine(...args));
}

/** Creates the engine with a `move`. */
export function movingMemoryEngine(
  ...args: ConstructorParameters<typeof MemoryEngine>
): MovingMemoryEngine {
  const engine = new MemoryEngine(...args);
  return {
    ...asynchronous(engine),
    move: async (key, value, options) => moveIn(engine, key, value, options),
  };
}

function asynchronous(engine: MemoryEngine): AsynchronousMemoryEngine {
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

/** Both writes, or neither. Nothing comes between them. */
function moveIn(
  engine: MemoryEngine,
  key: string,
  value: string,
  { expires, owner, from }: MoveOptions,
): unknown {
  const old = engine.read(from.key);
  if (old?.version !== from.ifVersion || engine.read(key)) return null;
  const version = engine.write(key, value, { expires, owner });
  engine.write(from.key, from.value, { expires: from.expires });
  return version;
}
