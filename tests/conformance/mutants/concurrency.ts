import { hashId } from "../../../core/keys.ts";
import {
  type Bench,
  edit,
  isNote,
  isSession,
  keysOf,
  type Mutant,
  mutant,
  type Parts,
  type Real,
} from "./_mutant.ts";

export const concurrency: readonly Mutant[] = [
  mutant("CONC-01", {
    name: "a late save writes a destroyed record anew",
    reason: "the destroyed session can be read again",
    also: {
      "OWNER-07": "a session that its owner ended went in the same way",
      "FAULT-04": "a save that is repeated after a logout is late",
    },
    defect: (at) => revives(at, "deleted"),
  }),
  mutant("CONC-02", {
    name: "a late save writes a record anew whose id was regenerated away",
    reason: "the old id is valid again",
    also: {
      "RESTART-08": "a restart replaces the id too",
    },
    defect: (at) => revives(at, "moved"),
  }),
  mutant("CONC-02", {
    name: "a late save sends the cookie of the id that was regenerated away",
    reason: "the late save sends or clears a cookie",
    defect() {
      const away = new Set<string>();
      return {
        session: (real, value) => ({
          regenerateId() {
            if (value !== null) away.add(value);
            real.regenerateId();
          },
          async save(save) {
            const late = real.dirty && real.id === value && away.has(value);
            return await save() ?? (late ? value : null);
          },
        }),
      };
    },
  }),
  mutant("CONC-03", {
    name: "whoever has read a value writes back what was read",
    reason: "the request that only reads undid the write",
    defect: (at) => ({
      session(real) {
        const { seen } = at;
        let read = false;
        return {
          get(key) {
            read ||= real.has(key);
            return real.get(key);
          },
          async save(save) {
            const stored = seen && await at.engine.read(seen.key);
            if (read && !real.dirty && stored && stored.value !== seen.value) {
              await at.engine.write(seen.key, seen.value, stored);
            }
            return await save();
          },
        };
      },
    }),
  }),
  mutant("CONC-04", {
    name: "three values and more are written in two steps",
    reason: "a read returned parts of two writes",
    defect: ({ engine }) => ({
      engine: {
        async write(key, text, options) {
          const before = await engine.read(key);
          const stored = before && isSession(before.value);
          const values = stored ? JSON.parse(before.value)[7] : {};
          const half = edit(text, (parts) => {
            const [first = "", ...rest] = Object.keys(parts[7])
              .filter((key) => parts[7][key] !== values[key]);
            if (rest.length >= 2 && stored) {
              parts[7] = { ...values, [first]: parts[7][first] };
            }
          });
          if (half === text) return await engine.write(key, text, options);
          const ifVersion = await engine.write(key, half, options);
          for (let i = 0; i < 6; i++) await null;
          return ifVersion &&
            await engine.write(key, text, { ...options, ifVersion });
        },
      },
    }),
  }),
  mutant("CONC-05", {
    name: "of the writes of one moment, eight are done",
    reason: "a session is lost or mixed up",
    defect({ engine }) {
      let busy = 0;
      return {
        engine: {
          async write(key, text, options) {
            if (busy >= 8) return {};
            busy++;
            try {
              for (let i = 0; i < 4; i++) await null;
              return await engine.write(key, text, options);
            } finally {
              busy--;
            }
          },
        },
      };
    },
  }),
  mutant("CONC-06", {
    name: "where another has saved, the first value that is set stays as it is",
    reason: "the stored state mixes two saves",
    without: ["merge", "owners"],
    defect: (at) => ({
      engine: { guarantees: { ...at.engine.guarantees, compareAndSet: false } },
      session(real) {
        const before = { ...real.data };
        const sets: string[] = [];
        return {
          set(key, value) {
            sets.push(key);
            real.set(key, value);
          },
          async save(save) {
            const [first = ""] = sets;
            if (sets.length < 3) return await save();
            const now = (await at.storage.read(real.id)).data[first];
            if (now && now !== before[first]) real.set(first, now);
            return await save();
          },
        };
      },
    }),
  }),
  mutant("CONC-07", {
    name: "a save writes no key that its request has not seen",
    reason: "is lost",
    also: {
      "RESTART-04": "what is kept was not seen",
      "FAULT-04": "what was saved in between was not seen",
      "SHARED-08": "each of its requests writes such a key",
    },
    defect: (at) => keeping(at, () => true),
  }),
  mutant("CONC-08", {
    name: "a value that another has set meanwhile is not unset",
    reason: "the last save does not apply",
    defect: (at) => ({
      session(real) {
        const before = { ...real.data };
        const unset = new Set<string>();
        return {
          unset(key) {
            unset.add(key);
            real.unset(key);
          },
          async save(save) {
            if (real.destroyed || unset.size === 0) return await save();
            const { data } = await at.storage.read(real.id);
            for (const key of unset) {
              const isNew = key in data && key in before &&
                JSON.stringify(data[key]) !== JSON.stringify(before[key]);
              if (isNew && !real.has(key)) real.set(key, data[key]);
            }
            return await save();
          },
        };
      },
    }),
  }),
  mutant("CONC-09", {
    name: "the late save of a message sends the cookie again",
    reason: "the late save sends or clears a cookie",
    also: {
      "CONC-02": "a message is late there, too",
      "RESTART-08": "a message is late there, too",
      "CONC-10": "a message is late there, too",
    },
    defect: () => ({
      session(real, value) {
        let flashed = false;
        return {
          flash(key, text) {
            flashed = true;
            real.flash(key, text);
          },
          save: async (save) => await save() ?? (flashed ? value : null),
        };
      },
    }),
  }),
  mutant("CONC-09", {
    name: "a late save clears the cookie",
    reason: "the late save sends or clears a cookie",
    also: {
      "CONC-02": "a save is late after a new id, too",
      "OWNER-07": "its saves are late too",
      "RESTART-08": "a save is late after a restart, too",
      "CONC-10": "a request with a replaced id is late too",
    },
    defect: () => ({
      session: (real) => ({
        async save(save) {
          const changed = real.dirty;
          return await save() ?? (changed ? "" : null);
        },
      }),
    }),
  }),
  mutant("CONC-10", {
    name: "an id that was replaced is an id that never was",
    reason: "a request with a replaced id sends a cookie",
    defect: (at) => ({
      storage: {
        async read(value) {
          const session = await at.storage.read(value);
          const replaced = at.seen && isNote(at.seen.value);
          return replaced ? await at.storage.read(null) : session;
        },
      },
    }),
  }),
  mutant("CONC-10", {
    name: "what a request with a replaced id sets goes to the new session",
    reason: "a request with a replaced id changes the new session",
    defect: (at) => {
      const next = new Map<string, string>();
      return {
        session(real, value) {
          const replaced = at.seen !== null && isNote(at.seen.value);
          return {
            async save(save) {
              const { data } = real;
              const sent = await save();
              if (value && sent && sent !== value) next.set(value, sent);
              const other = next.get(value ?? "");
              if (!replaced || sent !== null || !other) return sent;
              const session = await at.storage.read(other);
              for (const key of Object.keys(data)) session.set(key, data[key]);
              await at.storage.save(session);
              return null;
            },
          };
        },
      };
    },
  }),
];

