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
      "RESTART-09": "a save that does not fail is not tried again",
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
  mutant("FAULT-04", {
    name: "a save that is repeated is written over whatever is stored",
    reason: "the repeated save undid a change",
    defect: (at) => {
      let repeats = false;
      return {
        engine: {
          async write(key, text, options) {
            const { ifVersion, expires } = options;
            const over = repeats && ifVersion !== null &&
              await at.engine.read(key) !== null;
            return await at.engine.write(
              key,
              text,
              over ? { expires } : options,
            );
          },
        },
        session(real) {
          let failed = false;
          return {
            async save(save) {
              repeats = failed && !real.destroyed;
              failed = true;
              const sent = await save().finally(() => repeats = false);
              failed = false;
              return sent;
            },
          };
        },
      };
    },
  }),
  mutant("FAULT-04", {
    name: "a save that failed is made up for, if need be as a new session",
    reason: "the repeated save restored a destroyed session",
    defect: (at) => ({
      session(real) {
        let failed = false;
        return {
          async save(save) {
            const repeats = failed && real.dirty && !real.destroyed;
            const { data } = real;
            failed = true;
            const sent = await save();
            failed = false;
            if (!repeats || sent !== null) return sent;
            const session = await at.storage.read(null);
            for (const key of Object.keys(data)) session.set(key, data[key]);
            return await at.storage.save(session);
          },
        };
      },
    }),
  }),
];
