/** What the middlewares of express-session and @fastify/session do with a store, and where a visitor notices it. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { Cookie } from "npm:express-session@1.19.0";
import type { Show } from "../run.ts";
import { later } from "./later.ts";
import {
  logOut,
  type Page,
  renew,
  type SiteOptions,
  type Visit,
} from "./express_site.ts";

/** A session as a store gets it. */
// deno-lint-ignore no-explicit-any -- an application's values
type Stored = any;

/** A store, and what a reproduction does to its database. */
export interface Store {
  readonly store: {
    get(
      sid: string,
      callback: (error: unknown, session?: Stored) => void,
    ): void;
    set(
      sid: string,
      session: Stored,
      callback: (error?: unknown) => void,
    ): void;
    destroy(sid: string, callback: (error?: unknown) => void): void;
  };
  /** A site that uses it. */
  site(options?: SiteOptions): Visit;
  /** Damages a session's record. */
  damage?(sid: string): unknown;
  /** Lets time pass for the database, in milliseconds. */
  age?(ms: number): unknown;
}

/** A method with a callback, as a promise. */
function call<T = void>(
  method: (done: (error?: unknown, value?: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    method((error, value) => {
      const isMissing = (error as { code?: string } | null)?.code === "ENOENT";
      if (error && !isMissing) reject(error);
      else resolve(value as T);
    });
  });
}

function get({ store }: Store, sid: string): Promise<Stored> {
  return call((done) => store.get(sid, done));
}

/** The middleware copies what it has read into the session of the request. */
async function load(place: Store, sid: string): Promise<Stored> {
  return { ...await get(place, sid) };
}

function set({ store }: Store, sid: string, session: Stored): Promise<void> {
  return call((done) => store.set(sid, session, done));
}

function destroy({ store }: Store, sid: string): Promise<void> {
  return call((done) => store.destroy(sid, done));
}

/** A new session. */
function begin(values: object, maxAge?: number): Stored {
  const cookie = new Cookie();
  if (maxAge !== undefined) cookie.maxAge = maxAge;
  return { cookie, ...values };
}

const SECOND = 1000;

/** The page of a login. */
const logIn: Page = ({ session }) => void (session.userId = "u1");

/** Who is signed in, by a cookie. */
async function userOf(visit: Visit, cookie: string): Promise<unknown> {
  let userId: unknown;
  await visit(cookie, ({ session }) => void (userId = session.userId));
  return userId;
}

/** Signs a new visitor in. Returns the id in their cookie. */
async function signIn(place: Store, values: object = {}): Promise<string> {
  const sid = randomBytes(24).toString("hex");
  await set(place, sid, begin({ userId: "u1", ...values }));
  return sid;
}