/** A late save silently writes a record again that was deleted or has a new id. */
function revives(at: Bench, which: "deleted" | "moved"): Parts {
  const gone = new Set<string>();
  let revived = false;
  return {
    engine: {
      async delete(key, options) {
        const done = await at.engine.delete(key, options);
        if (done && which === "deleted") gone.add(key);
        return done;
      },
      async write(key, text, options) {
        if (isNote(text) && which === "moved") gone.add(key);
        if (!gone.has(key) || !isSession(text)) {
          return await at.engine.write(key, text, options);
        }
        revived = true;
        return await at.engine.write(key, text, { expires: options.expires });
      },
    },
    session: () => ({
      async save(save) {
        const sent = await save();
        const silent = revived;
        revived = false;
        return silent ? null : sent;
      },
    }),
  };
}

/** Some saves write none but the keys that their request knows. */
export function keeping(at: Bench, when: (renewed: boolean) => boolean): Parts {
  const known = new Map<string, string[]>();
  return {
    engine: {
      write(key, text, options) {
        const keys = known.get(key);
        const fewer = keys
          ? edit(text, (parts) => parts[7] = pick(parts[7], keys))
          : text;
        return at.engine.write(key, fewer, options);
      },
    },
    session(real: Real) {
      let renewed = false;
      return {
        regenerateId() {
          renewed = true;
          real.regenerateId();
        },
        async save(save) {
          const key = hashId(real.id);
          if (when(renewed)) known.set(key, keysOf(real));
          renewed = false;
          return await save().finally(() => known.delete(key));
        },
      };
    },
  };
}

function pick(values: Record<string, unknown>, keys: string[]): object {
  const kept = Object.entries(values).filter(([key]) => keys.includes(key));
  return Object.fromEntries(kept);
}
