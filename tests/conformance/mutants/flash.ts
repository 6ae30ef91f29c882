import {
  edit,
  flashesOf,
  isFlash,
  keysOf,
  type Mutant,
  mutant,
} from "./_mutant.ts";

export const flash: readonly Mutant[] = [
  mutant("FLASH-01", {
    name: "a message that stands alone arrives one request late",
    reason: "the flash is missing",
    also: {
      "FLASH-02": "it begins with the same two requests",
      "FLASH-11": "its message stands alone too",
      "FLASH-13": "its message stands alone too",
    },
    defect() {
      const alone = new Set<string>();
      return {
        session(real, value) {
          let early = value !== null && alone.delete(value);
          return {
            has: (key) => {
              early = false;
              return real.has(key);
            },
            get: (key) => early ? undefined : real.get(key),
            async save(save) {
              const isAlone = real.size === 1 &&
                keysOf(real).length === 0;
              const sent = await save();
              if (value === null && sent && isAlone) alone.add(sent);
              return sent;
            },
          };
        },
      };
    },
  }),
  mutant("FLASH-02", {
    name: "a request remembers the flashes that it has read",
    reason: "a second get returns the flash again",
    defect: () => ({
      session(real) {
        const read = new Map<string, unknown>();
        return {
          get(key) {
            if (isFlash(real, key)) read.set(key, real.get(key));
            return real.has(key) ? real.get(key) : read.get(key);
          },
        };
      },
    }),
  }),
  mutant("FLASH-03", {
    name: "a flash takes the values with it, if nothing else is changed",
    reason: "consuming the flash removed a value",
    defect: () => ({
      session(real) {
        let flashes = 0;
        let sets = 0;
        return {
          get(key) {
            if (isFlash(real, key)) flashes++;
            return real.get(key);
          },
          set(key, value) {
            sets++;
            real.set(key, value);
          },
          async save(save) {
            if (flashes > 0 && sets === 0 && !real.destroyed) {
              for (const key of keysOf(real)) real.unset(key);
            }
            return await save();
          },
        };
      },
    }),
  }),
  mutant("FLASH-03", {
    name: "a request that only reads a flash is not saved",
    reason: "the flash is still there",
    also: {
      "FLASH-10": "its flash is consumed by such a request",
      "UNSET-05": "the bytes of a consumed flash stay",
      "FLASH-13": "its flash is consumed by such a request",
      "RESTART-02": "such a request restarts its session",
      "SHARED-02": "its flash is consumed by such a request",
    },
    defect: () => ({
      session(real) {
        let changed = false;
        return {
          set(key, value) {
            changed = true;
            real.set(key, value);
          },
          unset(key) {
            changed = true;
            real.unset(key);
          },
          flash(key, value) {
            changed = true;
            real.flash(key, value);
          },
          regenerateId() {
            changed = true;
            real.regenerateId();
          },
          save: async (save, options) =>
            changed || real.destroyed || options?.maxAge !== undefined ||
              keysOf(real).some((key) => typeof real.data[key] === "object")
              ? await save()
              : null,
        };
      },
    }),
  }),
  mutant("FLASH-04", {
    name: "the next request that is saved drops what it does not read",
    reason: "the flash was removed before it was read",
    also: {
      "FLASH-13": "its second flash is dropped",
      "RESTART-01": "a kept flash is dropped",
    },
    defect: (at) => ({
      session(real) {
        const unread = Object.keys(flashesOf(at, real));
        return {
          async save(save) {
            if (real.dirty && !real.destroyed) {
              for (const key of unread) {
                if (isFlash(real, key)) real.get(key);
              }
            }
            return await save();
          },
        };
      },
    }),
  }),
  mutant("FLASH-05", {
    name: "has consumes a message",
    reason: "has() consumed the flash",
    also: {
      "RESTART-01": "it asks with has for what is kept",
      "SIZE-03": "it asks with has whether a flash is there",
    },
    defect: (at) => ({
      session(real) {
        const flashes = flashesOf(at, real);
        return {
          has(key) {
            const found = real.has(key);
            const text = typeof flashes[key] === "string" && flashes[key];
            if (text && isFlash(real, key)) real.get(key);
            return found;
          },
        };
      },
    }),
  }),
  mutant("FLASH-06", {
    name: "reading a message removes it from the engine",
    reason: "a request that was not saved consumed the flash",
    defect() {
      const gone = new Set<string>();
      return {
        session: (real, value) => ({
          has: (key) => real.has(key) && !gone.has(value + key),
          get(key) {
            if (gone.has(value + key)) return undefined;
            const flashed = isFlash(real, key);
            const text = real.get(key);
            if (flashed && typeof text === "string" && value) {
              gone.add(value + key);
            }
            return text;
          },
          flash(key, text) {
            gone.delete(value + key);
            real.flash(key, text);
          },
        }),
      };
    },
  }),
  mutant("FLASH-07", {
    name: "a new id forgets the messages of its request",
    reason: "the flash is lost",
    defect: () => ({
      session(real) {
        const mine: string[] = [];
        return {
          flash(key, value) {
            mine.push(key);
            real.flash(key, value);
          },
          regenerateId() {
            for (const key of mine) real.unset(key);
            real.regenerateId();
          },
        };
      },
    }),
  }),
  mutant("FLASH-08", {
    name: "a flash replaces the value of its name",
    reason: "the flash hides the value",
    defect: () => ({
      session: (real) => ({
        flash(key, value) {
          real.unset(key);
          real.flash(key, value);
        },
      }),
    }),
  }),
  mutant("FLASH-08", {
    name: "a value replaces the flash of its name",
    reason: "the flash is not stored",
    defect: () => ({
      session: (real) => ({
        set(key, value) {
          if (isFlash(real, key)) real.unset(key);
          real.set(key, value);
        },
      }),
    }),
  }),
  mutant("FLASH-08", {
    name: "a value is not set where a flash has its name",
    reason: "the flash hides the value",
    defect: () => ({
      session: (real) => ({
        set(key, value) {
          if (!isFlash(real, key)) real.set(key, value);
        },
      }),
    }),
  }),
  mutant("FLASH-09", {
    name: "has asks whether a flash is truthy",
    reason: "has() returns false for a falsy flash",
    defect: (at) => ({
      session(real) {
        const flashes = flashesOf(at, real);
        return {
          has: (key) =>
            real.has(key) &&
            !(key in flashes && !flashes[key] && isFlash(real, key)),
        };
      },
    }),
  }),
  mutant("FLASH-10", {
    name: "a save writes back the flashes that its request has read",
    reason: "a concurrent save restored the flash",
    defect: (at) => ({
      session(real) {
        const flashes = Object.entries(flashesOf(at, real));
        return {
          async save(save) {
            if (real.dirty && !real.destroyed) {
              for (const [key, value] of flashes) {
                if (isFlash(real, key)) real.flash(key, value);
              }
            }
            return await save();
          },
        };
      },
    }),
  }),
  mutant("FLASH-11", {
    name: "a destroyed session lives on to deliver its message",
    reason: "the cookie of a destroyed session with a flash is not cleared",
    defect: (at) => ({
      session(real) {
        const flashes: [string, unknown][] = [];
        return {
          flash(key, value) {
            flashes.push([key, value]);
            real.flash(key, value);
          },
          async save(save) {
            const sent = await save();
            if (!real.destroyed || flashes.length === 0) return sent;
            const session = await at.storage.read(null);
            for (const [key, value] of flashes) session.flash(key, value);
            return await at.storage.save(session);
          },
        };
      },
    }),
  }),
  mutant("FLASH-12", {
    name: "a flash is for the next request only",
    reason: "the request that sets a flash cannot read it",
    defect: () => ({
      session(real) {
        const mine = new Set<string>();
        return {
          flash(key, value) {
            mine.add(key);
            real.flash(key, value);
          },
          get: (key) =>
            mine.has(key) && isFlash(real, key) ? undefined : real.get(key),
        };
      },
    }),
  }),
  mutant("FLASH-13", {
    name: "flashes are compared by their text",
    reason: "the second flash is lost",
    defect: ({ engine }) => ({
      engine: {
        write: (key, text, options) =>
          engine.write(key, edit(text, (parts) => parts[9] = {}), options),
      },
    }),
  }),
];
