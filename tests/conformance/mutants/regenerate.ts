import { isNote, type Mutant, mutant } from "./_mutant.ts";

/** A moment, in milliseconds. */
const STARTED = 1_780_000_000_000;

/** Why a storage whose sessions show another id than it knows them by breaks rules about owners. */
const BY_ID = {
  "OWNER-05": "it spares a session by its id",
  "OWNER-12": "it marks a session by its id",
  "OWNER-13": "it ends a session by its id",
};

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
    name: "ids of 60 bits",
    reason: "ids have about 60 random bits",
    also: { ...BY_ID, "REGEN-09": "fewer than 64 bits are fewer than 128" },
    defect: named((id) => backwards(id).slice(0, 10)),
  }),
  mutant("REGEN-07", {
    name: "ids are ObjectIds of MongoDB",
    reason: "random bits, and 64 are required",
    also: { ...BY_ID, "REGEN-09": "fewer than 64 bits are fewer than 128" },
    defect: named(objectId),
  }),
  mutant("REGEN-07", {
    name: "ids are a time and a counter",
    reason: "random bits, and 64 are required",
    also: { ...BY_ID, "REGEN-09": "fewer than 64 bits are fewer than 128" },
    defect: named((_, i) => `${STARTED + 3 * i}-${i}`),
  }),
  mutant("REGEN-07", {
    name: "ids are made by Math.random() in base 36",
    reason: "ids have about 41 random bits",
    also: { ...BY_ID, "REGEN-09": "fewer than 64 bits are fewer than 128" },
    defect: named((id) => base36(id, 8)),
  }),
  mutant("REGEN-07", {
    name: "ids are cuids",
    reason: "random bits, and 64 are required",
    also: { ...BY_ID, "REGEN-09": "fewer than 64 bits are fewer than 128" },
    defect: named((id, i) =>
      `c${(STARTED + i).toString(36)}${i.toString(36).padStart(4, "0")}a1b2${
        base36(id, 8)
      }`
    ),
  }),
  mutant("REGEN-07", {
    name: "an id with a semicolon",
    reason: "an id has a character that is not allowed in a cookie",
    also: BY_ID,
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
  mutant("REGEN-09", {
    name: "ids of 120 bits",
    reason: "ids have about 120 random bits, and 128 are recommended",
    also: BY_ID,
    defect: named((id) => backwards(id).slice(0, 20)),
  }),
  mutant("REGEN-09", {
    name: "ids are UUIDs of version 4",
    reason: "a version 4 UUID has 122",
    also: BY_ID,
    defect: named(uuid),
  }),
  mutant("REGEN-09", {
    name: "ids are made by nanoid",
    reason: "ids have about 126 random bits",
    also: BY_ID,
    defect: named((id) => backwards(id).slice(0, 21)),
  }),
  mutant("REGEN-09", {
    name: "ids are UUIDs of version 7",
    reason: "random bits, and 128 are recommended",
    also: BY_ID,
    defect: named((id, i) =>
      (STARTED + i).toString(16).padStart(12, "0").replace(/.{8}/, "$&-") +
      uuid(id).slice(13).replace("-4", "-7")
    ),
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

/** Sessions show ids that are made of their own; `i` counts the sessions. */
function named(
  make: (id: string, i: number) => string,
): NonNullable<Parameters<typeof mutant>[1]["defect"]> {
  return () => {
    const known = new Map<string, string>();
    return {
      session: (real) => ({
        get id() {
          const id = known.get(real.id) ?? make(real.id, known.size);
          known.set(real.id, id);
          return id;
        },
      }),
    };
  };
}

/** Another id than the one in the cookie, which is as random. */
function backwards(id: string): string {
  return [...id].reverse().join("");
}

function objectId(_: string, i: number): string {
  const time = Math.floor(STARTED / 1000 + i / 50).toString(16);
  return `${time}5f1d7a9c3e${(0x8f3c21 + i).toString(16)}`;
}

function base36(id: string, length: number): string {
  let out = "";
  for (const byte of atob(id.replaceAll("-", "+").replaceAll("_", "/"))) {
    const code = byte.charCodeAt(0);
    // The few values that would make some letters likelier are left out.
    if (code < 252 && out.length < length) out += (code % 36).toString(36);
  }
  return out;
}
