/**
 * FAULT: an engine that fails is an error, and the visitor loses nothing by it.
 *
 * @module
 */
import type { Trial } from "../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../trial/visitor.ts";
import { must, type Rule } from "./support/rule.ts";

export const faults: readonly Rule[] = [
  must("FAULT-01", {
    capabilities: ["faults"],
    sentence: 'A read that fails rejects; it never looks like "no session".',
    why:
      "A database that is away for a second would sign out everybody who comes by.",
    async check(t) {
      const visitor = await signedIn(t);
      const { faults } = visitor.storage;
      await faults.fail({ reads: true });
      await t.rejects(
        async () => {
          // Some storages read when they are first asked for something.
          (await visitor.request()).has("userId");
        },
        "a failed read looks like a session",
      );
      await faults.heal();
      const next = await visitor.request();
      t.equal(next.get("userId"), "u1", "the failed read ended the session");
    },
  }),
  must("FAULT-02", {
    capabilities: ["faults"],
    sentence:
      "A save that cannot be written rejects and yields no cookie, and what was stored stays.",
    why:
      "The visitor would be told that something was saved, or signed out, that was not.",
    async check(t) {
      const works: [string, (r: VisitorRequest) => Promise<unknown>][] = [
        ["a failed write looks like a saved change", (r) => {
          r.set("userId", "u2");
          return r.save();
        }],
        ["a failed write looks like a saved flash", (r) => {
          r.flash("notice", "Saved");
          return r.save();
        }],
        ["a failed delete looks like a logout", (r) => r.destroy()],
      ];
      for (const [what, work] of works) {
        const visitor = await signedIn(t);
        const { cookie, storage } = visitor;
        const request = await visitor.request();
        const error = await broken(t, visitor, () => work(request), what);
        t.ok(error instanceof Error, "what it rejects with is no Error");
        t.ok(visitor.cookie === cookie, "the failed save changed the cookie");
        const next = await visitor.request();
        t.equal(next.get("userId"), "u1", "the failed save changed the record");
        const before = await storage.count();
        const fresh = await t.visitor(storage);
        const first = await fresh.request();
        first.set("userId", "u2");
        await broken(t, fresh, () => first.save(), "a failed save resolves");
        t.equal(await storage.count(), before, "the failed save left a record");
      }
    },
  }),
  must("FAULT-03", {
    capabilities: ["faults"],
    sentence:
      "Once the engine is back, the same storage works, and a save that is tried again stores the whole state.",
    why:
      "A retry that stores only what changed since the failure loses the rest without a word.",
    async check(t) {
      const visitor = await signedIn(t);
      await visitor.visit((r) => {
        r.set("coupon", "SPRING");
        r.flash("notice", "Welcome");
      });
      const request = await visitor.request();
      request.set("cart", ["tea"]);
      request.unset("coupon");
      request.get("notice");
      request.flash("news", "Paid");
      await broken(t, visitor, () => request.save(), "a failed save resolves");
      request.set("visits", 2);
      await request.save();
      const next = await visitor.request();
      t.equal(next.get("cart"), ["tea"], "the retry lost a set");
      t.equal(next.get("visits"), 2, "the retry lost a later set");
      t.ok(!next.has("coupon"), "the retry lost an unset");
      t.ok(!next.has("notice"), "the retry brought a flash back");
      t.equal(next.get("news"), "Paid", "the retry lost a flash");
      t.equal(next.get("userId"), "u1", "the retry lost what was there");

      const fresh = await t.visitor();
      const first = await fresh.request();
      first.set("userId", "u2");
      await broken(t, fresh, () => first.save(), "a failed save resolves");
      await first.save();
      const back = await fresh.request();
      t.equal(back.get("userId"), "u2", "the retry of a new session is lost");

      const leaving = await visitor.request();
      const old = visitor.cookie;
      await broken(
        t,
        visitor,
        () => leaving.destroy(),
        "a failed delete looks like a logout",
      );
      t.equal((await leaving.save()).kind, "clear", "the retry clears nothing");
      if (!t.claims("revoke")) return;
      const replay = await visitor.request(old);
      t.ok(!replay.has("userId"), "the retried logout left the session");
    },
  }),
];

async function signedIn(t: Trial): Promise<Visitor> {
  const visitor = await t.visitor();
  await visitor.visit((r) => r.set("userId", "u1"));
  return visitor;
}

/** Tries a call while nothing can be written. */
async function broken(
  t: Trial,
  visitor: Visitor,
  call: () => Promise<unknown>,
  what: string,
): Promise<unknown> {
  const { faults } = visitor.storage;
  await faults.fail({ writes: true });
  try {
    return await t.rejects(call, what);
  } finally {
    await faults.heal();
  }
}
