import type { EngineRecord } from "../../../mod.ts";
import { type Kept, perNamespace, SECOND } from "./_instances.ts";
import { edit, isSession, type Mutant, mutant } from "./_mutant.ts";

const writers = perNamespace(() => new Map<string, object>());
const renamed = perNamespace(() => new Map<string, object>());
const pools = perNamespace(() => ({ pool: { ended: false } }));

export const instances: readonly Mutant[] = [
  mutant("SHARED-02", {
    name: "a flash that was consumed is in the other instances' caches",
    reason: "reads a flash again that instance",
    defect({ engine }) {
      const cache = new Map<string, EngineRecord>();
      return {
        engine: {
          async read(key) {
            const record = await engine.read(key);
            const kept = cache.get(key);
            cache.delete(key);
            if (!record || !isSession(record.value)) return record;
            if (kept && hasFlash(kept.value) && !hasFlash(record.value)) {
              return { ...record, value: kept.value };
            }
            return record;
          },
          async write(key, text, options) {
            const version = await engine.write(key, text, options);
            const { expires } = options;
            cache.delete(key);
            if (version !== null && hasFlash(text)) {
              cache.set(key, { value: text, version, expires });
            }
            return version;
          },
        },
      };
    },
  }),
  mutant("SHARED-03", {
    name: "deletes reach the other instances a second later",
    reason: "reads a session that instance one destroyed",
    also: {
      "CONC-01": "it logs out at a second instance",
      "OWNER-04": "it ends at a second instance",
      "OWNER-07": "it ends at a second instance",
      "OWNER-08": "what was ended stays in a list",
    },
    defect({ engine, now }) {
      const cache = new Map<string, Kept>();
      const mine = new Set<string>();
      return {
        engine: {
          async read(key) {
            const record = await engine.read(key);
            const kept = cache.get(key);
            if (!record) return kept && kept.until > now() ? kept.record : null;
            if (!mine.has(key) && isSession(record.value)) {
              cache.set(key, { record, until: now() + SECOND });
            } else cache.delete(key);
            return record;
          },
          async delete(key, options) {
            mine.add(key);
            cache.delete(key);
            return await engine.delete(key, options);
          },
        },
      };
    },
  }),
  mutant("SHARED-04", {
    name: "a new id is known to the instance that made it",
    reason: "does not read the session by its new id",
    also: {
      "CONC-01": "it logs out at a second instance",
      "OWNER-04": "it ends at a second instance",
      "OWNER-07": "it ends at a second instance",
      "OWNER-08": "it lists at a second instance",
      "OWNER-11": "its logins reach two instances",
      "OWNER-14": "it lists at a second instance",
    },
    defect({ engine, namespace }) {
      const me = {};
      let renaming = false;
      return {
        engine: {
          async read(key) {
            const by = renamed(namespace).get(key);
            return by && by !== me ? null : await engine.read(key);
          },
          async write(key, text, options) {
            if (renaming && options.ifVersion === null && isSession(text)) {
              renamed(namespace).set(key, me);
            }
            return await engine.write(key, text, options);
          },
        },
        session: (real) => {
          let asked = false;
          return {
            regenerateId() {
              asked = true;
              real.regenerateId();
            },
            async save(save) {
              renaming = asked;
              return await save().finally(() => renaming = false);
            },
          };
        },
      };
    },
  }),
  mutant("SHARED-05", {
    name: "what is not there stays away for a second",
    reason: "an instance that looked too early does not read the session",
    defect(at) {
      const missing = new Map<string, number>();
      return {
        storage: {
          async read(value) {
            const known = value !== null &&
              at.now() >= (missing.get(value) ?? 0);
            const session = await at.storage.read(known ? value : null);
            if (known && session.id !== value) {
              missing.set(value, at.now() + SECOND);
            }
            return session;
          },
        },
      };
    },
  }),
  mutant("SHARED-06", {
    name: "each instance remembers a deadline as it first saw it",
    reason: "does not move the deadline at another",
    defect({ engine }) {
      const deadlines = new Map<string, number>();
      return {
        engine: {
          async read(key) {
            const record = await engine.read(key);
            if (!record) return record;
            const expires = deadlines.get(key) ?? record.expires;
            deadlines.set(key, expires);
            return { ...record, expires };
          },
          async write(key, text, options) {
            deadlines.set(key, options.expires);
            return await engine.write(key, text, options);
          },
          async touch(key, expires, options) {
            deadlines.set(key, expires);
            return await engine.touch(key, expires, options);
          },
        },
      };
    },
  }),
  mutant("SHARED-06", {
    name:
      "a shorter lifetime reaches the other instances when theirs has ended",
    reason: "made short can be read at another after its deadline",
    defect({ engine }) {
      const deadlines = new Map<string, number>();
      return {
        engine: {
          async read(key) {
            const record = await engine.read(key);
            if (!record) return record;
            const expires = deadlines.get(key) ?? 0;
            if (expires > record.expires) {
              const value = edit(record.value, (parts) => parts[4] = null);
              return { ...record, expires, value };
            }
            deadlines.set(key, record.expires);
            return record;
          },
          async write(key, text, options) {
            deadlines.set(key, options.expires);
            return await engine.write(key, text, options);
          },
        },
      };
    },
  }),
  mutant("SHARED-07", {
    name: "the first instance that closes ends the pool of all",
    reason: "rejected: SessionError",
    defect({ engine, namespace }) {
      const shared = pools(namespace);
      if (shared.pool.ended) shared.pool = { ended: false };
      const { pool } = shared;
      const query = async <T>(call: () => Promise<T>): Promise<T> => {
        if (pool.ended) throw new Error("Cannot use a pool after end()");
        return await call();
      };
      return {
        engine: {
          read: (key) => query(() => engine.read(key)),
          write: (...args) => query(() => engine.write(...args)),
          delete: (...args) => query(() => engine.delete(...args)),
        },
        storage: { close: async () => void (pool.ended = true) },
      };
    },
  }),
  mutant("SHARED-08", {
    name: "an instance knows of its own writes only when it compares",
    reason: "a change of one instance undoes that of the other",
    defect({ engine, namespace }) {
      const me = {};
      return {
        engine: {
          async write(key, text, { ifVersion, ...options }) {
            const last = writers(namespace).get(key);
            const mine = last === undefined || last === me ||
              ifVersion === null || !isSession(text);
            const version = await engine.write(
              key,
              text,
              mine && ifVersion !== undefined
                ? { ...options, ifVersion }
                : options,
            );
            if (version !== null) writers(namespace).set(key, me);
            return version;
          },
        },
      };
    },
  }),
];

function hasFlash(text: string): boolean {
  let flashes = {};
  edit(text, (parts) => flashes = parts[8] ?? {});
  return Object.keys(flashes).length > 0;
}
