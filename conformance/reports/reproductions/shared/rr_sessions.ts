/** How sessions of React Router and Remix 1–2 begin, end and overlap: a few lines of their own API for each rule. */
import assert from "node:assert/strict";
import {
  beginPage,
  lifetimeOf,
  pass,
  sent,
  signIn,
  type Storage,
} from "./rr_storage.ts";
import type { Show } from "../run.ts";

/** The reproductions, by rule. */
export const sessionShows: Readonly<Record<string, Show<Storage>>> = {
  "PERSIST-05": {
    visitor:
      "A request that is in progress while the visitor logs out keeps the id of the destroyed session, and everything that depends on that id.",
    async show(storage) {
      const { getSession, destroySession } = storage;
      const old = await signIn(storage);
      const leaving = await getSession(old);
      await destroySession(leaving);
      const replay = await getSession(old);
      assert(replay.id !== leaving.id, "the destroyed session's id is used");
    },
  },
  "PERSIST-07": {
    visitor: "A visitor without a session who clicks Sign out gets an error.",
    async show({ getSession, destroySession }) {
      await assert.doesNotReject(
        destroySession(await getSession()),
        "destroying a session that is not stored rejects",
      );
    },
  },
  "FLASH-10": {
    visitor:
      "Two pages load at the same time. One shows “Paid”, the other saves something else: “Paid” is shown again.",
    async show({ getSession, commitSession }) {
      const first = await getSession();
      first.flash("notice", "Paid");
      const browser = sent(await commitSession(first));
      const [page, other] = [
        await getSession(browser),
        await getSession(browser),
      ];
      page.get("notice");
      await commitSession(page);
      other.set("visits", 1);
      await commitSession(other);
      const next = await getSession(browser);
      assert(!next.has("notice"), "the flash that was read is back");
    },
  },
  "EXPIRY-02": {
    visitor:
      "An attacker plants the cookie of an expired session in a visitor's browser, and is signed in as the visitor after the login.",
    async show(storage) {
      const { getSession, commitSession } = storage;
      const expires = new Date(Date.now() + lifetimeOf(storage));
      const old = await signIn(storage, { expires });
      await pass(storage, expires);
      const next = await getSession(old);
      next.set("userId", "u2");
      await commitSession(next);
      const kept = await getSession(old);
      assert(!kept.has("userId"), "the old cookie reads the new session");
    },
  },
  "EXPIRY-09": {
    visitor:
      "A page that begins before the session expires, and saves afterwards, signs the visitor in again.",
    async show(storage) {
      const { getSession, commitSession } = storage;
      const { browser, page: slow, expires } = await beginPage(storage);
      await pass(storage, expires);
      slow.set("visits", 1);
      await commitSession(slow);
      const next = await getSession(browser);
      assert(!next.has("userId"), "the session that ran out is back");
    },
  },
  "REGEN-05": {
    visitor:
      "An attacker logs out, plants that cookie in a visitor's browser, and is signed in as the visitor after the login (session fixation).",
    async show(storage) {
      const { getSession, commitSession, destroySession } = storage;
      const planted = await signIn(storage);
      await destroySession(await getSession(planted));
      const victim = await getSession(planted);
      victim.set("userId", "u2");
      await commitSession(victim);
      const attacker = await getSession(planted);
      assert(!attacker.has("userId"), "the id of a destroyed session is taken");
    },
  },
  "REGEN-07": {
    visitor:
      "In memory, ids of Remix 2 have about 41 random bits, from Math.random(); 64 are required. Only the signature of the cookie prevents guessing.",
    async show(storage) {
      const { id } = await storage.getSession(await signIn(storage));
      // The digits of a number between 0 and 1 in base 36, of which eight are kept.
      const bits = Math.min(id.length * 4, id.length * Math.log2(36));
      assert(bits >= 64, `an id has about ${Math.floor(bits)} random bits`);
    },
  },
  "REGEN-09": {
    visitor:
      "Ids have 64 random bits, and in memory 122 or, in Remix 2, about 41; 128 are recommended. Only the signature of the cookie prevents guessing.",
    async show(storage) {
      const { id } = await storage.getSession(await signIn(storage));
      // Six bits of a UUID are always the same.
      const bits = id.includes("-") ? 122 : id.length * 4;
      assert(bits >= 128, `an id has ${bits} random bits or fewer`);
    },
  },
  "ISO-01": {
    visitor:
      "If a page changes its cart object after saving it, the visitor's next request reads the change, although it was not saved.",
    async show({ getSession, commitSession }) {
      const cart = ["tea"];
      const session = await getSession();
      session.set("cart", cart);
      const browser = sent(await commitSession(session));
      cart.push("cup");
      const next = await getSession(browser);
      assert.deepEqual(
        next.get("cart"),
        ["tea"],
        "the stored value has changed too",
      );
    },
  },
  "ISO-02": {
    visitor:
      "If a page changes the cart and fails before saving it, every other request reads the change.",
    async show({ getSession, commitSession }) {
      const session = await getSession();
      session.set("cart", ["tea"]);
      const browser = sent(await commitSession(session));
      (await getSession(browser)).get("cart").push("cup");
      const other = await getSession(browser);
      assert.deepEqual(
        other.get("cart"),
        ["tea"],
        "another request reads a change that was not saved",
      );
    },
  },
  "CONC-01": {
    visitor:
      "A visitor logs out while a slow page loads. When that page saves, the visitor is signed in again, and so is everybody with the old cookie.",
    async show(storage) {
      const { getSession, commitSession, destroySession } = storage;
      const browser = await signIn(storage);
      const slow = await getSession(browser);
      await destroySession(await getSession(browser));
      slow.set("visits", 1);
      await commitSession(slow);
      const next = await getSession(browser);
      assert(!next.has("userId"), "the destroyed session is back");
    },
  },
  "CONC-04": {
    visitor:
      "A request that reads while another one saves reads a part of the file, and fails.",
    async show({ getSession, commitSession }) {
      const session = await getSession();
      session.set("text", "x".repeat(100_000));
      const browser = sent(await commitSession(session));
      const saved = await getSession(browser);
      for (let i = 0; i < 100; i++) {
        const results = await Promise.allSettled([
          commitSession(saved),
          ...Array.from({ length: 4 }, () => getSession(browser)),
        ]);
        assert(
          results.every(({ status }) => status === "fulfilled"),
          "reading rejects while the session is saved",
        );
      }
    },
  },
  "CONC-09": {
    visitor:
      "A visitor logs out, and another one signs in on that browser. The late response of a slow page signs the first one in again.",
    async show(storage) {
      const { getSession, commitSession, destroySession } = storage;
      let browser = await signIn(storage);
      const slow = await getSession(browser);
      await destroySession(await getSession(browser));
      const other = await getSession();
      other.set("userId", "u2");
      browser = sent(await commitSession(other));
      slow.set("visits", 1);
      browser = sent(await commitSession(slow)) || browser;
      const next = await getSession(browser);
      assert.equal(next.get("userId"), "u2", "the browser got the old cookie");
    },
  },
  "MODEL-01": {
    visitor:
      "A request that still sends the cookie after the logout, such as one of a second tab, keeps the destroyed id.",
    async show(storage) {
      const { getSession, destroySession } = storage;
      const browser = await signIn(storage);
      const session = await getSession(browser);
      await destroySession(session);
      const next = await getSession(browser);
      assert.notEqual(next.id, session.id, "the destroyed id is used again");
    },
  },
  "MODEL-02": {
    visitor:
      "One page logs out while another removes a coupon: the visitor is still signed in, which neither order of the two would give.",
    async show(storage) {
      const { getSession, commitSession, destroySession } = storage;
      const browser = await signIn(storage);
      const [leaving, other] = [
        await getSession(browser),
        await getSession(browser),
      ];
      other.unset("coupon");
      await destroySession(leaving);
      await commitSession(other);
      const next = await getSession(browser);
      assert(!next.has("userId"), "no order of the two leads to this");
    },
  },
};
