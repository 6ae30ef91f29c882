import { hashId } from "../../../core/keys.ts";
import {
  type Bench,
  edit,
  flashesOf,
  isNote,
  type Mutant,
  mutant,
  type Parts,
  partsOf,
} from "./_mutant.ts";

export const restart: readonly Mutant[] = [
  mutant("RESTART-01", {
    name: "restart is a new id, and nothing else",
    reason: "a value that keep does not name stays",
    also: {
      "RESTART-02": "nothing is removed",
      "RESTART-04": "nothing is removed",
      "RESTART-05": "the lifetime stays too",
      "RESTART-06": "a new id is not a login",
      "RESTART-07": "the second new id of a session is too late",
    },
    defect: () => ({
      session: (real) => ({ restart: () => real.regenerateId() }),
    }),
  }),
  mutant("RESTART-01", {
    name: "restart leaves the flashes",
    reason: "a flash that keep does not name stays",
    also: { "RESTART-02": "a flash is left" },
    defect: (at) => ({
      session(real) {
        const flashes = Object.keys(flashesOf(at, real));
        return {
          restart({ keep = [] } = {}) {
            real.restart({
              keep: keep === "all" ? keep : [...keep, ...flashes],
            });
          },
        };
      },
    }),
  }),
  mutant("RESTART-01", {
    name: "keep is for values, and the flashes go",
    reason: "a flash that keep names is lost",
    defect: (at) => ({
      session(real) {
        const flashes = flashesOf(at, real);
        return {
          restart({ keep = [] } = {}) {
            real.restart({ keep });
            for (const key of Object.keys(flashes)) real.unset(key);
          },
        };
      },
    }),
  }),
  mutant("RESTART-02", {
    name: "a restarted session leaves its cookie where it is empty",
    reason: "the cookie of an empty session is kept",
    defect: () => ({
      session: (real) => ({
        async save(save) {
          const ended = real.destroyed;
          return await save() || (ended ? "" : null);
        },
      }),
    }),
  }),
  mutant("RESTART-02", {
    name: "a restarted session is stored where it is empty, too",
    reason: "the cookie of an empty session is kept",
    defect: () => ({
      session(real) {
        let empty = false;
        return {
          restart(options) {
            real.restart(options);
            empty = real.size === 0;
            if (empty) real.set("empty", true);
          },
          set(key, value) {
            if (empty) real.unset("empty");
            empty = false;
            real.set(key, value);
          },
        };
      },
    }),
  }),
  mutant("RESTART-03", {
    name: "restart leaves the old id",
    reason: "the old cookie still has the data",
    also: {
      "RESTART-01": "the old owner still has the session",
      "RESTART-02": "the old id is left there too",
      "RESTART-07": "it looks at the old id too",
      "RESTART-08": "what is saved under the old id is not late",
      "RESTART-09": "it looks at the old id too",
      "CONC-10": "the replaced id is live",
    },
    defect(at) {
      let skip = false;
      return {
        engine: {
          write: async (key, text, options) =>
            skip && isNote(text) || await at.engine.write(key, text, options),
          delete: async (key, options) =>
            skip || await at.engine.delete(key, options),
        },
        session(real) {
          let restarted = false;
          return {
            restart(options) {
              restarted = true;
              real.restart(options);
            },
            async save(save) {
              skip = restarted;
              return await save().finally(() => skip = false);
            },
          };
        },
      };
    },
  }),
  mutant("RESTART-04", {
    name: "what is kept is what the request has read",
    reason: "a newer value is lost",
    defect: () => ({
      session: (real) => ({
        restart({ keep = [] } = {}) {
          const before = { ...real.data };
          real.restart({ keep });
          for (const key of keep === "all" ? Object.keys(before) : keep) {
            if (key in before) real.set(key, before[key]);
          }
        },
      }),
    }),
  }),
  mutant("RESTART-05", {
    name: "the maxAge of the session before stays",
    reason: "the maxAge of an earlier commit stays",
    defect: (at) => ({
      session(real) {
        const [, , , , before = null] = partsOf(at, real);
        let restarted = false;
        return {
          restart(options) {
            restarted = true;
            real.restart(options);
          },
          save: (save) =>
            save(restarted && before !== null ? { maxAge: before } : undefined),
        };
      },
    }),
  }),
  mutant("RESTART-05", {
    name: "a restarted session is as old as the one before",
    reason: "the absolute timeout counts from before the restart",
    defect: (at) => {
      let created: number | undefined;
      return {
        engine: {
          write(key, text, options) {
            if (created === undefined || options.ifVersion !== null) {
              return at.engine.write(key, text, options);
            }
            const old = edit(text, (parts) => parts[2] = created);
            return at.engine.write(key, old, options);
          },
        },
        session(real) {
          const [, , before] = partsOf(at, real);
          let restarted = false;
          return {
            restart(options) {
              restarted = true;
              real.restart(options);
            },
            async save(save) {
              created = restarted ? before : undefined;
              return await save().finally(() => created = undefined);
            },
          };
        },
      };
    },
  }),
  mutant("RESTART-06", {
    name: "every save is a login",
    reason: "after a change, authenticatedAt is wrong",
    defect: ({ engine, now }) => ({
      engine: {
        write: (key, text, options) =>
          engine.write(
            key,
            edit(text, (parts) => parts[6] &&= now()),
            options,
          ),
      },
    }),
  }),
  mutant("RESTART-06", {
    name: "a session's first save is its login",
    reason: "a session that was never restarted has a time of login",
    defect: ({ engine, now }) => ({
      engine: {
        write: (key, text, options) =>
          engine.write(
            key,
            edit(text, (parts) => parts[6] ??= now()),
            options,
          ),
      },
    }),
  }),
  mutant("RESTART-07", {
    name: "the second login of a session is too late",
    reason: "a login does not send a cookie",
    defect: (at) => ({
      session(real, value) {
        let restarted = false;
        return {
          restart(options) {
            restarted = true;
            real.restart(options);
          },
          async save(save) {
            const stored = value && await at.engine.read(hashId(value));
            if (restarted && stored && isNote(stored.value)) return null;
            return await save();
          },
        };
      },
    }),
  }),
  mutant("RESTART-07", {
    name: "a login ends the one before it, as if it were the old id",
    reason: "the cookie of a login does not work",
    defect: followed((at, next, { destroyed }) => {
      if (!destroyed) void at.engine.delete(hashId(next), {});
    }),
  }),
  mutant("RESTART-07", {
    name: "a logout of the old id ends the login's session",
    reason: "the cookie of a login does not work",
    defect: followed((at, next, { destroyed }) => {
      if (destroyed) void at.engine.delete(hashId(next), {});
    }),
  }),
  mutant("RESTART-08", {
    name: "what is saved late goes to the session of the new id",
    reason: "the late save changes the new session",
    also: {
      "CONC-10": "a request with a replaced id is late too",
    },
    defect: late(async (at, next, values) => {
      const session = await at.storage.read(next);
      for (const [key, value] of Object.entries(values)) {
        session.set(key, value);
      }
      await at.storage.save(session);
      return null;
    }),
  }),
  mutant("RESTART-08", {
    name: "a late save sends the cookie of the old id",
    reason: "the late save sends or clears a cookie",
    also: {
      "CONC-10": "a request with a replaced id is late too",
    },
    defect: late(async (_at, _next, _values, value) => value),
  }),
  mutant("RESTART-09", {
    name: "a login that failed is a save like any other when it is repeated",
    reason: "after the second save, the old cookie still has the data",
    defect(at) {
      let skip = false;
      return {
        engine: {
          write: async (key, text, options) =>
            skip && isNote(text) || await at.engine.write(key, text, options),
        },
        session(real) {
          let restarted = false;
          let failed = false;
          return {
            restart(options) {
              restarted = true;
              real.restart(options);
            },
            async save(save) {
              skip = restarted && failed;
              failed = true;
              const sent = await save().finally(() => skip = false);
              restarted = failed = false;
              return sent;
            },
          };
        },
      };
    },
  }),
];

