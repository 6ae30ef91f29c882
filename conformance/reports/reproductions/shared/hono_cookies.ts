/** Logins, logouts, deadlines and cookies with hono-sessions: a few lines of an application for each rule. */
import assert from "node:assert/strict";
import { clears, logOut, read, renew, signIn, type Site } from "./hono_site.ts";
import type { Show } from "../run.ts";
import { later } from "./later.ts";

/** The reproductions, by rule. */
export const cookieShows: Readonly<Record<string, Show<Site>>> = {
  "EXPIRY-09": {
    visitor:
      "A page that begins before the session expires, and saves afterwards, signs the visitor in again.",
    async show(site) {
      const cookie = await signIn(site);
      const userId = await later(899_000, async (pass) => {
        const slow = await site.visit(cookie, (session) => {
          pass(2_000);
          session.set("visits", 1);
        });
        return await read(site, slow.cookie, "userId");
      });
      assert.notEqual(userId, "u1", "the session that expired is back");
    },
  },
  "EXPIRY-12": {
    visitor:
      "After a theft, a site shortens the lifetime of its sessions. Those that were saved before keep the old one.",
    async show(site) {
      const stolen = await signIn(site);
      const shorter = site.with({ expireAfterSeconds: 60 });
      const userId = await later(
        120_000,
        () => read(shorter, stolen, "userId"),
      );
      assert.notEqual(userId, "u1", "the old lifetime still counts");
    },
  },
  "REGEN-04": {
    visitor:
      "A logout that also renews the id does not clear the cookie, and the browser keeps it.",
    async show(site) {
      const { header } = await site.visit(await signIn(site), (s, c) => {
        renew(s, c);
        logOut(s);
      });
      assert(clears(header), "the cookie is not cleared");
    },
  },
  "REGEN-09": {
    visitor:
      "Ids have 122 random bits; 128 are recommended. Guessing such an id is not practical either.",
    async show(site) {
      let id = "";
      await site.visit(null, (session) => {
        id = session.getCache()._id ?? "";
      });
      // Six bits of a UUID are always the same.
      const bits = id.replaceAll("-", "").length * 4 - 6;
      assert(bits >= 128, `an id has ${bits} random bits`);
    },
  },
  "CONC-02": {
    visitor:
      "An id that was planted before the login, and ended by it, is valid again once a slow page saves.",
    async show(site) {
      const planted = await signIn(site);
      await site.visit(planted, async (session) => {
        await site.visit(planted, renew);
        session.set("visits", 1);
      });
      const userId = await read(site, planted, "userId");
      assert.notEqual(userId, "u1", "the id that was ended is back");
    },
  },
  "CONC-09": {
    visitor:
      "A visitor logs out, and another one signs in on that browser. The late response of a slow page sets the cookie of the first one.",
    async show(site) {
      const cookie = await signIn(site);
      const { header } = await site.visit(cookie, async () => {
        await site.visit(cookie, logOut);
      });
      assert.equal(header, "", "the late response sets the old cookie");
    },
  },
  "COOKIE-01": {
    visitor:
      "After the cookie's path and key were changed, the browser sends the old cookie in front of the new one, and the visitor cannot sign in.",
    async show(site) {
      const cookie = await signIn(site);
      const both = `session=old; ${cookie}`;
      const userId = await read(site, both, "userId");
      assert.equal(userId, "u1", "the old cookie hides the new one");
    },
  },
  "COOKIE-02": {
    visitor:
      "After the logout, the browser keeps the cookie: nothing tells it to remove it.",
    async show(site) {
      const { header } = await site.visit(await signIn(site), logOut);
      assert(clears(header), "the logout does not clear the cookie");
    },
  },
  "COOKIE-07": {
    visitor:
      "After the logout, the browser still has the cookie, and sends it with every request.",
    async show(site) {
      const { header } = await site.visit(await signIn(site), logOut);
      assert(clears(header), "the cookie stays in the browser");
    },
  },
  "COOKIE-09": {
    visitor:
      "A page saves more than fits into a cookie. The browser ignores the cookie and keeps the one before.",
    async show(site) {
      const { header, status } = await site.visit(
        null,
        (session) => session.set("text", "x".repeat(4000)),
      );
      assert(
        status === 500 || header.length <= 4096,
        "it sends a cookie of more than 4096 bytes",
      );
    },
  },
  "COOKIE-03": {
    visitor:
      "A browser has two session cookies, for two paths. The visitor logs out, and the other cookie signs the visitor in again.",
    async show(site) {
      const cookies = [await signIn(site), await signIn(site)];
      await site.visit(cookies.join("; "), logOut);
      for (const cookie of cookies) {
        const userId = await read(site, cookie, "userId");
        assert.notEqual(userId, "u1", "the other cookie's session is live");
      }
    },
  },
};
