import { hashId } from "../../../core/keys.ts";
import { isList, isSession, type Mutant, mutant } from "./_mutant.ts";
import { ending, listing, naming } from "./_owner.ts";

export const ownerRaces: readonly Mutant[] = [
  mutant("OWNER-07", {
    name: "a save that is late finds room where a session was ended",
    reason: "a late save restores an ended session",
    defect(at) {
      const gone = new Set<string>();
      let ending = 0;
      let revived = false;
      return {
        engine: {
          async delete(key, options) {
            const done = await at.engine.delete(key, options);
            if (done && ending > 0) gone.add(key);
            return done;
          },
          async write(key, text, options) {
            if (!gone.has(key) || !isSession(text)) {
              return await at.engine.write(key, text, options);
            }
            revived = true;
            const { expires } = options;
            return await at.engine.write(key, text, { expires });
          },
        },
        storage: {
          destroySessions(name, options) {
            ending++;
            return at.storage.destroySessions(name, options)
              .finally(() => ending--);
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
    },
  }),
  mutant("OWNER-08", {
    name:
      "ending an owner's sessions strikes out a login that is not stored yet, and the login does not look again",
    reason: "a live session is not listed",
    defect: (() => {
      const struck = new Set<string>();
      return ({ engine, namespace }) => ({
        engine: {
          async write(key, text, options) {
            if (!isList(text)) return await engine.write(key, text, options);
            const [format, check, entries] = JSON.parse(text);
            const left: unknown[][] = entries
              .filter(([, , , ended]: unknown[]) => !ended);
            const list = JSON.stringify([format, check, left]);
            const version = await engine.write(key, list, options);
            if (version && left.length < entries.length) {
              struck.add(namespace + key);
            }
            const confirms = left.every((entry) => entry.length === 2) &&
              struck.has(namespace + key);
            return version ?? (confirms ? {} : null);
          },
        },
      });
    })(),
  }),
  mutant("OWNER-09", {
    name: "names are compared in the normal form of Unicode",
    reason: "a list has the sessions of another owner, or misses some",
    defect: (at) => naming(at, (name) => name.normalize()),
  }),
  mutant("OWNER-09", {
    name: "names are compared without spaces around them",
    reason: "a list has the sessions of another owner, or misses some",
    defect: (at) => naming(at, (name) => name.trim()),
  }),
  mutant("OWNER-09", {
    name: "names are encoded in UTF-8",
    reason: "a list has the sessions of another owner, or misses some",
    defect: (at) => naming(at, (name) => name.toWellFormed()),
  }),
  mutant("OWNER-09", {
    name: "names are looked up in an object",
    reason: "a list has the sessions of another owner, or misses some",
    defect: (at) => naming(at, (name) => name in {} ? undefined : name),
  }),
  mutant("OWNER-09", {
    name: "an empty name ends everybody's sessions",
    reason: "a stranger ended",
    defect: (at) => {
      const names = new Set<string>();
      return {
        owner(data) {
          const name = at.owner?.(data);
          if (name) names.add(name);
          return name;
        },
        ...ending(async (name, options) => {
          let ended = 0;
          for (const other of name === "" ? names : [name]) {
            ended += await at.storage.destroySessions(other, options);
          }
          return ended;
        }),
      };
    },
  }),
  mutant("OWNER-10", {
    name: "a list that cannot be read is empty",
    reason: "listSessions() resolves although the read failed",
    defect: (at) => ({
      storage: {
        listSessions: (name, options) =>
          at.storage.listSessions(name, options).catch(() => []),
      },
    }),
  }),
  mutant("OWNER-10", {
    name: "what cannot be ended is struck out of the list",
    reason: "a session that could not be ended is not ended later",
    defect(at) {
      const struck = new Set<string>();
      return ending(async (name, options) => {
        if (struck.has(name)) return 0;
        try {
          return await at.storage.destroySessions(name, options);
        } catch (error) {
          struck.add(name);
          throw error;
        }
      });
    },
  }),
  mutant("OWNER-10", {
    name: "a login goes through, though it cannot be listed",
    reason: "a login that failed first is not listed, or is listed twice",
    defect({ engine }) {
      const lost = {};
      return {
        engine: {
          async write(key, text, options) {
            if (options.ifVersion === lost) return lost;
            return await engine.write(key, text, options).catch((error) => {
              if (!isList(text)) throw error;
              return lost;
            });
          },
        },
      };
    },
  }),
  mutant("OWNER-11", {
    name: "a login writes the list as if nobody else did",
    reason: "of logins at the same time, one is not listed",
    defect(at) {
      let ending = 0;
      return {
        engine: {
          write: (key, text, options) =>
            at.engine.write(
              key,
              text,
              isList(text) && ending === 0
                ? { expires: options.expires }
                : options,
            ),
        },
        storage: {
          destroySessions(name, options) {
            ending++;
            return at.storage.destroySessions(name, options)
              .finally(() => ending--);
          },
        },
      };
    },
  }),
  mutant("OWNER-12", {
    name: "the session used last is the one that asks",
    reason: "given the session, a list marks another session, or none",
    defect: (at) =>
      listing(
        at,
        (found) =>
          found.map((session, i) => ({ ...session, current: i === 0 })),
      ),
  }),
  mutant("OWNER-12", {
    name: "whoever asks, somebody is marked",
    reason: "a list for a session of another owner marks a session",
    defect: (at) => ({
      storage: {
        async listSessions(name, options) {
          const found = await at.storage.listSessions(name, options);
          const marked = found.some(({ current }) => current);
          return found.map((session, i) => ({
            ...session,
            current: session.current ||
              i === 0 && !marked && options?.current !== undefined,
          }));
        },
      },
    }),
  }),
  mutant("OWNER-12", {
    name: "who asks is found by the new id only",
    reason:
      "given the session with a new id, a list marks another session, or none",
    defect: (at) => ({
      storage: {
        listSessions(name, { current } = {}) {
          const id = typeof current === "object" ? current.id : current;
          return at.storage.listSessions(name, { current: id });
        },
      },
    }),
  }),
  mutant("OWNER-13", {
    name: "only is an option that it does not know",
    reason: "destroySessions() does not count one session",
    defect: (at) =>
      ending((name, { except } = {}) =>
        at.storage.destroySessions(name, except ? { except } : {})
      ),
  }),
  mutant("OWNER-13", {
    name: "only ends the given session, whoever it belongs to",
    reason: "of a stranger as only, destroySessions() counts a session",
    defect: (at) =>
      ending(async (name, options) => {
        const { only } = options ?? {};
        const ended = await at.storage.destroySessions(name, options);
        if (only === undefined || ended > 0) return ended;
        const id = typeof only === "object" ? only.id : only;
        for (const key of [id, hashId(id)]) {
          const found = await at.engine.read(key);
          if (!found || !isSession(found.value)) continue;
          await at.engine.delete(key);
          return 1;
        }
        return 0;
      }),
  }),
  mutant("OWNER-13", {
    name: "only finds a session by its newest id",
    reason:
      "given the session with a new id as only, destroySessions() does not count one session",
    defect: (at) =>
      ending((name, { only, except } = {}) => {
        if (only === undefined) {
          return at.storage.destroySessions(name, { except });
        }
        const id = typeof only === "object" ? only.id : only;
        return at.storage.destroySessions(name, { only: id });
      }),
  }),
  mutant("OWNER-14", {
    name: "a list leaves out what changed its id while it was read",
    reason: "a session that takes a new id is missing from a list",
    defect: (at) => ({
      storage: {
        async listSessions(name, options) {
          const before = await at.storage.listSessions(name);
          const ids = new Set(before.map(({ id }) => id));
          return (await at.storage.listSessions(name, options))
            .filter(({ id }) => ids.has(id));
        },
      },
    }),
  }),
];
