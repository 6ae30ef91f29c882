import { type Mutant, mutant } from "./_mutant.ts";

export const persistence: readonly Mutant[] = [
  mutant("PERSIST-01", {
    name: "rows of a list come back sorted",
    reason: "a saved value comes back changed",
    defect: () => ({
      session: (real) => ({
        get: (key) => {
          const value = real.get(key);
          if (!Array.isArray(value) || !value[0]?.sku) return value;
          return value.toSorted((a, b) => a.sku < b.sku ? -1 : 1);
        },
      }),
    }),
  }),
  mutant("PERSIST-02", {
    name: "reading a text counts as a change",
    reason: "a cookie is sent for a session that was only read",
    defect: () => ({
      session(real) {
        let read = false;
        return {
          get(key) {
            const value = real.get(key);
            read ||= typeof value === "string";
            return value;
          },
          save: (save) => save({ renew: read }),
        };
      },
    }),
  }),
  mutant("PERSIST-02", {
    name: "a first visit leaves a record",
    reason: "an unchanged new session is stored",
    also: { "UNSET-02": "it looks at the records of a first visit too" },
    defect: (at) => ({
      session: (real, value) => ({
        async save(save) {
          const expires = at.now() + 60_000;
          if (value === null && real.size === 0 && !real.destroyed) {
            await at.engine.write(real.id, "[]", { expires });
          }
          return await save();
        },
      }),
    }),
  }),
  mutant("PERSIST-03", {
    name: "an object is merged into the one before",
    reason: "the old value is merged into the new one",
    defect: () => ({
      session: (real) => ({
        set(key, value) {
          const old = real.data[key];
          const both = [old, value].every((v) =>
            v?.constructor === Object && !Array.isArray(v)
          );
          real.set(key, both ? { ...old, ...value as object } : value);
        },
      }),
    }),
  }),
  mutant("PERSIST-04", {
    name: "each instance has an engine of its own",
    reason: "the second instance does not read the session",
    also: {
      "OWNER-01": "it lists by a second instance too",
      "OWNER-04": "it ends by a second instance",
      "OWNER-07": "it ends by a second instance too",
      "OWNER-08": "it ends by a second instance too",
      "EXPIRY-12": "it opens a second instance",
      "RESTART-07": "its logins reach two instances",
      "CONC-01": "it logs out by a second instance too",
      "OWNER-11": "its logins reach two instances",
      "OWNER-14": "it lists by a second instance too",
      "SHARED-01": "it reads at a second instance",
      "SHARED-02": "its flash is read at a second instance",
      "SHARED-03": "its logout reaches the other instance",
      "SHARED-04": "it reads a new id at a second instance",
      "SHARED-05": "it reads at a second instance",
      "SHARED-06": "it reads at a second instance",
      "SHARED-07": "it reads at a second instance",
      "SHARED-08": "its changes reach two instances",
    },
    without: ["durable"],
    defect(at) {
      at.lose();
      return {};
    },
  }),
  mutant("PERSIST-05", {
    name: "the id of a destroyed session is shown again",
    reason: "the id of the destroyed session is used again",
    defect() {
      const ended = new Set<string>();
      return {
        session: (real, value) => ({
          get id() {
            return value !== null && ended.has(value) ? value : real.id;
          },
          async save(save) {
            if (real.destroyed && value !== null) ended.add(value);
            return await save();
          },
        }),
      };
    },
  }),
  mutant("PERSIST-05", {
    name: "destroy clears the cookie and nothing else",
    reason: "the destroyed session still has its data",
    also: {
      "CONC-01": "there is nothing that could come back, as nothing went",
      "CONC-09": "the late save finds its session as it was",
      "EXPIRY-05": "it has requests destroy sessions that others slide",
      "FAULT-02": "no write fails where none is made",
      "FAULT-03": "no write fails where none is made",
      "OWNER-06": "it ends in a destroy",
      "REGEN-04": "it ends in a destroy",
      "REGEN-05": "a destroyed id is among those that it plants",
      "FAULT-04": "it logs out between two saves",
      "SHARED-03": "it reads what another instance destroyed",
    },
    defect: () => ({
      session: (real) => ({
        save: async (save) => real.destroyed ? "" : await save(),
      }),
    }),
  }),
  mutant("PERSIST-06", {
    name: "balances are written when they are set",
    reason: "an unsaved change is visible",
    defect() {
      const written = new Map<string, object>();
      return {
        session: (real, value) => ({
          set(key, object) {
            real.set(key, object);
            const isBalance = object?.constructor === Object &&
              Object.values(object).every((n) => typeof n === "number");
            if (isBalance && value) written.set(value + key, { ...object });
          },
          get: (key) => written.get(value + key) ?? real.get(key),
        }),
      };
    },
  }),
  mutant("PERSIST-07", {
    name: "signing out in two tabs is an error in the second",
    reason: "destroy by A4 rejected: Error: no such session",
    defect() {
      const ended = new Set<string>();
      return {
        session(real, value) {
          const { id } = real;
          return {
            async save(save) {
              if (!real.destroyed || id !== value) return await save();
              if (ended.has(id)) throw new Error("no such session");
              ended.add(id);
              return await save().catch((error) => {
                ended.delete(id);
                throw error;
              });
            },
          };
        },
      };
    },
  }),
  mutant("PERSIST-08", {
    name: "closing forgets everything",
    reason: "the session is gone after reopening",
    also: {
      "EXPIRY-12": "it closes and opens again",
      "SHARED-07": "it closes an instance and opens another",
    },
    defect: (at) => ({ storage: { close: async () => at.lose() } }),
  }),
  mutant("PERSIST-09", {
    name: "a new session's user is null",
    reason: "a new session has data",
    defect: () => ({
      session: (real, value) => ({
        get: (key) =>
          key === "userId" && value === null && !real.has(key)
            ? null
            : real.get(key),
      }),
    }),
  }),
  mutant("PERSIST-09", {
    name: "new sessions of one millisecond share an id",
    reason: "two new sessions have the same id",
    defect: (at) => ({
      session: (real, value) => ({
        get id() {
          return value === null ? `${at.now()}`.padStart(24, "0") : real.id;
        },
      }),
    }),
  }),
  mutant("PERSIST-09", {
    name: "a new session's id is empty",
    reason: "an id is empty",
    also: { "REGEN-04": "it compares with the id of a new session" },
    defect: () => ({
      session: (real, value) => {
        let saved = value !== null;
        return {
          get id() {
            return saved ? real.id : "";
          },
          async save(save) {
            saved = true;
            return await save();
          },
        };
      },
    }),
  }),
  mutant("PERSIST-10", {
    name: "get gives a copy",
    reason: "the change in place is lost",
    defect: () => ({
      session: (real) => ({ get: (key) => structuredClone(real.get(key)) }),
    }),
  }),
  mutant("PERSIST-11", {
    name: "a logout does nothing",
    reason: "the visitor is still signed in",
    also: {
      "FAULT-02": "no write fails where none is made",
      "FAULT-03": "no write fails where none is made",
      "FLASH-11": "it ends in a logout",
      "OWNER-06": "it ends in a logout",
    },
    without: ["revoke", "merge"],
    defect: () => ({
      session: (real) => ({
        save: async (save) => real.destroyed ? null : await save(),
      }),
    }),
  }),
  mutant("PERSIST-11", {
    name: "a logout removes the record and leaves the cookie",
    reason: "destroy does not clear the cookie",
    also: {
      "PERSIST-05": "it looks at the cookie too",
      "FLASH-11": "it looks at the cookie too",
      "REGEN-04": "it looks at the cookie too",
      "RESTART-02": "its empty session is destroyed",
      "FAULT-03": "it looks at the cookie too",
    },
    defect: () => ({
      session: (real) => ({
        async save(save) {
          const sent = await save();
          return real.destroyed ? null : sent;
        },
      }),
    }),
  }),
];