/** Does something whenever a session is saved whose id was replaced by a restart meanwhile. */
function followed(
  act: (at: Bench, next: string, session: { destroyed: boolean }) => void,
): (at: Bench) => Parts {
  const next = new Map<string, string>();
  return (at) => ({
    session(real, value) {
      let restarted = false;
      return {
        restart(options) {
          restarted = true;
          real.restart(options);
        },
        async save(save) {
          const before = next.get(value ?? "");
          const { destroyed } = real;
          const sent = await save();
          if (before && (destroyed || restarted)) {
            act(at, before, { destroyed });
          }
          if (restarted && value && sent) next.set(value, sent);
          restarted = false;
          return sent;
        },
      };
    },
  });
}

/** Answers a save that is late, because its id was replaced by a restart meanwhile. */
function late(
  answer: (
    at: Bench,
    next: string,
    values: Record<string, unknown>,
    value: string | null,
  ) => Promise<string | null>,
): (at: Bench) => Parts {
  const next = new Map<string, string>();
  return (at) => ({
    session(real, value) {
      let restarted = false;
      return {
        restart(options) {
          restarted = true;
          real.restart(options);
        },
        async save(save) {
          const { dirty, data } = real;
          const sent = await save();
          if (restarted && value && sent) next.set(value, sent);
          const other = next.get(value ?? "");
          return sent === null && dirty && other
            ? await answer(at, other, data, value)
            : sent;
        },
      };
    },
  });
}
