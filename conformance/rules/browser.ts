/**
 * COOKIE: what a browser does with the cookies of a storage that reads and writes HTTP headers.
 *
 * @module
 */
import { LARGEST_BYTES } from "../trial/jar.ts";
import type { Sent } from "../trial/port.ts";
import type { VisitorRequest } from "../trial/visitor.ts";
import { Browser, openBound } from "./support/browser.ts";
import { namesakes, otherCookies } from "./support/other_cookies.ts";
import { must, type Rule, should } from "./support/rule.ts";
import { whyMalformed } from "./support/set_cookie_syntax.ts";

export const browser: readonly Rule[] = [
  must("COOKIE-04", {
    since: "2026.2",
    sentence:
      "The other cookies of a site do not disturb the session: neither their names and values, nor their places.",
    why:
      "A site has cookies of its own, of its advertisements and of its older versions, and browsers send all of them. If one of them hides the session or makes the request fail, the visitor cannot use the site.",
    async check(t) {
      const storage = await openBound(t);
      const visitor = await t.visitor(storage);
      await visitor.visit((r) => r.set("userId", "u1"));
      const live = visitor.cookie ?? "";
      await t.settle();
      const [name, value] = splitPair(live);
      const others = otherCookies(name);
      for (const [what, other] of t.cases(others, { atLeast: 6 })) {
        const request = await visitor.request(`${other}; ${live}; ${other}`);
        t.equal(
          request.get("userId"),
          "u1",
          `a cookie ${what} hides the session`,
        );
      }
      const all = others.map(([, other]) => other);
      const request = await visitor.request([...all, live, ...all].join("; "));
      request.set("theme", "dark");
      await request.save();
      await t.settle();
      const next = await visitor.request();
      t.equal(
        [next.get("userId"), next.get("theme")],
        ["u1", "dark"],
        "beside other cookies, a change is not saved",
      );
      const copies = namesakes(name, value).map(([, copy]) => copy);
      const alone = await visitor.request([...all, ...copies].join("; "));
      t.ok(!alone.has("userId"), "a cookie of another name is the session's");
    },
  }),
  must("COOKIE-05", {
    since: "2026.2",
    sentence:
      "A browser accepts the cookie of a commit, keeps one cookie, and sends it to every page below its path, whichever page set it.",
    why:
      "Browsers ignore many a cookie without saying so. Without Path, a visitor who signs in at /account/login is signed out at /.",
    async check(t) {
      const browser = await Browser.of(t, await openBound(t));
      await browser.visit((r) => r.set("userId", "u1"));
      await t.settle();
      const pages = ["", "shop", "shop/cart/3", "account/settings/login"];
      for (const page of pages) {
        const request = await browser.request(page);
        t.equal(
          request.get("userId"),
          "u1",
          `the page /${page} does not get the cookie that another page set`,
        );
        request.set("last", page);
        await request.save();
        browser.take(request, page);
        await t.settle();
      }
      for (const page of pages) {
        t.equal(
          (await browser.request(page)).get("last"),
          pages.at(-1),
          `the page /${page} gets an older cookie than another page`,
        );
        t.equal(
          browser.cookies(page).length,
          1,
          `the page /${page} gets several cookies`,
        );
      }
    },
  }),
  must("COOKIE-06", {
    since: "2026.2",
    sentence:
      "Each Set-Cookie header is one cookie in the syntax of RFC 6265: its name, value, Max-Age and Expires have legal characters and forms.",
    why:
      "Browsers, proxies and servers disagree about other characters. What one of them cuts or splits, the visitor loses.",
    async check(t) {
      const visitor = await t.visitor(await openBound(t));
      const check = (sent: Sent, what: string) => {
        if (sent.kind === "nothing") return;
        const problem = whyMalformed(sent.header ?? "");
        t.ok(problem === undefined, `${what} sends ${problem}`);
      };
      const values = ["u1", 'a "b", c; d\\e\nf\t', "größer 🍵 100 %", {
        a: [1],
      }];
      for (const value of values) {
        const request = await visitor.visit((r) => r.set("userId", value));
        check(request.sent, "a commit");
        await t.settle();
      }
      const lasting = await t.visitor();
      const request = await lasting.visit((r) => r.set("userId", "u1"), {
        maxAge: t.lifetime,
      });
      check(request.sent, "a commit with maxAge");
      const leaving = await visitor.request();
      check(await leaving.destroy(), "destroySession()");
    },
  }),
  must("COOKIE-07", {
    since: "2026.2",
    sentence:
      "A logout removes the cookie from the browser: none of its name is left.",
    why:
      "A cookie that stays is sent with every request, and without revoking it still signs the visitor in.",
    async check(t) {
      const storage = await openBound(t);
      const ways: Record<string, (r: VisitorRequest) => Promise<unknown>> = {
        "destroySession()": (r) => r.destroy(),
        "commitSession() after destroy()": (r) => {
          if (!r.session.destroy) return r.destroy();
          r.session.destroy();
          return r.save();
        },
      };
      for (const [way, leave] of Object.entries(ways)) {
        const browser = await Browser.of(t, storage);
        await browser.visit((r) => r.set("userId", "u1"));
        await t.settle();
        const leaving = await browser.request();
        await leave(leaving);
        browser.take(leaving);
        t.equal(
          browser.cookies().length,
          0,
          `after ${way}, the browser still sends a cookie`,
        );
      }
    },
  }),
  should("COOKIE-08", {
    since: "2026.2",
    sentence: "A session's cookie is HttpOnly.",
    why:
      "Otherwise a script that somebody injects into one page can read the session of everybody who opens it (OWASP ASVS 5, 3.3.4). An application may choose this, so the rule is advice.",
    async check(t) {
      const browser = await Browser.of(t, await openBound(t));
      await browser.visit((r) => r.set("userId", "u1"));
      const [cookie] = browser.cookies();
      t.ok(cookie?.httpOnly ?? false, "scripts can read the cookie");
    },
  }),
  must("COOKIE-09", {
    since: "2026.2",
    sentence:
      "A commit either fails, or sends a cookie whose name and value have at most 4096 bytes.",
    why:
      "Browsers ignore a larger cookie without saying so, and keep the one before: the change is lost, and nobody is told.",
    async check(t) {
      const browser = await Browser.of(t, await openBound(t));
      await browser.visit((r) => r.set("userId", "u1"));
      const sizes = [1000, 2500, 2900, 3000, 3500, LARGEST_BYTES, 9000];
      for (const size of sizes) {
        const text = t.random.word(size);
        await t.settle();
        const request = await browser.request();
        request.set("text", text);
        if (await t.refuses(() => request.save())) continue;
        browser.take(request);
        await t.settle();
        t.ok(
          (await browser.request()).get("text") === text,
          `a text of ${size} characters is saved and cannot be read`,
        );
      }
    },
  }),
];

/** The name and the value of a cookie. */
function splitPair(pair: string): [name: string, value: string] {
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
