/**
 * Reproductions for svelte-kit-sessions: a few lines of a page for each rule that it breaks.
 *
 * `deno run -A --conditions=svelte conformance/reports/reproductions/svelte_kit_sessions.ts [memory] [rule]`
 */
import assert from "node:assert/strict";
import { type Reproduction, run } from "./run.ts";
import { type Kit, loadKit, type Session, timed } from "./shared/svelte_kit.ts";
import { Timers } from "./shared/timers.ts";

/** A page; it can wait for other requests. */
type Page = (session: Session) => unknown;

interface Site {
  /** Sends a request. Returns the cookie that the browser then has, and the header that set it. */
  visit(
    cookie: string | null,
    page?: Page,
  ): Promise<{ cookie: string; header: string }>;
  /** Lets time pass for the store, in milliseconds. */
  pass(ms: number): void;
}

/** A site whose sessions last 15 minutes, and which answers each request with a page that the reproduction brings. */
function site({ MemoryStore, sveltekitSessionHandle, newEvent }: Kit): Site {
  let now = 0;
  const handle = sveltekitSessionHandle({
    secret: "s3cr3t",
    store: timed(new MemoryStore(), new Timers(() => now)),
    cookie: { maxAge: 900 },
  });
  return {
    pass: (ms) => void (now += ms),
    async visit(cookie, page = () => {}) {
      const event = newEvent(cookie);
      await handle({
        event,
        async resolve({ locals }) {
          await page(locals.session as Session);
          return new Response();
        },
      });
      const header = event.cookies.take();
      return { header, cookie: header.split(";")[0] || (cookie ?? "") };
    },
  };
}

/** Adds values to the session. */
async function save(session: Session, values: object): Promise<void> {
  await session.setData({ ...session.data, ...values });
  await session.save();
}

/** Signs a new visitor in. Returns their cookie. */
async function signIn(site: Site, values: object = {}): Promise<string> {
  const all = { userId: "u1", ...values };
  return (await site.visit(null, (session) => save(session, all))).cookie;
}

/** What a page finds in the session. */
// deno-lint-ignore no-explicit-any -- an application's values
async function read(site: Site, cookie: string): Promise<any> {
  let data: unknown;
  await site.visit(cookie, (session) => void (data = session.data));
  return data;
}

/** Checks what a reproduction relies on: that the cookie's session has ended. */
async function hasEnded(site: Site, cookie: string): Promise<void> {
  const { userId } = await read(site, cookie);
  if (userId) throw new Error("the session has not ended");
}

/** The page of a logout. */
const logOut: Page = (session) => session.destroy();

/** The page of a login: a new id, and the values of before. */
const renew: Page = async (session) =>
  await save(await session.regenerate(), session.data);

/** The storages. */
export const storages: Readonly<Record<string, () => Promise<Site>>> = {
  memory: async () => site(await loadKit("npm:svelte-kit-sessions@0.4.0")),
};

const of = ["memory"];

