/**
 * COOKIE: how long a browser keeps the cookie.
 *
 * @module
 */
import { LONGEST_MS } from "../trial/jar.ts";
import { parseCookieDate, parseSetCookie } from "../trial/set_cookie.ts";
import type { Sent } from "../trial/port.ts";
import { Browser, openBound } from "./support/browser.ts";
import { must, type Rule } from "./support/rule.ts";

const DAY = 24 * 60 * 60;
/** How exact a cookie's lifetime is, in milliseconds: `Expires` is in whole seconds. */
const SECOND = 1000;

export const cookieLifetime: readonly Rule[] = [
  must("COOKIE-10", {
    since: "2026.2",
    capabilities: ["maxAge"],
    sentence:
      "The maxAge of a commit is the lifetime of the cookie, in Max-Age, Expires or both.",
    why:
      "A visitor who chooses Remember me is otherwise signed out when the browser closes, or much too early.",
    async check(t) {
      const storage = await openBound(t);
      for (const maxAge of [t.lifetime, DAY, 300 * DAY]) {
        const visitor = await t.visitor(storage);
        const from = t.now();
        const { sent } = await visitor.visit((r) => r.set("userId", "u1"), {
          maxAge,
        });
        const to = t.now();
        const { ages, dates } = lifetimesOf(sent);
        t.ok(
          ages.length + dates.length > 0,
          `the cookie of a commit for ${maxAge} s has no lifetime`,
        );
        for (const age of ages) {
          t.equal(
            age,
            maxAge,
            `the cookie of a commit for ${maxAge} s has another Max-Age`,
          );
        }
        for (const date of dates) {
          const early = date < from + maxAge * 1000 - SECOND;
          const late = date > to + maxAge * 1000 + SECOND;
          t.ok(
            !early && !late,
            `the cookie of a commit for ${maxAge} s has an Expires that is too ${
              early ? "early" : "late"
            }`,
          );
        }
      }
    },
  }),
  must("COOKIE-11", {
    since: "2026.2",
    sentence:
      "A cookie's own lifetime is between now and 400 days, or it ends with the browser's session.",
    why:
      "Browsers cut longer lifetimes down. A lifetime of years is a session that nobody ends, or milliseconds that were meant to be seconds.",
    async check(t) {
      const visitor = await t.visitor(await openBound(t));
      const { sent } = await visitor.visit((r) => r.set("userId", "u1"));
      const { ages, dates } = lifetimesOf(sent);
      const lives = [
        ...ages.map((age) => age * 1000),
        ...dates.map((date) => date - t.now()),
      ];
      for (const ms of lives) {
        t.ok(
          ms <= LONGEST_MS + SECOND,
          `the cookie's lifetime is ${Math.round(ms / 1000 / DAY)} days`,
        );
      }
    },
  }),
  must("COOKIE-12", {
    since: "2026.2",
    capabilities: ["maxAge"],
    timed: true,
    sentence:
      "If a commit has a maxAge, the browser keeps the cookie as long as the session can be read, later saves included.",
    why:
      "A visitor who chose Remember me and uses the site would be signed out, although the session still exists.",
    async check(t) {
      if (!t.exact && t.movesTime) {
        t.notApplicable("its clock moves records, and not cookies");
      }
      const browser = await Browser.of(t, await openBound(t));
      const maxAge = Math.max(t.lifetime, 3);
      // `Expires` is in whole seconds, so a cookie may end that much earlier.
      const early = SECOND + (t.exact ? 0 : Math.max(2 * t.slack, 250));
      for (const n of [0, 1, 2]) {
        const end = t.elapsed + maxAge * 1000;
        await browser.visit(
          (r) => r.set("n", n),
          n === 0 ? { maxAge } : {},
        );
        await t.advance(Math.max(0, end - early - t.elapsed));
        const kept = browser.cookies().length > 0;
        if (!kept && !t.exact && t.elapsed >= end - SECOND) {
          t.notRun("the machine was too busy to check before the deadline");
        }
        t.ok(kept, `after save ${n + 1}, the cookie ended early`);
      }
    },
  }),
];

/** The lifetimes in a `Set-Cookie` header: `Max-Age` in seconds, `Expires` in milliseconds. */
function lifetimesOf(sent: Sent): { ages: number[]; dates: number[] } {
  const header = sent.kind === "nothing" ? "" : sent.header ?? "";
  const attributes = parseSetCookie(header)?.attributes;
  const maxAge = attributes?.get("max-age");
  const expires = parseCookieDate(attributes?.get("expires") ?? "");
  return {
    ages: maxAge === undefined ? [] : [Number(maxAge)],
    dates: expires === undefined ? [] : [expires],
  };
}
