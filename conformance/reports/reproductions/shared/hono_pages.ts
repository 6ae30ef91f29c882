/** Values, messages and pages that fail, with hono-sessions: a few lines of an application for each rule. */
import assert from "node:assert/strict";
import { clears, logOut, read, signIn, type Site } from "./hono_site.ts";
import type { Show } from "../run.ts";

/** The reproductions, by rule. */
export const pageShows: Readonly<Record<string, Show<Site>>> = {
  "PERSIST-02": {
    visitor:
      "Every visit of a bot gets a cookie and, in memory, a record that is never removed.",
    async show(site) {
      const { header } = await site.visit(null);
      assert.equal(header, "", "a page that uses no session sets a cookie");
    },
  },
  "PERSIST-05": {
    visitor: "After the logout, the browser keeps the cookie and sends it.",
    async show(site) {
      const { header } = await site.visit(await signIn(site), logOut);
      assert(clears(header), "the logout does not clear the cookie");
    },
  },
  "PERSIST-06": {
    visitor:
      "A page changes the session and fails. The change is kept all the same.",
    async show(site) {
      const cookie = await signIn(site);
      const { status } = await site.visit(cookie, (session) => {
        session.set("paid", true);
        throw new Error("the page fails");
      });
      assert.equal(status, 500);
      const paid = await read(site, cookie, "paid");
      assert(!paid, "the change of a page that failed is kept");
    },
  },
  "PERSIST-11": {
    visitor:
      "A visitor signs out. The browser keeps a cookie that the site made for the session.",
    async show(site) {
      const { header } = await site.visit(
        await signIn(site),
        (session) => session.deleteSession(),
      );
      assert(clears(header), "the logout does not clear the cookie");
    },
  },
  "FLASH-06": {
    visitor:
      "A page reads the message and is not finished. The message is gone for every other request.",
    async show(site) {
      const { cookie } = await site.visit(
        null,
        (session) => session.flash("notice", "Paid"),
      );
      let notice: unknown;
      await site.visit(cookie, async (session) => {
        session.get("notice");
        notice = await read(site, cookie, "notice");
      });
      assert.equal(notice, "Paid", "a request that was not saved took it");
    },
  },
  "FLASH-08": {
    visitor:
      "A message under the key of a value replaces the value, which is gone once the message was shown.",
    async show(site) {
      const { cookie } = await site.visit(null, (session) => {
        session.set("email", "ada@example.org");
        session.flash("email", "Check your address");
      });
      await read(site, cookie, "email");
      const email = await read(site, cookie, "email");
      assert.equal(email, "ada@example.org", "the value is gone");
    },
  },
  "FLASH-11": {
    visitor: "A logout that sets a message does not clear the cookie.",
    async show(site) {
      const { header } = await site.visit(await signIn(site), (session) => {
        session.flash("notice", "Bye");
        session.deleteSession();
      });
      assert(clears(header), "the logout does not clear the cookie");
    },
  },
  "UNSET-02": {
    visitor:
      "A page that removes an absent key sends every bot a cookie and, in memory, stores a record for it.",
    async show(site) {
      const { header } = await site.visit(
        null,
        (session) => session.forget("coupon"),
      );
      assert.equal(header, "", "a cookie is sent for an empty session");
    },
  },
  "ISO-01": {
    visitor:
      "If the site changes a cart object after the page that saved it, the visitor's next request reads the change.",
    async show(site) {
      const cart = ["tea"];
      const cookie = await signIn(site, { cart });
      cart.push("cup");
      const found = await read(site, cookie, "cart");
      assert.deepEqual(found, ["tea"], "the stored value has changed too");
    },
  },
  "ISO-02": {
    visitor:
      "If a page changes the cart and fails, every other request reads the change.",
    async show(site) {
      const cookie = await signIn(site, { cart: ["tea"] });
      await site.visit(cookie, (session) => {
        session.get("cart").push("cup");
        throw new Error("the page fails");
      });
      const found = await read(site, cookie, "cart");
      assert.deepEqual(found, ["tea"], "a change that was not saved is read");
    },
  },
  "HOSTILE-05": {
    visitor:
      "A cookie that the site made under another name, for example for an older site, is read as a session.",
    async show(site) {
      const older = site.with({ sessionCookieName: "older" });
      const moved = (await signIn(older)).replace(/^older=/, "session=");
      const userId = await read(site, moved, "userId");
      assert.notEqual(userId, "u1", "another cookie's value is a session");
    },
  },
  "HOSTILE-06": {
    visitor:
      "If the session is larger than the limit of a cookie, browsers drop each new cookie: later changes are lost without an error.",
    async show(site) {
      const { header, status } = await site.visit(
        null,
        (session) => session.set("text", "x".repeat(5000)),
      );
      assert(
        status === 500 || header.length <= 4096,
        "it sends a cookie of more than 4096 bytes",
      );
    },
  },
  "SERIAL-03": {
    visitor:
      "In the cookie, a date is returned as text and NaN as null; in memory, a promise (an await is missing) is stored, and every later request of the visitor fails.",
    async show(site) {
      for (const value of [new Date(0), NaN, Promise.resolve("Ada")]) {
        const saved = await site.visit(null, (s) => s.set("value", value));
        // To reject it is right.
        if (saved.status !== 200) continue;
        const found = await read(site, saved.cookie, "value");
        assert.deepEqual(found, value, "the value that is read differs");
      }
    },
  },
  "MODEL-01": {
    visitor: "Every page sets the cookie again, also one that only reads.",
    async show(site) {
      const { header } = await site.visit(
        null,
        (session) => void session.get("userId"),
      );
      assert.equal(header, "", "a page that only reads sets a cookie");
    },
  },
  "MODEL-02": {
    visitor:
      "A page reads a message and fails. Another page, at the same time, no longer has the message: nobody has shown it.",
    async show(site) {
      const { cookie } = await site.visit(
        null,
        (session) => session.flash("notice", "Paid"),
      );
      let notice: unknown;
      await site.visit(cookie, async (session) => {
        session.get("notice");
        await site.visit(cookie, (other) => {
          notice = other.get("notice");
        });
        throw new Error("the page fails");
      });
      assert.equal(notice, "Paid", "a page that failed took the message");
    },
  },
};
