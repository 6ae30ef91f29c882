import { createCookie, type SessionStorage } from "../../../mod.ts";
import type { SessionLike } from "../../../conformance/mod.ts";
import { cookieTarget, memoryTarget } from "../targets.ts";
import { bound } from "./_headers.ts";
import { type Mutant, mutant } from "./_mutant.ts";

export const cookie: readonly Mutant[] = [
  mutant("COOKIE-01", {
    name: "the first cookie of the name is read, and no other",
    reason: "a cookie that was damaged hides the live one",
    also: {
      "COOKIE-03": "the other cookies are not read, so they are not ended",
      "COOKIE-04": "another cookie is the first",
    },
    target: bound(memoryTarget(), (storage) => ({
      getSession: (header) => storage.getSession(header?.split(";")[0]),
    })),
  }),
  mutant("COOKIE-01", {
    name: "the first authentic cookie is read, and no other",
    reason: "a cookie that was destroyed hides the live one",
    also: {
      "COOKIE-03": "the other cookies are not read, so they are not ended",
      "COOKIE-04": "a cookie that is empty is authentic",
    },
    target: bound(memoryTarget(), (storage) => ({
      async getSession(header) {
        return await storage.getSession(await firstAuthentic(header));
      },
    })),
  }),
  mutant("COOKIE-01", {
    name: "the first authentic cookie hides the session after it",
    reason: "a cookie that has expired hides the live one",
    also: {
      "COOKIE-04": "a cookie that is empty is authentic",
    },
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
    also: {
      "COOKIE-03": "the third cookie is not read, so it is not ended",
      "COOKIE-04": "the session's cookie has more before it",
    },
    target: bound(memoryTarget(), (storage) => ({
      getSession: (header) =>
        storage.getSession(header?.split(";").slice(0, 2).join(";")),
    })),
  }),
  mutant("COOKIE-01", {
    name: "a session that came with several cookies is not saved",
    reason: "a change is not saved in the live session",
    also: {
      "COOKIE-03": "the regenerated id is not sent",
      "COOKIE-04": "the session's cookie is not alone",
    },
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
    also: {
      "COOKIE-07": "the browser keeps the cookie that was set",
    },
    target: bound(memoryTarget(), (storage) => ({
      destroySession: async (session) =>
        (await storage.destroySession(session)).replace(/; Path=[^;]*/, ""),
    })),
  }),
  mutant("COOKIE-02", {
    name: "the cookie is cleared under another name",
    reason: "destroySession() clears another cookie",
    also: {
      "COOKIE-07": "the browser keeps the cookie that was set",
    },
    target: bound(memoryTarget(), (storage) => ({
      destroySession: async (session) =>
        `s-${await storage.destroySession(session)}`,
    })),
  }),
  mutant("COOKIE-02", {
    name: "a commit clears the cookie for one domain",
    reason: "commitSession() after destroy() clears another cookie",
    also: {
      "COOKIE-07": "the browser keeps the cookie that was set",
    },
    target: bound(memoryTarget(), (storage) => ({
      async commitSession(session, options) {
        const header = await storage.commitSession(session, options);
        return session.destroyed ? `${header}; Domain=example.com` : header;
      },
    })),
  }),
  mutant("COOKIE-03", {
    name: "a logout ends the session of one cookie, and no other",
    reason: "after the logout, the session of cookie 2 of 3 is live",
    target: bound(memoryTarget(), (storage) => ({
      getSession: async (header) => (await firstLive(storage, header)).session,
    })),
  }),
  mutant("COOKIE-03", {
    name: "a logout ends the sessions of two cookies at most",
    reason: "after the logout, the session of cookie 3 of 3 is live",
    target: bound(memoryTarget(), (storage) => ({
      async getSession(header) {
        const { cookie, rest } = await firstLive(storage, header);
        return await storage.getSession(
          [cookie, ...rest.slice(0, 1)].join("; "),
        );
      },
    })),
  }),
  mutant("COOKIE-03", {
    name: "a login ends the session of one cookie, and no other",
    reason: "hides the one with the regenerated id",
    target: bound(memoryTarget(), (storage) => {
      const others = new WeakMap<SessionLike, string[]>();
      return {
        async getSession(header) {
          const { session, rest } = await firstLive(storage, header);
          others.set(session, rest);
          return session;
        },
        async destroySession(session) {
          for (const other of others.get(session) ?? []) {
            await storage.destroySession(await storage.getSession(other));
          }
          return await storage.destroySession(session);
        },
      };
    }),
  }),
];

/** The session of the first of several cookies that leads to one with values, and the cookies after it. */
async function firstLive(storage: SessionStorage, header?: string | null) {
  const cookies = header?.split("; ", 3) ?? [];
  for (const [index, cookie] of cookies.entries()) {
    const session = await storage.getSession(cookie);
    const rest = cookies.slice(index + 1);
    if (session.has("userId")) return { session, cookie, rest };
  }
  return {
    session: await storage.getSession(header),
    cookie: header ?? "",
    rest: [] as string[],
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
