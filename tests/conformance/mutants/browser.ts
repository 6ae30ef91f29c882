import type { Target } from "../../../conformance/mod.ts";
import { cookieTarget, memoryTarget } from "../targets.ts";
import { bound, sending } from "./_headers.ts";
import { type Mutant, mutant } from "./_mutant.ts";

const DAY = 24 * 60 * 60;
/** What a clearing cookie of the library ends with. */
const ENDED = /; (?:Max-Age|Expires)=[^;]*/g;

export const browser: readonly Mutant[] = [
  mutant("COOKIE-04", {
    name: "the session fails where other cookies stand beside its own",
    reason: "reading a session rejected: URIError",
    also: {
      "HOSTILE-01": "such text is among its cookies",
    },
    target: reading((header) => {
      for (const pair of header.split("; ")) decodeURIComponent(pair);
      return header;
    }),
  }),
  mutant("COOKIE-04", {
    name: "a cookie is found by a pattern without a beginning",
    reason: "a cookie whose name ends with the session's hides the session",
    also: {
      "COOKIE-01": "only the first cookie of the name is found",
      "COOKIE-03": "only the first cookie of the name is found",
    },
    target: reading((header) => {
      const [, pair] = /(session=[^;]*)/.exec(header) ?? [];
      return pair ?? "";
    }),
  }),
  mutant("COOKIE-04", {
    name: "a cookie's name is compared without its case",
    reason: "a cookie whose name is the session's in other letters hides",
    also: {
      "COOKIE-01": "only the first cookie of the name is found",
      "COOKIE-03": "only the first cookie of the name is found",
    },
    target: reading((header) =>
      header.split("; ").filter((pair) => /^session=/i.test(pair))
        .map((pair) => pair.replace(/^session/i, "session")).slice(0, 1).join()
    ),
  }),
  mutant("COOKIE-04", {
    name: "cookies are taken apart at commas too",
    reason: "a cookie whose name has all legal characters hides",
    target: reading((header) => header.split(/[,&] ?/)[0] ?? ""),
  }),
  mutant("COOKIE-04", {
    name: "a pair without = ends the list",
    reason: "a cookie without a name hides the session",
    target: reading((header) => {
      const pairs = header.split("; ");
      const odd = pairs.findIndex((pair) => !pair.includes("="));
      return (odd < 0 ? pairs : pairs.slice(0, odd)).join("; ");
    }),
  }),
  mutant("COOKIE-05", {
    name: "a cookie's path is that of the page",
    reason: "the page / does not get the cookie that another page set",
    target: sending(memoryTarget(), (header) => header.replace("; Path=/", "")),
  }),
  mutant("COOKIE-05", {
    name: "a cookie __Host- is not Secure",
    reason: "a browser ignores the cookie: the prefix __Host- needs Secure",
    also: {
      "COOKIE-07": "the browser has ignored the cookie that is cleared",
      "COOKIE-08": "the browser has ignored the cookie",
      "COOKIE-12": "the browser has ignored the cookie",
      "COOKIE-09": "the browser has ignored the cookie",
    },
    target: named("__Host-session"),
  }),
  mutant("COOKIE-05", {
    name: "a cookie for other sites is not Secure",
    reason: "a browser ignores the cookie: SameSite=None needs Secure",
    also: {
      "COOKIE-07": "the browser has ignored the cookie that is cleared",
      "COOKIE-08": "the browser has ignored the cookie",
      "COOKIE-12": "the browser has ignored the cookie",
      "COOKIE-09": "the browser has ignored the cookie",
    },
    target: sending(
      memoryTarget(),
      (header) => header.replace("SameSite=Lax", "SameSite=None"),
    ),
  }),
  mutant("COOKIE-05", {
    name: "a later commit sets a second cookie, for the domain",
    reason: "gets an older cookie than another page",
    also: { "COOKIE-09": "the browser sends the older cookie first" },
    target: bound(cookieTarget(), (storage) => {
      const known = new WeakSet<object>();
      return {
        async getSession(header) {
          const session = await storage.getSession(header);
          if (header) known.add(session);
          return session;
        },
        async commitSession(session, options) {
          const header = await storage.commitSession(session, options);
          return header && known.has(session) && !session.destroyed
            ? `${header}; Domain=example.com`
            : header;
        },
      };
    }),
  }),
  mutant("COOKIE-06", {
    name: "two cookies are joined by a comma",
    reason: "several cookies in one header",
    also: {
      "COOKIE-02": "the second cookie counts as an attribute",
    },
    target: sending(
      memoryTarget(),
      (header, clearing) => clearing ? header : `${header}, seen=1; Path=/`,
    ),
  }),
  mutant("COOKIE-06", {
    name: "the values that scripts need are in the cookie as they are",
    reason: "illegal characters in its value",
    target: bound(memoryTarget(), (storage) => ({
      async getSession(header) {
        return await storage.getSession(
          header?.replace(/\|\{[^;]*\}(?=;|$)/g, ""),
        );
      },
      async commitSession(session, options) {
        const header = await storage.commitSession(session, options);
        const name = JSON.stringify({ user: session.get("userId") });
        return header.replace(/^[^;=]+=[^;]+/, `$&|${name.replace(/;/g, "")}`);
      },
    })),
  }),
  mutant("COOKIE-06", {
    name: "Expires is a date of ISO 8601",
    reason: "an Expires that is not a date of HTTP",
    also: { "COOKIE-10": "a browser cannot read the lifetime" },
    target: sending(memoryTarget(), (header) =>
      header.replace(
        /Max-Age=([1-9]\d*)/,
        (_, seconds) =>
          `Expires=${new Date(Date.now() + seconds * 1000).toISOString()}`,
      )),
  }),
  mutant("COOKIE-06", {
    name: "Max-Age is not rounded",
    reason: "a Max-Age that is not a whole number",
    also: { "COOKIE-10": "it compares Max-Age with the lifetime" },
    target: sending(
      memoryTarget(),
      (header) => header.replace(/(?<=Max-Age=)[1-9]\d*/, "$&.75"),
    ),
  }),
  mutant("COOKIE-07", {
    name: "a lifetime of 0 is sent in quotes",
    reason: "after destroySession(), the browser still sends a cookie",
    also: {
      "COOKIE-06": "the quotes are not a number",
    },
    target: sending(
      memoryTarget(),
      (header, clearing) =>
        clearing ? header.replace(ENDED, "") + '; Max-Age="0"' : header,
    ),
  }),
  mutant("COOKIE-07", {
    name: "a cookie is cleared by an empty value alone",
    reason: "after destroySession(), the browser still sends a cookie",
    target: sending(
      memoryTarget(),
      (header, clearing) => clearing ? header.replace(ENDED, "") : header,
    ),
  }),
  mutant("COOKIE-08", {
    name: "scripts can read the cookie",
    reason: "scripts can read the cookie",
    target: sending(
      memoryTarget(),
      (header) => header.replace("; HttpOnly", ""),
    ),
  }),
  mutant("COOKIE-09", {
    name: "a cookie carries a copy of a text for scripts, of whatever size",
    reason: "a browser ignores the cookie: its name and value have",
    also: {
      "SIZE-01": "it saves large texts, too",
      "SIZE-02": "it saves large texts, too",
      "SIZE-03": "it saves large texts, too",
    },
    target: bound(memoryTarget(), (storage) => ({
      getSession: async (header) =>
        await storage.getSession(header?.replace(/\|[^;]*/g, "")),
      async commitSession(session, options) {
        const text = session.get("text");
        const renew = text === undefined ? {} : { renew: true };
        const header = await storage.commitSession(session, {
          ...options,
          ...renew,
        });
        return text === undefined
          ? header
          : header.replace(/^[^;=]+=[^;]+/, `$&|${text}`);
      },
    })),
  }),
  mutant("COOKIE-10", {
    name: "a commit's lifetime is in the record and not in the cookie",
    reason: "has no lifetime",
    target: sending(
      memoryTarget(),
      (header, clearing) => clearing ? header : header.replace(ENDED, ""),
    ),
  }),
  mutant("COOKIE-10", {
    name: "Max-Age is in milliseconds",
    reason: "has another Max-Age",
    target: sending(
      memoryTarget(),
      (header) => header.replace(/(?<=Max-Age=)[1-9]\d*/, "$&000"),
    ),
  }),
  mutant("COOKIE-10", {
    name: "Expires is in local time, and says that it is not",
    reason: "has an Expires that is too late",
    target: sending(
      memoryTarget(),
      (header) =>
        header.replace(/Max-Age=([1-9]\d*)/, (_, seconds) => {
          // East of Greenwich, by two hours.
          const ms = Date.now() + (Number(seconds) + 7200) * 1000;
          return `Expires=${new Date(ms).toUTCString()}`;
        }),
    ),
  }),
  mutant("COOKIE-11", {
    name: "a session's cookie lives for 10 years",
    reason: "the cookie's lifetime is 3650 days",
    target: sending(
      memoryTarget(),
      (header, clearing) =>
        clearing || /Max-Age/.test(header)
          ? header
          : `${header}; Max-Age=${3650 * DAY}`,
    ),
  }),
  mutant("COOKIE-12", {
    name: "a later save renews the record and not its cookie",
    reason: "after save 2, the cookie ended early",
    target: bound(memoryTarget(), (storage) => {
      const known = new WeakSet<object>();
      return {
        async getSession(header) {
          const session = await storage.getSession(header);
          if (session.has("n")) known.add(session);
          return session;
        },
        async commitSession(session, options) {
          const header = await storage.commitSession(session, options);
          return known.has(session) && session.has("n") ? "" : header;
        },
      };
    }),
  }),
];

/** A storage that is right, and reads something else than the header. */
function reading(change: (header: string) => string): Target {
  return bound(memoryTarget(), (storage) => ({
    getSession: async (header) =>
      await storage.getSession(header ? change(header) : header),
  }));
}

/** A storage that is right, under a name that its cookie must not have. */
function named(name: string): Target {
  return bound(memoryTarget(), (storage) => ({
    getSession: async (header) =>
      await storage.getSession(header?.replaceAll(`${name}=`, "session=")),
    commitSession: async (session, options) =>
      (await storage.commitSession(session, options))
        .replace(/^session=/, `${name}=`),
    destroySession: async (session) =>
      (await storage.destroySession(session)).replace(/^session=/, `${name}=`),
  }));
}
