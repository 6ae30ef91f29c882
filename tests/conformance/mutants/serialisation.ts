import { type Mutant, mutant } from "./_mutant.ts";

export const serialisation: readonly Mutant[] = [
  mutant("SERIAL-01", {
    name: "a text comes back in the normal form of Unicode",
    reason: "a value comes back changed",
    defect: () => ({
      session: (real) => ({
        get(key) {
          const value = real.get(key);
          return typeof value === "string" ? value.normalize() : value;
        },
      }),
    }),
  }),
  mutant("SERIAL-02", {
    name: "spaces around a key are ignored",
    reason: 'key "" is lost',
    defect: () => ({
      session: (real) => ({
        has: (key) => real.has(key.trim()),
        get: (key) => real.get(key.trim()),
        set: (key, value) => real.set(key.trim(), value),
        unset: (key) => real.unset(key.trim()),
        flash: (key, value) => real.flash(key.trim(), value),
      }),
    }),
  }),
  mutant("SERIAL-03", {
    name: "a date becomes text",
    reason: "a Date is neither rejected nor returned unchanged",
    defect: () => ({
      session: (real) => ({
        set: (key, value) =>
          real.set(key, value instanceof Date ? value.toISOString() : value),
      }),
    }),
  }),
  mutant("SERIAL-03", {
    name: "an undefined in an object is left out",
    reason: "undefined in an object is neither rejected nor returned unchanged",
    defect: () => ({
      session: (real) => ({
        set(key, value) {
          const isPlain = value?.constructor === Object;
          const [name] = isPlain ? Object.keys(value) : [];
          const left = name !== undefined &&
            (value as Record<string, unknown>)[name] === undefined;
          real.set(key, left ? {} : value);
        },
      }),
    }),
  }),
  mutant("SERIAL-03", {
    name: "half of a pair of surrogates is refused",
    reason: "a lone surrogate is rejected",
    defect: () => ({
      session: (real) => ({
        set(key, value) {
          if (Array.isArray(value) && value[0] === "\ud800") {
            throw new TypeError("the text is not well-formed");
          }
          real.set(key, value);
        },
      }),
    }),
  }),
  mutant("SERIAL-04", {
    name: "what is not refused is saved first",
    reason: "the rejected save changed the stored records",
    defect: () => ({
      session: (real) => ({
        save: (save) =>
          save().catch(async (error) => {
            for (const [key, value] of Object.entries(real.data)) {
              if (typeof value === "bigint") real.unset(key);
            }
            if (error.code === "unserializable") await save();
            throw error;
          }),
      }),
    }),
  }),
];
