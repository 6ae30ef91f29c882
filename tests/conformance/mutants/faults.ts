import { type Mutant, mutant } from "./_mutant.ts";

export const faults: readonly Mutant[] = [
  mutant("FAULT-01", {
    name: "a read that fails is a new session",
    reason: "a failed read returns a session",
    defect: (at) => ({
      storage: {
        read: (value) =>
          at.storage.read(value).catch(() => at.storage.read(null)),
      },
    }),
  }),
  mutant("FAULT-02", {
    name: "a failure is thrown as text",
    reason: "it rejects with a value that is not an Error",
    defect: () => ({
      session: () => ({
        save: (save) => save().catch((error) => Promise.reject(error.message)),
      }),
    }),
  }),
  mutant("FAULT-02", {
    name: "a failure is logged, and the request goes on",
    reason: "saving a change resolves although the write failed",
    also: {
      "FAULT-03": "a save that does not fail is not tried again",
      "OWNER-10": "a login that does not fail is not tried again",
      "REGEN-06": "a save that does not fail is not tried again",
    },
    defect: () => ({
      session: () => ({
        save: (save) =>
          save().catch((error) => {
            if (error.code === "store-failed") return null;
            throw error;
          }),
      }),
    }),
  }),
  mutant("FAULT-03", {
    name: "a save that fails forgets the flashes",
    reason: "the retry lost a flash",
    defect: () => ({
      session(real) {
        const flashes = new Set<string>();
        return {
          flash(key, value) {
            flashes.add(key);
            real.flash(key, value);
          },
          save: (save) =>
            save().catch((error) => {
              for (const key of flashes) real.unset(key);
              throw error;
            }),
        };
      },
    }),
  }),
];
