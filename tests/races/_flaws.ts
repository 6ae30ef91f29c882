/**
 * Mistakes that engines are made with: each turns a sound engine into one that must be found out.
 */
import type { Engine, EngineRecord } from "@satchel/session";

type Flaw = (engine: Engine) => Engine;

/** The first mistake, also for other processes. */
export function ignoringVersions(engine: Engine): Engine {
  return flawed(engine, {
    write: (key, value, { expires }) => engine.write(key, value, { expires }),
  });
}

/** What an engine's author may get wrong. */
export const FLAWS: Readonly<Record<string, Flaw>> = {
  "write() ignores the version": ignoringVersions,
  "write() looks at the version first and writes then": (engine) =>
    flawed(engine, {
      async write(key, value, { expires, ifVersion }) {
        const version = (await engine.read(key))?.version ?? null;
        if (ifVersion !== undefined && ifVersion !== version) return null;
        return await engine.write(key, value, { expires });
      },
    }),
  "write() makes a record anew that was deleted": (engine) =>
    flawed(engine, {
      async write(key, value, { expires, ifVersion }) {
        const options = { expires, ifVersion };
        return await engine.write(key, value, options) ??
          (await engine.read(key) ? null : await engine.write(key, value, {
            expires,
            ifVersion: null,
          }));
      },
    }),
  "write() is done after it was acknowledged": (engine) =>
    flawed(engine, {
      async write(key, value, options) {
        const known = await engine.read(key);
        const { ifVersion } = options;
        const holds = ifVersion === undefined ||
          ifVersion === (known?.version ?? null);
        if (!holds) return null;
        later(() => engine.write(key, value, options));
        return {};
      },
    }),
  "delete() ignores the version": (engine) =>
    flawed(engine, { delete: (key) => engine.delete(key) }),
  "delete() is done after it was acknowledged": (engine) =>
    flawed(engine, {
      async delete(key, options) {
        later(() => engine.delete(key, options));
        return true;
      },
    }),
  "delete() of another version says that it was done": (engine) =>
    flawed(engine, {
      delete: async (key, options) => await engine.delete(key, options) || true,
    }),
  "read() gives the version of a later moment than the text": (engine) =>
    flawed(engine, {
      async read(key) {
        const first = await engine.read(key);
        await turns(5);
        const then = await engine.read(key);
        return first && then && { ...first, version: then.version };
      },
    }),
  "read() gives what it gave before": (engine) => {
    const cache = new Map<string, EngineRecord | null>();
    let reads = 0;
    return flawed(engine, {
      async read(key) {
        const kept = cache.get(key);
        if (kept && ++reads % 3 === 0) return kept;
        const record = await engine.read(key);
        cache.set(key, record);
        return record;
      },
    });
  },
  "read() overlooks a record": (engine) => {
    let reads = 0;
    return flawed(engine, {
      read: async (key) => ++reads % 50 === 0 ? null : await engine.read(key),
    });
  },
  "read() mixes two records": (engine) => {
    const before = new Map<string, string>();
    return flawed(engine, {
      async write(key, value, options) {
        const old = (await engine.read(key))?.value;
        const version = await engine.write(key, value, options);
        if (version !== null && old) before.set(key, old);
        return version;
      },
      async read(key) {
        const record = await engine.read(key);
        const old = before.get(key);
        if (!record || old?.length !== record.value.length) return record;
        const half = record.value.length >> 1;
        const value = record.value.slice(0, half) + old.slice(half);
        return { ...record, value };
      },
    });
  },
};

function flawed(engine: Engine, flaw: Partial<Engine>): Engine {
  return {
    guarantees: engine.guarantees,
    read: flaw.read ?? ((key) => engine.read(key)),
    write: flaw.write ??
      ((key, value, options) => engine.write(key, value, options)),
    delete: flaw.delete ?? ((key, options) => engine.delete(key, options)),
  };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}

function later(act: () => Promise<unknown>): void {
  turns(20).then(act);
}
