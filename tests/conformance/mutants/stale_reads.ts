import type { EngineRecord } from "../../../mod.ts";
import { type Kept, perNamespace, SECOND } from "./_instances.ts";
import { isSession, type Mutant, mutant } from "./_mutant.ts";

/** The last update of a record. */
interface Update {
  readonly before: EngineRecord;
  readonly by: object;
  readonly at: number;
}

const replicas = perNamespace(() => new Map<string, Update>());

/** Instances that read what is older. */
export const staleReads: readonly Mutant[] = [
  mutant("SHARED-01", {
    name: "each instance keeps what it read for a second",
    reason: "instance two does not read what instance one changed",
    also: {
      "SHARED-02": "the flash is newer than what is kept",
      "SHARED-03": "what was destroyed is kept",
      "SHARED-04": "the old id's record is kept",
      "OWNER-04": "it ends at a second instance",
      "OWNER-08": "a list is kept too",
      "HOSTILE-04": "what was there before the damage is kept",
    },
    defect({ engine, now }) {
      const cache = new Map<string, Kept>();
      return {
        engine: {
          async read(key) {
            const kept = cache.get(key);
            if (kept && kept.until > now()) return kept.record;
            const record = await engine.read(key);
            if (record) cache.set(key, { record, until: now() + SECOND });
            return record;
          },
          async write(key, text, options) {
            cache.delete(key);
            return await engine.write(key, text, options);
          },
          async delete(key, options) {
            cache.delete(key);
            return await engine.delete(key, options);
          },
          async touch(key, expires, options) {
            cache.delete(key);
            return await engine.touch(key, expires, options);
          },
        },
      };
    },
  }),
  mutant("SHARED-01", {
    name: "each instance keeps the sessions that it read last, until it saves",
    reason: "instance two does not read what instance one changed",
    also: {
      "SHARED-02": "the flash is newer than what is kept",
      "SHARED-03": "what was destroyed is kept",
      "SHARED-04": "the old id's record is kept",
      "SHARED-06": "the earlier deadline is kept",
      "OWNER-04": "it ends at a second instance",
      "OWNER-08": "it ends at a second instance",
      "HOSTILE-04": "what was there before the damage is kept",
    },
    defect({ engine }) {
      const lru = new Map<string, EngineRecord>();
      return {
        engine: {
          async read(key) {
            const kept = lru.get(key);
            const record = kept ?? await engine.read(key);
            if (!record || !isSession(record.value)) return record;
            lru.delete(key);
            lru.set(key, record);
            const [oldest] = lru.keys();
            if (lru.size > 100 && oldest) lru.delete(oldest);
            return record;
          },
          async write(key, text, options) {
            lru.delete(key);
            return await engine.write(key, text, options);
          },
          async delete(key, options) {
            lru.delete(key);
            return await engine.delete(key, options);
          },
          async touch(key, expires, options) {
            lru.delete(key);
            return await engine.touch(key, expires, options);
          },
        },
      };
    },
  }),
  mutant("SHARED-01", {
    name: "each instance reads a replica that gets updates a second later",
    reason: "instance two does not read what instance one changed",
    also: {
      "SHARED-02": "the flash is an update",
      "SHARED-04": "the note under the old id is an update",
      "SHARED-07": "another instance saves before it opens one",
      "SHARED-08": "the instance that lost compares with its replica",
      "CONC-01": "it logs out at a second instance",
      "OWNER-07": "it ends at a second instance",
      "OWNER-08": "it ends at a second instance",
    },
    defect({ engine, namespace, now }) {
      const me = {};
      const updates = replicas(namespace);
      return {
        engine: {
          async read(key) {
            const record = await engine.read(key);
            const update = updates.get(key);
            const isLate = update && update.by !== me &&
              now() < update.at + SECOND;
            return record && isLate ? update.before : record;
          },
          async write(key, text, options) {
            const before = await engine.read(key);
            const version = await engine.write(key, text, options);
            if (before && version !== null && isSession(before.value)) {
              updates.set(key, { before, by: me, at: now() });
            }
            return version;
          },
        },
      };
    },
  }),
];
