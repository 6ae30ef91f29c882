/**
 * Storages that are right, whose calls come early, late, together, twice or one at a time.
 */
import type { EngineRecord } from "../../../mod.ts";
import type { Target } from "../../../conformance/mod.ts";
import { everyCall, odd, type Plain, turn } from "./_build.ts";

/** In milliseconds. */
const HOUR = 3_600_000;

/** Storages whose calls take their own time. */
export const pace: readonly Target[] = [
  odd("slow", {
    engine: (memory) =>
      everyCall(memory, async (call) => {
        for (let i = 0; i < 3; i++) await turn();
        const result = await call();
        await turn();
        return result;
      }),
  }),
  odd("now slow, now quick", {
    engine(memory) {
      let calls = 0;
      return everyCall(memory, async (call) => {
        for (let i = calls++ % 3 * 2; i > 0; i--) await turn();
        return await call();
      });
    },
  }),
  odd("a pool of one connection", {
    engine(memory) {
      let queue: Promise<unknown> = Promise.resolve();
      return everyCall(memory, (call) => {
        const mine = queue.then(call);
        queue = mine.catch(() => {});
        return mine;
      });
    },
  }),
  odd("writes of one moment together", {
    engine(memory) {
      const waiting: (() => void)[] = [];
      const { read: _, ...writes } = everyCall(memory, async (call) => {
        await new Promise<void>((resolve) => {
          if (waiting.push(resolve) > 1) return;
          turn().then(() => waiting.splice(0).forEach((go) => go()));
        });
        return await call();
      });
      return { ...writes, read: memory.read };
    },
  }),
  odd("reads of one moment together, each key once", { engine: batched }),
  odd("each call fails once, and is tried again inside", {
    engine: (memory) =>
      everyCall(memory, async (call) => {
        for (let tries = 0;; tries++) {
          try {
            await turn();
            if (tries === 0) throw new Error("ECONNRESET");
            return await call();
          } catch (error) {
            if (tries > 0) throw error;
          }
        }
      }),
  }),
  odd("a connection that opens at the first call", {
    engine(memory) {
      let connecting: Promise<void> | undefined;
      return everyCall(memory, async (call) => {
        await (connecting ??= turn());
        return await call();
      });
    },
  }),
  odd("a slow close, which waits for the calls that run", {
    engine(memory) {
      const running = new Set<Promise<unknown>>();
      const engine = everyCall(memory, async (call) => {
        const mine = turn().then(call);
        running.add(mine);
        return await mine.finally(() => running.delete(mine));
      });
      return {
        ...engine,
        async close() {
          await Promise.allSettled(running);
          for (let i = 0; i < 20; i++) await turn();
        },
      };
    },
  }),
  odd("a sweep on every write", {
    engine: (memory, { now }) => ({
      ...memory,
      async write(key, value, options) {
        // Kept for an hour, in case another server's clock is behind.
        await memory.sweep(now() - HOUR);
        return await memory.write(key, value, options);
      },
    }),
  }),
  odd("a sweep now and then", {
    engine(memory, { now }) {
      const timer = setInterval(() => void memory.sweep(now() - HOUR), 1);
      return { ...memory, close: async () => clearInterval(timer) };
    },
  }),
  odd("a timer that holds nothing", {
    engine(memory) {
      // As where one timer watches all calls, and stays for the next one.
      const timer: unknown = setTimeout(() => {}, 1000);
      (timer as { unref(): void }).unref();
      return memory;
    },
  }),
  cached(),
];

/** Reads that are asked for before the next turn are answered by one. */
function batched(memory: Plain): Plain {
  const asked = new Map<string, Promise<EngineRecord | null>>();
  return {
    ...memory,
    read(key) {
      const reading = asked.get(key) ?? turn().then(() => {
        asked.delete(key);
        return memory.read(key);
      });
      asked.set(key, reading);
      return reading;
    },
  };
}

/** A cache in front of each instance. A write empties the caches of all instances before it resolves. */
function cached(): Target {
  const changes = new WeakMap<Plain["read"], Map<string, number>>();
  return odd(
    "a cache for each instance, which every write of any instance empties",
    {
      engine(memory) {
        // How often each key has changed: an older answer must not come into a cache late.
        const changed = changes.get(memory.read) ?? new Map<string, number>();
        changes.set(memory.read, changed);
        const cache = new Map<
          string,
          { record: EngineRecord | null; at: number }
        >();
        const at = (key: string) => changed.get(key) ?? 0;
        const change = async <T>(key: string, call: () => Promise<T>) => {
          try {
            return await call();
          } finally {
            changed.set(key, at(key) + 1);
          }
        };
        return {
          ...memory,
          async read(key) {
            const known = cache.get(key);
            if (known?.at === at(key)) return known.record;
            const begun = at(key);
            await turn();
            const record = await memory.read(key);
            cache.set(key, { record, at: begun });
            return record;
          },
          write: (key, ...args) =>
            change(key, () => memory.write(key, ...args)),
          delete: (key, ...args) =>
            change(key, () => memory.delete(key, ...args)),
          touch: (key, ...args) =>
            change(key, () => memory.touch(key, ...args)),
          async sweep(now) {
            await memory.sweep(now);
            for (const key of changed.keys()) changed.set(key, at(key) + 1);
          },
        };
      },
    },
  );
}