/** The reproductions, by rule. */
export const shows: Readonly<Record<string, Show<Store>>> = {
  "FLASH-10": {
    visitor:
      "Two pages load at the same time. One shows “Paid”, the other saves something else: “Paid” is shown again.",
    async show(place) {
      const sid = await signIn(place, { notice: "Paid" });
      const [page, other] = [await load(place, sid), await load(place, sid)];
      delete page.notice;
      await set(place, sid, page);
      other.visits = 1;
      await set(place, sid, other);
      const next = await get(place, sid);
      assert.equal(next.notice, undefined, "the message that was read is back");
    },
  },
  "EXPIRY-07": {
    visitor:
      "An application computes a lifetime from a missing value. The session lasts for a day, or for ever, and no error is thrown.",
    async show(place) {
      const sid = randomBytes(24).toString("hex");
      const session = begin({ userId: "u1" }, -Infinity);
      await set(place, sid, session).catch(() => {});
      const next = await get(place, sid);
      assert(!next, "a session with a lifetime of -Infinity can be read");
    },
  },
  "EXPIRY-09": {
    visitor:
      "A page that begins before the session expires, and saves afterwards, signs the visitor in again.",
    async show(place) {
      const visit = place.site({ maxAge: 1000 * SECOND });
      const cookie = await visit(null, logIn);
      const userId = await later(999 * SECOND, async (pass) => {
        await visit(cookie, async ({ session }) => {
          pass(2 * SECOND);
          await place.age?.(1001 * SECOND);
          session.visits = 1;
        });
        return await userOf(visit, cookie);
      });
      assert.notEqual(userId, "u1", "the session that expired is back");
    },
  },
  "EXPIRY-12": {
    visitor:
      "After a theft, a site shortens the lifetime of its sessions. Those that were saved before keep the old one.",
    async show(place) {
      const stolen = await place.site({ maxAge: 86_400 * SECOND })(null, logIn);
      const shorter = place.site({ maxAge: 60 * SECOND });
      const userId = await later(3600 * SECOND, async () => {
        await place.age?.(3600 * SECOND);
        return await userOf(shorter, stolen);
      });
      assert.notEqual(userId, "u1", "the old lifetime still counts");
    },
  },
  "ISO-01": {
    visitor:
      "If a page changes its cart object after saving it, the visitor's next request reads the change, although it was not saved.",
    async show(place) {
      const cart = ["tea"];
      const sid = await signIn(place, { cart });
      cart.push("cup");
      const next = await get(place, sid);
      assert.deepEqual(next.cart, ["tea"], "the stored value has changed too");
    },
  },
  "ISO-02": {
    visitor:
      "If a page changes the cart and fails before saving it, every other request reads the change.",
    async show(place) {
      const sid = await signIn(place, { cart: ["tea"] });
      (await load(place, sid)).cart.push("cup");
      const other = await get(place, sid);
      assert.deepEqual(
        other.cart,
        ["tea"],
        "another request reads a change that was not saved",
      );
    },
  },
  "CONC-01": {
    visitor:
      "A visitor logs out while a slow page loads. When that page saves, the visitor is signed in again, and so is everybody with the old cookie.",
    async show(place) {
      const sid = await signIn(place);
      const slow = await load(place, sid);
      await destroy(place, sid);
      slow.visits = 1;
      await set(place, sid, slow);
      const next = await get(place, sid);
      assert(!next?.userId, "the destroyed session is back");
    },
  },
  "CONC-02": {
    visitor:
      "An id that was planted before the login, and ended by it, is valid again once a slow page saves.",
    async show(place) {
      const planted = await signIn(place);
      const slow = await load(place, planted);
      // regenerate() destroys the old session, and saves a new one.
      await destroy(place, planted);
      await signIn(place);
      slow.visits = 1;
      await set(place, planted, slow);
      const attacker = await get(place, planted);
      assert(!attacker?.userId, "the id that was destroyed is back");
    },
  },
  "CONC-09": {
    visitor:
      "A visitor logs out while a page renews the id and keeps the values (Passport's keepSessionInfo). Its cookie signs the visitor in again.",
    async show(place) {
      const visit = place.site();
      const cookie = await visit(null, logIn);
      const late = await visit(cookie, async (request) => {
        await visit(cookie, logOut);
        await renew(request);
      });
      const userId = await userOf(visit, late);
      assert.notEqual(
        userId,
        "u1",
        "the late response sets a cookie that works",
      );
    },
  },
  "HOSTILE-04": {
    visitor:
      "If a visitor's record is damaged, for example by a full disk, the next request fails.",
    async show(place) {
      const sid = await signIn(place);
      await place.damage?.(sid);
      await assert.doesNotReject(get(place, sid), "a damaged record rejects");
    },
  },
  "SERIAL-03": {
    visitor:
      "A date is returned as text and NaN as null. The page that uses them fails, far from the code that stored them.",
    async show(place) {
      const sale = { ends: new Date(0), discount: NaN };
      const { sale: found } = await get(place, await signIn(place, { sale }));
      assert.deepEqual(found, sale, "the value that is read differs");
    },
  },
  "SERIAL-04": {
    visitor:
      "If a login sets a new id and a value that cannot be stored, it fails, and the old session with its cart is gone too.",
    async show(place) {
      const visit = place.site();
      const cookie = await visit(null, logIn);
      const login = visit(cookie, async (request) => {
        await renew(request);
        request.session.balance = 10n;
      });
      await assert.rejects(login, TypeError);
      const userId = await userOf(visit, cookie);
      assert.equal(userId, "u1", "the save that failed destroyed the session");
    },
  },
  "MODEL-02": {
    visitor:
      "One page logs out while another removes a coupon: the visitor is still signed in, which neither order of the two would give.",
    async show(place) {
      const sid = await signIn(place, { coupon: "SPRING" });
      const other = await load(place, sid);
      delete other.coupon;
      await destroy(place, sid);
      await set(place, sid, other);
      const next = await get(place, sid);
      assert(!next?.userId, "no order of the two leads to this");
    },
  },
};
