import { createCookie, type SessionStorage } from "../../../mod.ts";
import type {
  SessionLike,
  StorageLike,
  Target,
} from "../../../conformance/mod.ts";
import { cookieTarget, memoryTarget } from "../targets.ts";
import { type Mutant, mutant } from "./_mutant.ts";

export const cookie: readonly Mutant[] = [
  mutant("COOKIE-01", {
    name: "the first cookie of the name is read, and no other",
    reason: "a cookie that was damaged hides the live one",
    target: bound(memoryTarget(), (storage) => ({
      getSession: (header) => storage.getSession(header?.split(";")[0]),
    })),
  }),
  mutant("COOKIE-01", {
    name: "the first authentic cookie is read, and no other",
    reason: "a cookie that was destroyed hides the live one",
    target: bound(memoryTarget(), (storage) => ({
      async getSession(header) {
        return await storage.getSession(await firstAuthentic(header));
      },
    })),
  }),
  mutant("COOKIE-01", {
    name: "the first authentic cookie hides the session after it",
    reason: "a cookie that has expired hides the live one",
    target: bound(cookieTarget(), (storage) => ({
      async getSession(header) {
        return await storage.getSession(await firstAuthentic(header));
      },
    })),
  }),
  mutant("COOKIE-01", {
    name: "two cookies are tried at most",
    reason:
      "a cookie that was destroyed, like the one after it, hides the live one",
    target: bound(memoryTarget(), (storage) => ({
      getSession: (header) =>
        storage.getSession(header?.split(";").slice(0, 2).join(";")),
    })),
  }),
  mutant("COOKIE-01", {
    name: "a session that came with several cookies is not saved",
    reason: "a change is not saved in the live session",
    target: bound(memoryTarget(), (storage) => {
      const several = new WeakSet<SessionLike>();
      return {
        async getSession(header) {
          const session = await storage.getSession(header);
          if (header?.includes(";")) several.add(session);
          return session;
        },
        commitSession: async (session, options) =>
          several.has(session)
            ? ""
            : await storage.commitSession(session, options),
      };
    }),
  }),
  mutant("COOKIE-02", {
    name: "the cookie is cleared without its path",
    reason: "destroySession() clears another cookie",
    target: bound(memoryTarget(), (storage) => ({
      destroySession: async (session) =>
        (await storage.destroySession(session)).replace(/; Path=[^;]*/, ""),
    })),
  }),
  mutant("COOKIE-02", {
    name: "the cookie is cleared under another name",
    reason: "destroySession() clears another cookie",
    target: bound(memoryTarget(), (storage) => ({
      destroySession: async (session) =>
        `s-${await storage.destroySession(session)}`,
    })),
  }),
  mutant("COOKIE-02", {
    name: "a commit clears the cookie for one domain",
    reason: "commitSession() after destroy() clears another cookie",
    target: bound(memoryTarget(), (storage) => ({
      async commitSession(session, options) {
        const header = await storage.commitSession(session, options);
        return session.destroyed ? `${header}; Domain=example.com` : header;
      },
    })),
  }),
];

/** A storage that is right but for some of its functions. */
function bound(
  target: Target,
  defect: (storage: SessionStorage) => StorageLike,
): Target {
  return {
    ...target,
    async open(options) {
      const opened = await target.open(options);
      const storage = opened.storage as SessionStorage;
      const { getSession, commitSession, destroySession } = storage;
      return {
        ...opened,
        storage: {
          getSession,
          commitSession,
          destroySession,
          listSessions: storage.listSessions,
          destroySessions: storage.destroySessions,
          ...storage.sweep ? { sweep: storage.sweep } : {},
          ...defect(storage),
        },
      };
    },
  };
}

/** The first cookie in a header that is authentic, or else the header. */
async function firstAuthentic(
  header: string | null | undefined,
): Promise<string | null> {
  const secrets = ["s3cr3t", "older"];
  for (const pair of header?.split("; ", 3) ?? []) {
    const [, name] = /^([\w-]+)=/.exec(pair) ?? [];
    if (name === undefined) continue;
    if (await createCookie(name, { secrets }).parse(pair) !== null) return pair;
  }
  return header ?? null;
}
