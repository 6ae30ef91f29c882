import { hashId } from "../../../core/keys.ts";
import { edit, isSession, type Mutant, mutant } from "./_mutant.ts";
import { ending, type Listed, listing } from "./_owner.ts";

export const ownerLists: readonly Mutant[] = [
  mutant("OWNER-01", {
    name: "a list shows texts and numbers only",
    reason: "an owner's list differs from their sessions",
    defect: (at) =>
      listing(at, (found) =>
        found.map((session) => ({
          ...session,
          data: Object.fromEntries(
            Object.entries(session.data).filter(([, value]) =>
              typeof value !== "object"
            ),
          ),
        }))),
  }),
  mutant("OWNER-01", {
    name: "a list ends after two sessions",
    reason: "an owner's list differs from their sessions",
    also: {
      "OWNER-03": "it has three sessions too",
      "OWNER-11": "it has more than two sessions, too",
    },
    defect: (at) => listing(at, (found) => found.slice(0, 2)),
  }),
  mutant("OWNER-01", {
    name: "a listed session has the owner's name for an id",
    reason: "two listed sessions have the same id",
    also: {
      "OWNER-05": "it spares a session by its id in the list",
      "OWNER-13": "it ends a session by its id in the list",
    },
    defect: (at) =>
      listing(at, (found, name) => found.map((s) => ({ ...s, id: name }))),
  }),
  mutant("OWNER-02", {
    name: "a listed session has its own id",
    reason: "a list contains a session's id or cookie",
    defect(at) {
      const ids = new Map<string, string>();
      return {
        ...listing(at, (found) =>
          found.map((session) => ({
            ...session,
            id: ids.get(session.id) ?? session.id,
          }))),
        session: (real) => ({
          save(save) {
            const sent = save();
            ids.set(hashId(real.id), real.id);
            return sent;
          },
        }),
      };
    },
  }),
  mutant("OWNER-02", {
    name: "a session answers to what is listed, too",
    reason: "a value from a list opens a session",
    defect(at) {
      const ids = new Map<string, string>();
      return {
        storage: {
          read: (value) => at.storage.read(ids.get(value ?? "") ?? value),
        },
        session: (real) => ({
          save(save) {
            ids.set(hashId(real.id), real.id);
            return save();
          },
        }),
      };
    },
  }),
  mutant("OWNER-03", {
    name: "a session was last seen when it began",
    reason: "lastSeen is",
    defect: (at) =>
      listing(
        at,
        (found) =>
          found.map((session) => ({ ...session, lastSeen: session.created })),
      ),
  }),
  mutant("OWNER-03", {
    name: "a list begins with the session that began last",
    reason: "the list does not begin with the session used last",
    defect: (at) =>
      listing(at, (found) => found.toSorted((a, b) => b.created - a.created)),
  }),
  mutant("OWNER-03", {
    name: "what was listed once is listed when it is over",
    reason: "an expired session is listed",
    defect(at) {
      const seen = new Map<string, Listed[number]>();
      return listing(at, (found) => {
        for (const session of found) seen.set(session.id, session);
        const over = [...seen.values()].filter((s) => s.expires <= at.now());
        return [...found, ...over];
      });
    },
  }),
  mutant("OWNER-04", {
    name: "two sessions are ended at once, the others later",
    reason: "not all sessions are ended",
    also: {
      "OWNER-11": "it ends more than two sessions, too",
      "OWNER-13": "it has three sessions too",
    },
    defect: (at) =>
      ending(async (name, options) => {
        const [third] = (await at.storage.listSessions(name)).slice(2);
        return await at.storage.destroySessions(
          name,
          third ? { except: third.id } : options,
        );
      }),
  }),
  mutant("OWNER-04", {
    name: "the second time ends as many as the first",
    reason: "the second call ends sessions",
    also: {
      "OWNER-13": "it ends a session for the second time",
    },
    defect(at) {
      const ended = new Map<string, number>();
      return {
        storage: {
          async destroySessions(name, options) {
            const count = await at.storage.destroySessions(name, options);
            const before = ended.get(name) ?? 0;
            ended.set(name, Math.max(count, before));
            return Math.max(count, before);
          },
        },
      };
    },
  }),
  mutant("OWNER-05", {
    name: "what is spared is spared under its new id only",
    reason:
      "given the session with a new id, destroySessions() ends the session to be kept",
    also: {
      "OWNER-13": "it does not pass on only",
    },
    defect: (at) =>
      ending((name, options) => {
        const { except } = options ?? {};
        const id = typeof except === "object" ? except.id : except;
        return at.storage.destroySessions(name, id ? { except: id } : {});
      }),
  }),
  mutant("OWNER-04", {
    name: "while one end is under way, another has nothing to do",
    reason: "destroySessions() resolves before a session is ended",
    defect(at) {
      const busy = new Set<string>();
      return ending(async (name, options) => {
        if (busy.has(name)) return 0;
        busy.add(name);
        return await at.storage.destroySessions(name, options)
          .finally(() => busy.delete(name));
      });
    },
  }),
  mutant("OWNER-05", {
    name:
      "where a session is given that the owner has not, the one used last is spared",
    reason: "of a stranger, destroySessions() keeps another session",
    defect: (at) =>
      ending(async (name, options) => {
        const { except } = options ?? {};
        const found = await at.storage.listSessions(name, { current: except });
        const [last] = found;
        return await at.storage.destroySessions(
          name,
          except && last && !found.some(({ current }) => current)
            ? { except: last.id }
            : options,
        );
      }),
  }),
  mutant("OWNER-05", {
    name: "where a session is spared, all are",
    reason: "given the session, destroySessions() keeps another session",
    defect: (at) =>
      ending(
        async (name, options) =>
          options?.except ? 0 : await at.storage.destroySessions(name, options),
      ),
  }),
  mutant("OWNER-06", {
    name: "a session stays with whoever signed in to it first",
    reason: "after a return of the first owner, a list is wrong",
    defect: ({ engine }) => ({
      engine: {
        async write(key, text, options) {
          const before = await engine.read(key);
          const first = before && ownerIn(before.value);
          const kept = edit(text, (parts) => parts[10] = first ?? parts[10]);
          return await engine.write(key, kept, options);
        },
      },
    }),
  }),
];

/** The owner in a session's record, or `null`. */
function ownerIn(text: string): string | null {
  return isSession(text) ? JSON.parse(text)[10] : null;
}
