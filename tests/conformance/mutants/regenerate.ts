import { isNote, type Mutant, mutant } from "./_mutant.ts";

export const regenerate: readonly Mutant[] = [
  mutant("REGEN-01", {
    name: "an id is kept through new cookies",
    reason: "the id stays the same",
    defect() {
      const names = new Map<string, string>();
      return {
        session(real, value) {
          let id = real.id === value ? names.get(value) : undefined;
          return {
            get id() {
              return id ?? real.id;
            },
            regenerateId() {
              id ??= real.id;
              real.regenerateId();
            },
            async save(save) {
              const sent = await save();
              if (sent && id !== undefined) names.set(sent, id);
              return sent;
            },
          };
        },
      };
    },
  }),
  mutant("REGEN-02", {
    name: "the old id stays, if the sign-in is set before the new id is made",
    reason: "the old cookie still has the data",
    also: { "REGEN-06": "where no write fails, it is the same request" },
    defect: () => ({
      session(real) {
        let signedIn = false;
        return {
          set(key, value) {
            signedIn ||= key === "userId";
            real.set(key, value);
          },
          regenerateId: () => real.regenerateId({ keepOld: signedIn }),
        };
      },
    }),
  }),
  mutant("REGEN-03", {
    name: "the second new id of a request forgets the stored one",
    reason: "the first cookie still has the data",
    defect(at) {
      let skip = false;
      return {
        engine: {
          write: async (key, text, options) =>
            skip && isNote(text) || await at.engine.write(key, text, options),
        },
        session(real) {
          let ids = 0;
          return {
            regenerateId() {
              ids++;
              real.regenerateId();
            },
            async save(save) {
              skip = ids > 1;
              ids = 0;
              return await save().finally(() => skip = false);
            },
          };
        },
      };
    },
  }),
  mutant("REGEN-04", {
    name: "destroy after a new id removes the new one only",
    reason: "the old cookie still has the data",
    defect(at) {
      let skip = false;
      return {
        engine: {
          delete: async (key, options) =>
            skip || await at.engine.delete(key, options),
        },
        session(real) {
          let renewed = false;
          return {
            regenerateId() {
              renewed = true;
              real.regenerateId();
            },
            async save(save) {
              skip = renewed && real.destroyed;
              renewed = false;
              return await save().finally(() => skip = false);
            },
          };
        },
      };
    },
  }),
  mutant("REGEN-05", {
    name: "ids in the form of an older library are taken over",
    reason: "is adopted",
    defect: (at) => ({
      session: (real, value) => ({
        async save(save) {
          if (!value?.match(/^[A-Z0-9]{32}$/)) return await save();
          const session = await at.storage.read(null);
          const adopted = Object.getPrototypeOf(session).constructor;
          return await at.storage.save(new adopted(real.data, value));
        },
      }),
    }),
  }),
  mutant("REGEN-06", {
    name: "a save that failed forgets that it was to end the old id",
    reason: "after the second save, the old cookie still has the data",
    defect(at) {
      let skip = false;
      return {
        engine: {
          write: async (key, text, options) =>
            skip && isNote(text) || await at.engine.write(key, text, options),
        },
        session(real) {
          let renewed = false;
          let failed = false;
          return {
            regenerateId() {
              renewed = true;
              real.regenerateId();
            },
            async save(save) {
              skip = renewed && failed;
              failed = true;
              const sent = await save().finally(() => skip = false);
              renewed = failed = false;
              return sent;
            },
          };
        },
      };
    },
  }),
  mutant("REGEN-07", {
    name: "ids of 120 bits",
    reason: "ids have about 120 random bits",
    also: {
      "OWNER-05": "it spares a session by its id",
      "OWNER-12": "it marks a session by its id",
      "OWNER-13": "it ends a session by its id",
    },
    defect: () => ({
      session: (real) => ({
        get id() {
          return real.id.slice(0, 20);
        },
      }),
    }),
  }),
  mutant("REGEN-07", {
    name: "ids are UUIDs of version 4",
    reason: "a version 4 UUID has 122",
    also: {
      "OWNER-05": "it spares a session by its id",
      "OWNER-12": "it marks a session by its id",
      "OWNER-13": "it ends a session by its id",
    },
    defect: () => ({
      session: (real) => ({
        get id() {
          return uuid(real.id);
        },
      }),
    }),
  }),
  mutant("REGEN-07", {
    name: "an id with a semicolon",
    reason: "an id has a character that is not allowed in a cookie",
    also: {
      "OWNER-05": "it spares a session by its id",
      "OWNER-12": "it marks a session by its id",
      "OWNER-13": "it ends a session by its id",
    },
    defect: () => ({
      session: (real) => ({
        get id() {
          return `${real.id};`;
        },
      }),
    }),
  }),
  mutant("REGEN-08", {
    name: "the second step of a sign-in keeps the id of the first",
    reason: "the second cookie still has the data",
    defect: () => ({
      session(real) {
        let ids = 0;
        return {
          regenerateId: () => real.regenerateId({ keepOld: ids++ > 0 }),
        };
      },
    }),
  }),
];

/** An id in the form of a UUID of version 4. */
function uuid(id: string): string {
  const bytes = atob(id.replaceAll("-", "+").replaceAll("_", "/"));
  const hex = Array.from(
    bytes,
    (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0"),
  ).join("");
  const variant = "89ab"[parseInt(hex[16] ?? "", 16) % 4];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${
    hex.slice(13, 16)
  }-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
