/**
 * RESTART: a login begins the session anew, and holds once it was answered.
 *
 * @module
 */
import type { Trial } from "../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../trial/visitor.ts";
import { Deadline } from "./support/deadline.ts";
import { loginsAtOnce, loginsInEveryOrder } from "./support/logins.ts";
import { listed, openOwned, signIn } from "./support/owned.ts";
import { failWhileRenewing, readsEmpty } from "./support/renewing.ts";
import { must, type Rule } from "./support/rule.ts";

const since = "2026.2";

export const restart: readonly Rule[] = [
  must("RESTART-01", {
    since,
    sentence:
      "After restart, the session has a new id, and only those values and flashes that keep names. It does not keep its owner.",
    why:
      "Otherwise what somebody else left in that browser becomes part of the session of the visitor who signs in.",
    async check(t) {
      for (const keep of [[], ["cart", "offer"], "all"] as const) {
        const visitor = await t.visitor();
        await visitor.visit(fill);
        const { cookie } = visitor;
        const { id } = await visitor.request();
        const login = await visitor.visit((r) => {
          r.restart(keep);
          hasKept(t, r, keep);
          r.set("userId", "u1");
        });
        t.equal(login.sent.kind, "cookie", "no new cookie is sent");
        t.ok(visitor.cookie !== cookie, "the cookie stays the same");
        const next = await visitor.request();
        t.anotherId("RESTART-01", next, id, "the id stays the same");
        t.equal(next.get("userId"), "u1", "a value that is set is lost");
        hasKept(t, next, keep);
      }
      if (t.claims("owners")) await leavesOwner(t);
    },
  }),
  must("RESTART-02", {
    since,
    sentence:
      "A session that is restarted and empty is not stored, and its cookie is cleared.",
    why:
      "If the visitor then does not sign in, a record and a cookie without content would stay.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit(fill);
      const { cookie, storage } = visitor;
      const before = await storage.count() ?? 0;
      const { sent } = await visitor.visit((r) => r.restart());
      t.equal(sent.kind, "clear", "the cookie of an empty session is kept");
      const after = await storage.count() ?? 0;
      t.ok(after <= before, "an empty session is stored");
      if (!t.claims("revoke")) return;
      await t.settle();
      const old = await visitor.request(cookie);
      t.ok(KEYS.every((key) => !old.has(key)), "the old cookie has the data");
    },
  }),
  must("RESTART-03", {
    since,
    capabilities: ["revoke"],
    sentence:
      "Once a restarted session is saved, the old cookie reads an empty session.",
    why:
      "Otherwise an attacker who planted the old id is signed in too (session fixation).",
    async check(t) {
      for (const keep of [[], ["cart"], "all"] as const) {
        const visitor = await t.visitor();
        await visitor.visit(fill);
        const old = visitor.cookie;
        await visitor.visit((r) => {
          r.restart(keep);
          r.set("userId", "u1");
        });
        await readsEmpty(t, visitor, old, "the old cookie");
        const next = await visitor.request();
        t.equal(next.get("userId"), "u1", "the login is lost");
      }
    },
  }),
  must("RESTART-04", {
    since,
    capabilities: ["merge"],
    sentence:
      "A restarted session keeps what was saved last, also by a request that overlaps with the login.",
    why:
      "Otherwise an item that the visitor adds to the cart in another tab during the login is lost.",
    async check(t) {
      for (const keep of [["cart", "notice"], "all"] as const) {
        const visitor = await t.visitor();
        await visitor.visit((r) => {
          r.set("cart", ["tea"]);
          r.set("coupon", "SPRING");
        });
        const login = await visitor.request();
        await visitor.visit((r) => {
          r.set("cart", ["tea", "cup"]);
          r.flash("notice", "Added");
          r.set("theme", "dark");
        });
        login.restart(keep);
        login.set("userId", "u1");
        await login.save();
        await t.settle();
        const next = await visitor.request();
        t.equal(next.get("cart"), ["tea", "cup"], "a newer value is lost");
        t.equal(next.get("notice"), "Added", "a newer flash is lost");
        for (const key of ["coupon", "theme"]) {
          const isKept = keep === "all";
          const what = isKept
            ? "a kept value is lost"
            : "a value that keep does not name stays";
          t.equal(next.has(key), isKept, what);
        }
      }
    },
  }),
  must("RESTART-05", {
    since,
    capabilities: ["maxAge"],
    timed: true,
    sentence:
      'A restarted session does not have the maxAge of an earlier commit, and its absolute timeout counts from the restart. With keep: "all", the maxAge stays.',
    why:
      "Otherwise a login ends too early, or Remember me of one person applies to the next.",
    async check(t) {
      const storage = await t.open({});
      const sign = async (keep?: "all") => {
        const visitor = await t.visitor(storage);
        const first = await Deadline.of(
          t,
          t.lifetime,
          () => visitor.visit(fill, { maxAge: t.lifetime }),
        );
        const restart = (r: VisitorRequest) => {
          r.restart(keep);
          r.set("userId", "u1");
        };
        await Deadline.of(t, t.lifetime, () => visitor.visit(restart), first);
        return visitor;
      };
      const [anew, same] = [await sign(), await sign("all")];
      await t.advance(t.lifetime * 1000 + t.slack);
      t.ok(
        (await anew.request()).has("userId"),
        "the maxAge of an earlier commit stays",
      );
      t.ok(
        !(await same.request()).has("userId"),
        'with keep: "all", the maxAge is lost',
      );
      if (t.claims("absolute")) await beginsAnew(t);
    },
  }),
  must("RESTART-06", {
    since,
    moves: true,
    session: true,
    sentence:
      "authenticatedAt is when the session was last restarted. Saves and new ids do not move it.",
    why:
      "Before a payment, a site asks for the password again if the last login was too long ago.",
    async check(t) {
      const visitor = await t.visitor();
      const first = await visitor.visit((r) => r.set("cart", ["tea"]));
      if (!("authenticatedAt" in first.session)) {
        t.notApplicable("its sessions do not have authenticatedAt");
      }
      t.equal(
        (await visitor.request()).session.authenticatedAt,
        undefined,
        "a session that was never restarted has a time of login",
      );
      const works: [string, (r: VisitorRequest) => void][] = [
        ["a login", () => {}],
        ["a change", (r) => r.set("visits", t.random.int(1e6))],
        ["a new id", (r) => r.session.regenerateId?.()],
      ];
      for (const keep of [[], "all"] as const) {
        const from = t.now();
        await visitor.visit((r) => {
          r.restart(keep);
          r.set("userId", "u1");
        });
        const to = t.now();
        for (const [what, work] of works) {
          await visitor.visit(work);
          const { session } = await visitor.request();
          const at = session.authenticatedAt ?? NaN;
          const says = `after ${what}, authenticatedAt is wrong`;
          t.ok(at >= from - 1 && at <= to + 1, says);
          if (t.exact) await t.advance(1000);
        }
      }
    },
  }),
  must("RESTART-07", {
    since,
    capabilities: ["revoke", "merge"],
    sentence:
      "Every login that restarts a session sends a cookie that works, even if other logins and logouts of the same session overlap with it.",
    why:
      "A visitor who presses Sign in twice, or right after Sign out, must be signed in by whichever answer arrives.",
    async check(t) {
      await loginsInEveryOrder(t);
      await loginsAtOnce(t);
    },
  }),
  must("RESTART-08", {
    since,
    capabilities: ["revoke", "merge"],
    sentence:
      "After a restart, a late save of the old session sends no cookie and does not change the new session.",
    why:
      "Otherwise a slow page replaces the login's cookie by that of a dead session, or writes an attacker's data into the new one.",
    async check(t) {
      const works: ((r: VisitorRequest) => void)[] = [
        (r) => r.set("cart", ["stone"]),
        (r) => r.flash("notice", "Late"),
        (r) => r.unset("userId"),
        (r) => r.session.regenerateId?.(),
      ];
      for (const keep of [["cart"], "all"] as const) {
        for (const work of works) await lateSave(t, keep, work);
      }
    },
  }),
  must("RESTART-09", {
    since,
    capabilities: ["revoke", "faults"],
    sentence:
      "If a restarted session cannot be saved, the old one stays as it was. Once a later save succeeds, only the new id is valid.",
    why:
      "A short failure of the engine during a login must not lose the cart, nor leave the old id valid.",
    async check(t) {
      // As in REGEN-06: the engine fails before the save, then at each step of it.
      for (const steps of t.cases(16)) {
        await failWhileRenewing(t, steps, (r) => {
          r.restart(["cart"]);
          r.set("userId", "u1");
        });
      }
    },
  }),
];

