/**
 * Storages that are right, and keep time their own way.
 */
import type { Engine, EngineRecord } from "../../../mod.ts";
import type { Target } from "../../../conformance/mod.ts";
import { CLAIMS } from "../mutants/_mutant.ts";
import { odd, type Plain } from "./_build.ts";
import { LaggingEngine } from "./_lagging_engine.ts";
import { Recent } from "../_recent.ts";

/** Storages whose deadlines are coarse, relative, late, or by another clock. */
export const clocks: readonly Target[] = [
  odd("records gone at their deadline", {
    engine: (memory, { now }) => ({
      ...memory,
      async read(key) {
        const record = await memory.read(key);
        return record && record.expires > now() ? record : null;
      },
    }),
  }),
  odd("an engine without touch", {
    engine: ({ guarantees, read, write, delete: remove, sweep }) => ({
      guarantees,
      read,
      write,
      delete: remove,
      sweep,
    }),
  }),
  odd("times to live, by a database five minutes ahead", {
    aheadMs: 300_000,
    engine: (memory, { now }) => timesToLive(memory, now, 300_000),
  }),
  odd("times to live, by a database five minutes behind", {
    aheadMs: -300_000,
    engine: (memory, { now }) => timesToLive(memory, now, -300_000),
  }),
  aged("deadlines rounded down to whole seconds", Math.floor),
  aged("deadlines rounded up to whole seconds", Math.ceil),
  timer(),
  lagging(),
];

/** Hands the database how long a record lives. The database's clock differs from the servers', which alone know `now`. */
function timesToLive(
  memory: Plain,
  now: () => number,
  aheadMs: number,
): Plain {
  const theirs = () => now() + aheadMs;
  const until = (expires: number) => {
    const ttl = expires - now();
    return theirs() + ttl;
  };
  return {
    ...memory,
    async read(key): Promise<EngineRecord | null> {
      const record = await memory.read(key);
      if (!record) return null;
      const ttl = record.expires - theirs();
      return ttl > 0 ? { ...record, expires: now() + ttl } : null;
    },
    write: (key, value, options) =>
      memory.write(key, value, { ...options, expires: until(options.expires) }),
    touch: (key, expires, options) =>
      memory.touch(key, until(expires), options),
    sweep: () => memory.sweep(theirs()),
  };
}

/** Deadlines in whole seconds, by a clock of its own. */
function aged(name: string, round: (seconds: number) => number): Target {
  const engines = new Recent<Plain>();
  const keys = new Recent<Set<string>>();
  const whole = (ms: number) => round(ms / 1000) * 1000;
  return odd(name, {
    claims: CLAIMS.filter((claim) => claim !== "absolute"),
    clock: {
      kind: "aged",
      async age(ms, namespace) {
        const engine = engines.get(namespace);
        for (const key of keys.get(namespace) ?? []) {
          const record = await engine?.read(key);
          if (!record) continue;
          const expires = Math.floor((record.expires - ms) / 1000) * 1000;
          await engine?.write(key, record.value, { expires });
        }
      },
    },
    engine(memory, { namespace }): Engine {
      engines.set(namespace, memory);
      const known = keys.get(namespace) ?? new Set();
      keys.set(namespace, known);
      return {
        ...memory,
        write(key, value, { expires, ...options }) {
          known.add(key);
          return memory.write(key, value, {
            ...options,
            expires: whole(expires),
          });
        },
        touch: (key, expires, options) =>
          memory.touch(key, whole(expires), options),
      };
    },
  });
}

/** Each record has a timer, which deletes it. */
function timer(): Target {
  return odd("a timer for each record, which deletes it", {
    claims: ["revoke", "shared", "expiry", "touch", "merge"],
    clock: { kind: "real", granularityMs: 20 },
    engine(memory) {
      const timers = new Map<string, ReturnType<typeof setTimeout>>();
      const plan = (key: string, expires: number) => {
        clearTimeout(timers.get(key));
        // A timer cannot be longer than 2^31 ms.
        const ms = Math.min(2 ** 31 - 1, expires - Date.now());
        timers.set(
          key,
          setTimeout(async () => {
            const record = await memory.read(key);
            if (!record) return;
            // Another instance may have moved it.
            if (record.expires > Date.now()) plan(key, record.expires);
            else await memory.delete(key, { ifVersion: record.version });
          }, ms),
        );
      };
      return {
        ...memory,
        async write(key, value, options) {
          const version = await memory.write(key, value, options);
          if (version !== null) plan(key, options.expires);
          return version;
        },
        async touch(key, expires, options) {
          const done = await memory.touch(key, expires, options);
          if (done) plan(key, expires);
          return done;
        },
        async close() {
          for (const timer of timers.values()) clearTimeout(timer);
        },
      };
    },
  });
}

/** What one instance writes reaches the others later, and time has to pass. */
function lagging(): Target {
  const lagMs = 4;
  const engines = new Recent<LaggingEngine>();
  return odd("reads that lag", {
    // Nothing ends at once where reads lag, and what two requests write in one moment is not kept apart.
    claims: ["shared", "durable", "namespaces", "expiry", "touch"],
    clock: { kind: "real", granularityMs: 4, lagMs },
    engine(_, { namespace }) {
      const shared = engines.get(namespace) ?? new LaggingEngine(lagMs);
      engines.set(namespace, shared);
      return shared.connect();
    },
  });
}