/** The reproductions, by rule. */
export const reproductions: Readonly<Record<string, Reproduction<Site>>> = {
  "FLASH-10": {
    of,
    visitor:
      "Two pages load at the same time. One shows “Paid”, the other saves something else: “Paid” is shown again.",
    async show(site) {
      const cookie = await signIn(site, { notice: "Paid" });
      await site.visit(cookie, async (other) => {
        await site.visit(cookie, (page) => save(page, { notice: undefined }));
        await save(other, { visits: 1 });
      });
      const { notice } = await read(site, cookie);
      assert.equal(notice, undefined, "the message that was read is back");
    },
  },
  "EXPIRY-09": {
    of,
    visitor:
      "A page that begins before the session expires, and saves afterwards, signs the visitor in again.",
    async show(site) {
      const cookie = await signIn(site);
      site.pass(899_000);
      await site.visit(cookie, async (slow) => {
        site.pass(2_000);
        await hasEnded(site, cookie);
        await save(slow, { visits: 1 });
      });
      const { userId } = await read(site, cookie);
      assert.notEqual(userId, "u1", "the session that expired is back");
    },
  },
  "CONC-01": {
    of,
    visitor:
      "A visitor logs out while a slow page loads. When that page saves, the visitor is signed in again, and so is everybody with the old cookie.",
    async show(site) {
      const cookie = await signIn(site);
      await site.visit(cookie, async (slow) => {
        await site.visit(cookie, logOut);
        await hasEnded(site, cookie);
        await save(slow, { visits: 1 });
      });
      const { userId } = await read(site, cookie);
      assert.notEqual(userId, "u1", "the destroyed session is back");
    },
  },
  "CONC-02": {
    of,
    visitor:
      "An id that was planted before the login, and ended by it, is valid again once a slow page saves.",
    async show(site) {
      const planted = await signIn(site);
      await site.visit(planted, async (slow) => {
        await site.visit(planted, renew);
        await hasEnded(site, planted);
        await save(slow, { visits: 1 });
      });
      const { userId } = await read(site, planted);
      assert.notEqual(userId, "u1", "the id that was ended is back");
    },
  },
  "CONC-09": {
    of,
    visitor:
      "A visitor logs out, and another one signs in on that browser. The late response of a slow page sets the cookie of the first one.",
    async show(site) {
      const cookie = await signIn(site);
      const { header } = await site.visit(cookie, async (slow) => {
        await site.visit(cookie, logOut);
        await hasEnded(site, cookie);
        await save(slow, { visits: 1 });
      });
      assert.equal(header, "", "the late response sets the old cookie");
    },
  },
  "COOKIE-01": {
    of,
    visitor:
      "After the cookie's path and secret were changed, the browser sends the old cookie in front of the new one, and the visitor cannot sign in.",
    async show(site) {
      const both = `connect.sid=old; ${await signIn(site)}`;
      const { userId } = await read(site, both);
      assert.equal(userId, "u1", "the old cookie hides the new one");
    },
  },
  "COOKIE-03": {
    of,
    visitor:
      "A browser has two session cookies, for two paths. The visitor logs out, and the other cookie signs the visitor in again.",
    async show(site) {
      const cookies = [await signIn(site), await signIn(site)];
      await site.visit(cookies.join("; "), logOut);
      await hasEnded(site, cookies[0] ?? "");
      for (const cookie of cookies) {
        const { userId } = await read(site, cookie);
        assert.notEqual(userId, "u1", "the other cookie's session is live");
      }
    },
  },
  "SERIAL-03": {
    of,
    visitor:
      "A date is returned as text and NaN as null. The page that uses them fails, far from the code that stored them.",
    async show(site) {
      const sale = { ends: new Date(0), discount: NaN };
      const { sale: found } = await read(site, await signIn(site, { sale }));
      assert.deepEqual(found, sale, "the value that is read differs");
    },
  },
  "SERIAL-04": {
    of,
    visitor:
      "If a login sets a new id and a value that cannot be stored, it fails, and the old session with its cart is gone too.",
    async show(site) {
      const cookie = await signIn(site, { cart: ["tea"] });
      const login = site.visit(cookie, async (session) => {
        const next = await session.regenerate();
        await save(next, { ...session.data, balance: 10n });
      });
      await assert.rejects(login, TypeError);
      const { cart } = await read(site, cookie);
      assert.deepEqual(
        cart,
        ["tea"],
        "the login that failed ended the session",
      );
    },
  },
  "MODEL-02": {
    of,
    visitor:
      "One page logs out while another removes a coupon: the visitor is still signed in, which neither order of the two would give.",
    async show(site) {
      const cookie = await signIn(site, { coupon: "SPRING" });
      await site.visit(cookie, async (other) => {
        await site.visit(cookie, logOut);
        await hasEnded(site, cookie);
        await save(other, { coupon: undefined });
      });
      const { userId } = await read(site, cookie);
      assert(!userId, "no order of the two leads to this");
    },
  },
};

if (import.meta.main) await run(storages, reproductions);
