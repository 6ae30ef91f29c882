import { flashesOf, isFlash, keysOf, type Mutant, mutant } from "./_mutant.ts";

export const unset: readonly Mutant[] = [
  mutant("UNSET-01", {
    name: "unset takes the text behind the key along",
    reason: "another key is lost",
    defect: () => ({
      session: (real) => ({
        unset(key) {
          const keys = keysOf(real);
          const next = keys[keys.indexOf(key) + 1];
          if (keys.includes(key) && typeof real.data[next ?? ""] === "string") {
            real.unset(next ?? "");
          }
          real.unset(key);
        },
      }),
    }),
  }),
  mutant("UNSET-02", {
    name: "to unset an absent key is a change",
    reason: "a cookie is sent for an unchanged session",
    defect: () => ({
      session(real) {
        let changed = false;
        return {
          unset(key) {
            changed ||= !real.has(key);
            real.unset(key);
          },
          save: (save) => save({ renew: changed }),
        };
      },
    }),
  }),
  mutant("UNSET-03", {
    name: "a session that is emptied is destroyed",
    reason: "the cookie is cleared",
    defect: () => ({
      session: (real) => ({
        unset(key) {
          const last = real.size === 1 && real.has(key) && !isFlash(real, key);
          real.unset(key);
          if (last) real.destroy();
        },
      }),
    }),
  }),
  mutant("UNSET-03", {
    name: "a session that is emptied gets a new id",
    reason: "the emptied session has another id",
    defect: () => ({
      session: (real) => ({
        unset(key) {
          const last = real.size === 1 && real.has(key) && !isFlash(real, key);
          real.unset(key);
          if (last) real.regenerateId();
        },
      }),
    }),
  }),
  mutant("UNSET-04", {
    name: "all unsets come after all sets",
    reason: "a set after an unset is lost",
    defect: () => ({
      session(real) {
        const unset: string[] = [];
        return {
          unset(key) {
            unset.push(key);
            real.unset(key);
          },
          async save(save) {
            if (!real.destroyed) { for (const key of unset) real.unset(key); }
            return await save();
          },
        };
      },
    }),
  }),
  mutant("UNSET-05", {
    name: "a record is written in front of the one before",
    reason: "an unset value is still in the stored bytes",
    defect: ({ engine }) => ({
      engine: {
        async read(key) {
          const record = await engine.read(key);
          return record &&
            { ...record, value: record.value.split("\n")[0] ?? "" };
        },
        async write(key, text, options) {
          const before = await engine.read(key);
          const all = before ? `${text}\n${before.value}` : text;
          return await engine.write(key, all, options);
        },
      },
    }),
  }),
  mutant("UNSET-05", {
    name: "a record, written backwards, keeps the room of what was removed",
    reason: "an unset value still takes space in the stored bytes",
    defect: ({ engine }) => ({
      engine: {
        async read(key) {
          const record = await engine.read(key);
          return record && { ...record, value: backwards(record.value.trim()) };
        },
        async write(key, text, options) {
          const before = await engine.read(key);
          const room = before?.value.length ?? 0;
          const code = backwards(text).padEnd(room, "\n");
          return await engine.write(key, code, options);
        },
      },
    }),
  }),
  mutant("UNSET-06", {
    name: "unset leaves a flash",
    reason: "a flash of this request is not removed",
    defect: () => ({
      session: (real) => ({
        unset: (key) => isFlash(real, key) || real.unset(key),
      }),
    }),
  }),
  mutant("UNSET-07", {
    name: "a key that the request has not seen is not unset",
    reason: "a value that was set meanwhile stays",
    defect: () => ({
      session: (real) => ({
        unset(key) {
          if (real.has(key)) real.unset(key);
        },
      }),
    }),
  }),
  mutant("UNSET-07", {
    name: "unset removes flashes that the request has seen, and no others",
    reason: "a flash that was set meanwhile stays",
    defect: (at) => ({
      session(real) {
        const unset = new Set<string>();
        return {
          unset(key) {
            if (!real.has(key)) unset.add(key);
            real.unset(key);
          },
          async save(save) {
            const other = unset.size > 0 && !real.destroyed
              ? await at.storage.read(real.id)
              : undefined;
            for (const key of unset) {
              if (other && isFlash(other, key)) real.flash(key, other.get(key));
            }
            return await save();
          },
        };
      },
    }),
  }),
  mutant("UNSET-08", {
    name: "clear removes the values and leaves the flashes",
    reason: "an entry is left in this request",
    defect: () => ({
      session: (real) => ({
        clear() {
          for (const key of keysOf(real)) real.unset(key);
        },
      }),
    }),
  }),
  mutant("UNSET-08", {
    name: "clear removes what the request knows",
    reason: "an entry is left in a later request",
    defect: (at) => ({
      session: (real) => ({
        clear() {
          const keys = [
            ...keysOf(real),
            ...Object.keys(flashesOf(at, real)),
            "brief",
          ];
          for (const key of keys) real.unset(key);
        },
      }),
    }),
  }),
  mutant("UNSET-08", {
    name: "clear is a new session",
    reason: "the cleared session has another id",
    defect: () => ({
      session: (real) => ({ clear: () => real.restart() }),
    }),
  }),
];

function backwards(text: string): string {
  return text.split("").reverse().join("");
}
