/**
 * Reproductions for react-router and @react-router/node: a few lines of their own API for each rule that they break.
 *
 * `deno run -A conformance/reports/reproductions/react_router.ts [cookie | memory | file] [rule]`
 */
import { createFileSessionStorage } from "@react-router/node";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import {
  createCookie,
  createCookieSessionStorage,
  createMemorySessionStorage,
  type SessionStorage,
} from "react-router";
import { type Reproduction, run } from "./run.ts";

const secrets = ["s3cr3t"];
const cookie = { name: "__session", secrets };
const dir = mkdtempSync(join(tmpdir(), "sessions-"));
process.on("exit", () => rmSync(dir, { recursive: true }));

/** The storages. */
export const storages: Readonly<Record<string, () => SessionStorage>> = {
  cookie: () => createCookieSessionStorage({ cookie }),
  memory: () => createMemorySessionStorage({ cookie }),
  file: () => createFileSessionStorage({ cookie, dir }),
};

/** The `Cookie` header that a browser sends for a `Set-Cookie` header. */
function sent(header: string): string {
  return header.split(";")[0] ?? "";
}

/** Signs a new visitor in. Returns their cookie. */
async function signIn(
  { getSession, commitSession }: SessionStorage,
  options?: { expires: Date },
): Promise<string> {
  const session = await getSession();
  session.set("userId", "u1");
  return sent(await commitSession(session, options));
}

/** Waits until a time has passed. */
async function past(moment: Date): Promise<void> {
  const ms = moment.getTime() - Date.now() + 20;
  await new Promise((resolve) => setTimeout(resolve, ms));
}

/** The reproductions, by rule. */
export const reproductions: Readonly<
  Record<string, Reproduction<SessionStorage>>
> = {
  "PERSIST-05": {
    of: ["memory", "file"],
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
  "FLASH-10": {
    of: ["memory", "file"],
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
    of: ["memory", "file"],
    visitor:
      "An attacker plants the cookie of an expired session in a visitor's browser, and is signed in as the visitor after the login.",
    async show(storage) {
      const { getSession, commitSession } = storage;
      const expires = new Date(Date.now() + 100);
      const old = await signIn(storage, { expires });
      await past(expires);
      const next = await getSession(old);
      next.set("userId", "u2");
      await commitSession(next);
      const kept = await getSession(old);
      assert(!kept.has("userId"), "the old cookie reads the new session");
    },
  },
  "EXPIRY-09": {
    of: ["memory", "file"],
    visitor:
      "A page that begins before the session expires, and saves afterwards, signs the visitor in again.",
    async show(storage) {
      const { getSession, commitSession } = storage;
      const expires = new Date(Date.now() + 100);
      const browser = await signIn(storage, { expires });
      const slow = await getSession(browser);
      await past(expires);
      slow.set("visits", 1);
      await commitSession(slow);
      const next = await getSession(browser);
      assert(!next.has("userId"), "the session that ran out is back");
    },
  },
  "REGEN-05": {
    of: ["memory", "file"],
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
    of: ["memory", "file"],
    visitor:
      "Ids have 64 random bits in files and 122 in memory; 128 are required. Only the signature of the cookie prevents guessing.",
    async show(storage) {
      const { id } = await storage.getSession(await signIn(storage));
      // Six bits of a UUID are always the same.
      const bits = id.replaceAll("-", "").length * 4 -
        (id.includes("-") ? 6 : 0);
      assert(bits >= 128, `an id has ${bits} random bits`);
    },
  },
  "ISO-01": {
    of: ["memory"],
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
    of: ["memory"],
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
    of: ["memory", "file"],
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
  "CONC-09": {
    of: ["memory", "file"],
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
  "COOKIE-01": {
    of: ["cookie", "memory", "file"],
    visitor:
      "After the cookie's path and secret were changed, the browser sends the old cookie in front of the new one, and the visitor cannot sign in.",
    async show(storage) {
      const older = createCookie("__session", { secrets: ["older"] });
      const old = sent(await older.serialize("old"));
      const session = await storage.getSession(
        `${old}; ${await signIn(storage)}`,
      );
      assert(session.has("userId"), "the old cookie hides the new one");
    },
  },
  "COOKIE-03": {
    of: ["memory", "file"],
    visitor:
      "A browser has two session cookies, for two paths. The visitor logs out, and the other cookie signs the visitor in again.",
    async show(storage) {
      const cookies = [await signIn(storage), await signIn(storage)];
      const session = await storage.getSession(cookies.join("; "));
      await storage.destroySession(session);
      const next = await storage.getSession(cookies[1]);
      assert(!next.has("userId"), "the other cookie's session is live");
    },
  },
  "HOSTILE-04": {
    of: ["file"],
    visitor:
      "If a visitor's file is damaged, for example by a full disk, every request fails until the visitor deletes the cookie.",
    async show(storage) {
      const browser = await signIn(storage);
      const { id } = await storage.getSession(browser);
      writeFileSync(join(dir, id.slice(0, 4), id.slice(4)), '{"data":{"use');
      await assert.doesNotReject(
        storage.getSession(browser),
        "a damaged file rejects",
      );
    },
  },
  "HOSTILE-05": {
    of: ["cookie"],
    visitor:
      "A value that the site signed for another cookie with the same secret is read as a session: a visitor who can choose the content of a signed cookie can be any user.",
    async show({ getSession }) {
      const preferences = createCookie("preferences", { secrets });
      const [, value] = sent(await preferences.serialize({ userId: "u1" }))
        .split("preferences=");
      const session = await getSession(`__session=${value}`);
      assert(!session.has("userId"), "another cookie's value is a session");
    },
  },
  "SERIAL-03": {
    of: ["cookie", "file"],
    visitor:
      "A date is returned as text and NaN as null. The page that uses them fails, far from the code that stored them.",
    async show({ getSession, commitSession }) {
      const session = await getSession();
      session.set("sale", { ends: new Date(0), discount: NaN });
      const next = await getSession(sent(await commitSession(session)));
      assert.deepEqual(
        next.get("sale"),
        { ends: new Date(0), discount: NaN },
        "the value that is read differs from the saved one",
      );
    },
  },
  "MODEL-01": {
    of: ["memory", "file"],
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
    of: ["memory", "file"],
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

if (import.meta.main) await run(storages, reproductions);