const FLASHES: readonly string[] = ["notice", "offer"];
const KEYS: readonly string[] = ["cart", "theme", ...FLASHES];

function fill(request: VisitorRequest): void {
  for (const key of KEYS) {
    if (FLASHES.includes(key)) request.flash(key, key);
    else request.set(key, key);
  }
}

function hasKept(
  t: Trial,
  request: VisitorRequest,
  keep: readonly string[] | "all",
): void {
  for (const key of KEYS) {
    const kind = FLASHES.includes(key) ? "flash" : "value";
    if (keep === "all" || keep.includes(key)) {
      t.ok(request.has(key), `a ${kind} that keep names is lost`);
    } else {
      t.ok(!request.has(key), `a ${kind} that keep does not name stays`);
    }
  }
}

/** Restarts a session that has an owner, with another owner and without one. */
async function leavesOwner(t: Trial): Promise<void> {
  const storage = await openOwned(t);
  for (const userId of ["u2", undefined]) {
    const visitor = await signIn(t, storage, "u1");
    await visitor.visit((r) => {
      r.restart();
      r.set("device", "it");
      if (userId) r.set("userId", userId);
    });
    await listed(
      t,
      storage,
      "u1",
      [],
      "the session is in its old owner's list",
    );
    if (!userId) continue;
    const what = "the session is not in its new owner's list";
    await listed(t, storage, userId, ["it"], what);
  }
}

