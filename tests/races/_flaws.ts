/**
 * Mistakes that engines are made with: each turns a sound engine into one that must be found out.
 */
import type { Backend, BackendRecord } from "@satchel/session";

type Flaw = (backend: Backend) => Backend;

/** The first mistake, also for other processes. */
export function ignoringVersions(backend: Backend): Backend {
  return flawed(backend, {
    write: (key, value, { expires }) => backend.write(key, value, { expires }),
  });
}

/** What an engine's author may get wrong. */
export const FLAWS: Readonly<Record<string, Flaw>> = {
  "write() ignores the version": ignoringVersions,
  "write() looks at the version first and writes then": (backend) =>
    flawed(backend, {
      async write(key, value, { expires, ifVersion }) {
        const version = (await backend.read(key))?.version ?? null;
        if (ifVersion !== undefined && ifVersion !== version) return null;
        return await backend.write(key, value, { expires });
      },
    }),
  "write() makes a record anew that was deleted": (backend) =>
    flawed(backend, {
      async write(key, value, { expires, ifVersion }) {
        const options = { expires, ifVersion };
        return await backend.write(key, value, options) ??
          (await backend.read(key) ? null : await backend.write(key, value, {
            expires,
            ifVersion: null,
          }));
      },
    }),
  "write() is done after it was acknowledged": (backend) =>
    flawed(backend, {
      async write(key, value, options) {
        const known = await backend.read(key);
        const { ifVersion } = options;
        const holds = ifVersion === undefined ||
          ifVersion === (known?.version ?? null);
        if (!holds) return null;
        later(() => backend.write(key, value, options));
        return {};
      },
    }),
  "delete() ignores the version": (backend) =>
    flawed(backend, { delete: (key) => backend.delete(key) }),
  "delete() is done after it was acknowledged": (backend) =>
    flawed(backend, {
      async delete(key, options) {
        later(() => backend.delete(key, options));
        return true;
      },
    }),
  "delete() of another version says that it was done": (backend) =>
    flawed(backend, {
      delete: async (key, options) =>
        await backend.delete(key, options) || true,
    }),
  "read() gives the version of a later moment than the text": (backend) =>
    flawed(backend, {
      async read(key) {
        const first = await backend.read(key);
        await turns(5);
        const then = await backend.read(key);
        return first && then && { ...first, version: then.version };
      },
    }),
  "read() gives what it gave before": (backend) => {
    const cache = new Map<string, BackendRecord | null>();
    let reads = 0;
    return flawed(backend, {
      async read(key) {
        const kept = cache.get(key);
        if (kept && ++reads % 3 === 0) return kept;
        const record = await backend.read(key);
        cache.set(key, record);
        return record;
      },
    });
  },
  "read() overlooks a record": (backend) => {
    let reads = 0;
    return flawed(backend, {
      read: async (key) => ++reads % 50 === 0 ? null : await backend.read(key),
    });
  },
  "read() mixes two records": (backend) => {
    const before = new Map<string, string>();
    return flawed(backend, {
      async write(key, value, options) {
        const old = (await backend.read(key))?.value;
        const version = await backend.write(key, value, options);
        if (version !== null && old) before.set(key, old);
        return version;
      },
      async read(key) {
        const record = await backend.read(key);
        const old = before.get(key);
        if (!record || old?.length !== record.value.length) return record;
        const half = record.value.length >> 1;
        const value = record.value.slice(0, half) + old.slice(half);
        return { ...record, value };
      },
    });
  },
};

function flawed(backend: Backend, flaw: Partial<Backend>): Backend {
  return {
    guarantees: backend.guarantees,
    read: flaw.read ?? ((key) => backend.read(key)),
    write: flaw.write ??
      ((key, value, options) => backend.write(key, value, options)),
    delete: flaw.delete ?? ((key, options) => backend.delete(key, options)),
  };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await undefined;
}

function later(act: () => Promise<unknown>): void {
  turns(20).then(act);
}
