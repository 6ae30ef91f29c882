/** Sessions of Remix 3: a few lines of its own API for each rule. */
import type { SessionStorage } from "@remix-run/session";
import assert from "node:assert/strict";
import type { Show } from "../run.ts";

/** The lifetime of sessions, where the storage has one: milliseconds. */
export const HOUR = 3_600_000;

/** A storage, and what a reproduction does to its database. */
export interface Storage extends SessionStorage {
  /** Damages a session's record. */
  damage?(id: string): unknown;
  /** Lets time pass, in milliseconds. */
  age?(ms: number): unknown;
  /** The same storage with another lifetime, in seconds. */
  withLifetime?(seconds: number): SessionStorage;
}

/** Signs a new visitor in. Returns their cookie. */
export async function signIn(storage: Storage): Promise<string | null> {
  const session = await storage.read(null);
  session.set("userId", "u1");
  return await storage.save(session);
}

/** The reproductions, by rule. */
export const shows: Readonly<Record<string, Show<Storage>>> = {
  "PERSIST-10": {
    visitor:
      "If a page adds an item to the cart that it read and saves, the item is lost, unless the page also sets the cart again.",
    async show(storage) {
      const session = await storage.read(null);
      session.set("cart", ["tea"]);
      const browser = await storage.save(session);
      const page = await storage.read(browser);
      (page.get("cart") as string[]).push("cup");
      const next = await storage.read(await storage.save(page) ?? browser);
      assert.deepEqual(next.get("cart"), ["tea", "cup"], "the cup is lost");
    },
  },
  "UNSET-02": {
    visitor:
      "A page that unsets an absent key sends every bot a cookie and, in memory and fs, stores a record for it.",
    async show(storage) {
      const session = await storage.read(null);
      session.unset("coupon");
      const cookie = await storage.save(session);
      assert.equal(cookie, null, "a session without data is saved");
    },
  },
  "EXPIRY-09": {
    visitor:
      "A page that begins before the session expires, and saves afterwards, signs the visitor in again.",
    async show(storage) {
      const browser = await signIn(storage);
      const slow = await storage.read(browser);
      await storage.age?.(HOUR);
      slow.set("visits", 1);
      await storage.save(slow);
      const next = await storage.read(browser);
      assert(!next.has("userId"), "the session that expired is back");
    },
  },
  "EXPIRY-12": {
    visitor:
      "After a theft, a site shortens the lifetime of its sessions. Those that were saved before keep the old one.",
    async show(storage) {
      const stolen = await signIn(storage);
      const shorter = storage.withLifetime?.(60) ?? storage;
      await storage.age?.(HOUR / 2);
      const next = await shorter.read(stolen);
      assert(!next.has("userId"), "the old lifetime still counts");
    },
  },
  "REGEN-09": {
    visitor:
      "Ids have 122 random bits; 128 are recommended. Guessing such an id is not practical either.",
    async show(storage) {
      const { id } = await storage.read(null);
      // Six bits of a UUID are always the same.
      const bits = id.replaceAll("-", "").length * 4 -
        (id.includes("-") ? 6 : 0);
      assert(bits >= 128, `an id has ${bits} random bits`);
    },
  },
  "REGEN-08": {
    visitor:
      "If a login saves the session twice in one request, each time with a new id, the id in between stays signed in.",
    async show(storage) {
      const session = await storage.read(await signIn(storage));
      session.regenerateId(true);
      const between = await storage.save(session);
      session.regenerateId(true);
      await storage.save(session);
      const other = await storage.read(between);
      assert(!other.has("userId"), "the id in between still works");
    },
  },
  "ISO-01": {
    visitor:
      "If a page changes its cart object after saving it, the visitor's next request reads the change, although it was not saved.",
    async show(storage) {
      const cart = ["tea"];
      const session = await storage.read(null);
      session.set("cart", cart);
      const browser = await storage.save(session);
      cart.push("cup");
      const next = await storage.read(browser);
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
    async show(storage) {
      const session = await storage.read(null);
      session.set("cart", ["tea"]);
      const browser = await storage.save(session);
      ((await storage.read(browser)).get("cart") as string[]).push("cup");
      const other = await storage.read(browser);
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
      const browser = await signIn(storage);
      const slow = await storage.read(browser);
      const leaving = await storage.read(browser);
      leaving.destroy();
      await storage.save(leaving);
      slow.set("visits", 1);
      await storage.save(slow);
      const next = await storage.read(browser);
      assert(!next.has("userId"), "the destroyed session is back");
    },
  },
  "CONC-02": {
    visitor:
      "An id that was planted before the login, and ended by it, is valid again once a slow page saves.",
    async show(storage) {
      const planted = await signIn(storage);
      const slow = await storage.read(planted);
      const login = await storage.read(planted);
      login.regenerateId(true);
      await storage.save(login);
      slow.set("visits", 1);
      await storage.save(slow);
      const attacker = await storage.read(planted);
      assert(!attacker.has("userId"), "the id that was deleted is back");
    },
  },
  "CONC-04": {
    visitor:
      "A request that reads while another one saves reads half a file, and fails.",
    async show(storage) {
      const session = await storage.read(null);
      session.set("text", "x".repeat(100_000));
      const browser = await storage.save(session);
      for (let i = 0; i < 100; i++) {
        const reads = Array.from({ length: 4 }, () => storage.read(browser));
        const results = await Promise.allSettled([
          storage.save(session),
          ...reads,
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
      let browser = await signIn(storage);
      const slow = await storage.read(browser);
      const leaving = await storage.read(browser);
      leaving.destroy();
      await storage.save(leaving);
      const other = await storage.read(null);
      other.set("userId", "u2");
      browser = await storage.save(other);
      slow.set("visits", 1);
      browser = await storage.save(slow) ?? browser;
      const next = await storage.read(browser);
      assert.equal(next.get("userId"), "u2", "the browser got the old cookie");
    },
  },
  "HOSTILE-04": {
    visitor:
      "If a visitor's record is damaged, for example by a full disk, every request fails until the visitor deletes the cookie.",
    async show(storage) {
      const browser = `${await signIn(storage)}`;
      await storage.damage?.(browser);
      await assert.doesNotReject(
        storage.read(browser),
        "a damaged record rejects",
      );
    },
  },
  "HOSTILE-06": {
    visitor:
      "If the session is larger than the limit of a cookie, browsers drop each new cookie: later changes are lost without an error.",
    async show(storage) {
      const session = await storage.read(null);
      session.set("text", "x".repeat(5000));
      await assert.rejects(
        storage.save(session),
        "it saves a cookie of more than 4096 bytes",
      );
    },
  },
  "HOSTILE-07": {
    visitor:
      "The error about a damaged record contains the visitor's id. Who reads the log has the session.",
    async show(storage) {
      const browser = `${await signIn(storage)}`;
      await storage.damage?.(browser);
      const { message = "" } = await storage.read(browser)
        .then(() => new Error(), (error: Error) => error);
      assert(!message.includes(browser), "the error contains the id");
    },
  },
  "SERIAL-03": {
    visitor:
      "A date is returned as text and NaN as null. The page that uses them fails, far from the code that stored them.",
    async show(storage) {
      const session = await storage.read(null);
      session.set("sale", { ends: new Date(0), discount: NaN });
      const next = await storage.read(await storage.save(session));
      assert.deepEqual(
        next.get("sale"),
        { ends: new Date(0), discount: NaN },
        "the value that is read differs from the saved one",
      );
    },
  },
  "SERIAL-04": {
    visitor:
      "If a login sets a new id and a value that cannot be stored, it fails, and the old session with its cart is deleted too.",
    async show(storage) {
      const browser = await signIn(storage);
      const session = await storage.read(browser);
      session.regenerateId(true);
      session.set("balance", 10n);
      await storage.save(session).catch(() => {});
      const next = await storage.read(browser);
      assert(next.has("userId"), "the save that failed deleted the session");
    },
  },
  "MODEL-02": {
    visitor:
      "One page logs out while another removes a coupon: the visitor is still signed in, which neither order of the two would give.",
    async show(storage) {
      const browser = await signIn(storage);
      const [leaving, other] = [
        await storage.read(browser),
        await storage.read(browser),
      ];
      other.unset("coupon");
      leaving.destroy();
      await storage.save(leaving);
      await storage.save(other);
      const next = await storage.read(browser);
      assert(!next.has("userId"), "no order of the two leads to this");
    },
  },
};