/** Restarts a session shortly before its absolute deadline. */
async function beginsAnew(t: Trial): Promise<void> {
  const storage = await t.open({ absoluteTimeout: t.lifetime });
  const visitor = await t.visitor(storage);
  const begin = (work: (r: VisitorRequest) => void) =>
    Deadline.of(t, t.lifetime, () => visitor.visit(work));
  const first = await begin((r) => r.set("cart", ["tea"]));
  await first.approach();
  const second = await begin((r) => {
    r.restart(["cart"]);
    r.set("userId", "u1");
  });
  await first.pass();
  second.ahead(
    (await visitor.request()).has("userId"),
    "the absolute timeout counts from before the restart",
  );
  await second.pass();
  t.ok(
    !(await visitor.request()).has("userId"),
    "the absolute timeout does not apply after the restart",
  );
}

/** Restarts a session while another request of it is in progress. */
async function lateSave(
  t: Trial,
  keep: readonly string[] | "all",
  work: (request: VisitorRequest) => void,
): Promise<void> {
  const visitor: Visitor = await t.visitor();
  await visitor.visit((r) => r.set("cart", ["tea"]));
  const old = visitor.cookie;
  const slow = await visitor.request();
  await visitor.visit((r) => {
    r.restart(keep);
    r.set("userId", "u1");
  });
  const { cookie } = visitor;
  work(slow);
  const { kind } = await slow.save();
  t.equal(kind, "nothing", "the late save sends or clears a cookie");
  await t.settle();
  const next = await visitor.request(cookie);
  const what = "the late save changes the new session";
  t.equal(next.get("userId"), "u1", what);
  t.equal(next.get("cart"), ["tea"], what);
  t.ok(!next.has("notice"), what);
  await readsEmpty(t, visitor, old, "the old cookie");
}
