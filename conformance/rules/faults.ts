/**
 * FAULT: if the engine fails, the call rejects, and the visitor does not lose anything.
 *
 * @module
 */
import type { Trial } from "../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../trial/visitor.ts";
import { must, type Rule } from "./support/rule.ts";

export const faults: readonly Rule[] = [
  must("FAULT-01", {
    capabilities: ["faults"],
    sentence: "A read that fails rejects; it never returns an empty session.",
    why:
      "Otherwise a database that is unavailable for a second signs out every visitor of that second.",
    async check(t) {
      const visitor = await signedIn(t);
      const { faults } = visitor.storage;
      await faults.fail({ reads: true });
      await t.rejects(
        async () => {
          // Some storages read on the first get().
          (await visitor.request()).has("userId");
        },
        "a failed read returns a session",
      );
      await faults.heal();
      const next = await visitor.request();
      t.equal(next.get("userId"), "u1", "the failed read ended the session");
    },
  }),
  must("FAULT-02", {
    capabilities: ["faults"],
    sentence:
      "A save that cannot be written rejects, sends no cookie, and does not change the stored record.",
    why: "Otherwise the site reports a save or a logout that did not happen.",
    async check(t) {
      const works: [string, (r: VisitorRequest) => Promise<unknown>][] = [
        ["saving a change resolves although the write failed", (r) => {
          r.set("userId", "u2");
          return r.save();
        }],
        ["saving a flash resolves although the write failed", (r) => {
          r.flash("notice", "Saved");
          return r.save();
        }],
        ["a logout resolves although the delete failed", (r) => r.destroy()],
      ];
      for (const [what, work] of works) {
        const visitor = await signedIn(t);
        const { cookie, storage } = visitor;
        const request = await visitor.request();
        const error = await broken(t, visitor, () => work(request), what);
        t.ok(
          error instanceof Error,
          "it rejects with a value that is not an Error",
        );
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
      "Once the engine works again, so does the storage, and repeating the save stores the whole state.",
    why:
      "A retry that stores only what changed since the failure silently loses the rest.",
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
      t.ok(!next.has("notice"), "the retry restored a flash");
      t.equal(next.get("news"), "Paid", "the retry lost a flash");
      t.equal(next.get("userId"), "u1", "the retry lost a stored value");

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
        "a logout resolves although the delete failed",
      );
      t.equal(
        (await leaving.save()).kind,
        "clear",
        "the retry does not clear the cookie",
      );
      if (!t.claims("revoke")) return;
      const replay = await visitor.request(old);
      t.ok(!replay.has("userId"), "the retried logout did not end the session");
    },
  }),
  must("FAULT-04", {
    since: "2026.2",
    capabilities: ["faults", "merge", "revoke"],
    sentence:
      "If a save fails and is repeated, it does not undo what other requests have saved or ended in between.",
    why:
      "The visitor was told that the other change, or the logout, has happened.",
    async check(t) {
      const works: ((r: VisitorRequest) => void)[] = [
        () => {},
        (r) => r.session.regenerateId?.(),
        (r) => r.session.restart?.({ keep: "all" }),
      ];
      for (const [way, work] of works.entries()) {
        // The engine fails before the save, then at each step of it.
        for (const steps of t.cases(16)) {
          await repeat(
            t,
            steps,
            work,
            (visitor) => changeMeanwhile(t, visitor),
          );
          // A restart is a login: it holds even after a logout.
          if (way === 2) continue;
          await repeat(t, steps, work, (visitor) => leaveMeanwhile(t, visitor));
        }
      }
    },
  }),
];

async function signedIn(t: Trial): Promise<Visitor> {
  const visitor = await t.visitor();
  await visitor.visit((r) => r.set("userId", "u1"));
  return visitor;
}

/** Makes a call while writes fail. */
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

/** Lets a save fail some steps after it has begun, something else happen, and repeats the save. */
async function repeat(
  t: Trial,
  steps: number,
  work: (request: VisitorRequest) => void,
  meanwhile: (visitor: Visitor) => Promise<() => Promise<Check>>,
): Promise<void> {
  const visitor = await signedIn(t);
  const { faults } = visitor.storage;
  const happen = await meanwhile(visitor);
  const request = await visitor.request();
  work(request);
  request.set("cart", ["tea"]);
  if (steps === 0) await faults.fail({ writes: true });
  const saving = t.refuses(() => request.save());
  for (let i = 1; i < steps; i++) await Promise.resolve();
  if (steps > 0) await faults.fail({ writes: true });
  const refused = await saving;
  await faults.heal();
  if (!refused) return;
  const check = await happen();
  await request.save();
  await t.settle();
  await check(request);
}

type Check = (repeated: VisitorRequest) => Promise<void>;

/** Another request changes the session. */
async function changeMeanwhile(
  t: Trial,
  visitor: Visitor,
): Promise<() => Promise<Check>> {
  const { cookie } = visitor;
  const other = await visitor.request();
  other.set("theme", "dark");
  return async () => {
    await other.save();
    await t.settle();
    // If the failed save has already ended the old id, the other one was too late.
    const saved = (await visitor.request(cookie)).has("theme");
    return async () => {
      const next = await visitor.request();
      t.equal(next.get("cart"), ["tea"], "the repeated save is lost");
      t.equal(next.get("userId"), "u1", "the repeated save loses a value");
      if (!saved) return;
      t.equal(next.get("theme"), "dark", "the repeated save undid a change");
    };
  };
}

/** The visitor logs out. */
async function leaveMeanwhile(
  t: Trial,
  visitor: Visitor,
): Promise<() => Promise<Check>> {
  const { cookie } = visitor;
  const leaving = await visitor.request();
  return async () => {
    await leaving.destroy();
    return async ({ sent }) => {
      const cookies = [cookie, sent.kind === "cookie" ? sent.cookie : null];
      for (const old of cookies) {
        const next = await visitor.request(old);
        const isDead = !next.has("userId") && !next.has("cart");
        t.ok(isDead, "the repeated save restored a destroyed session");
      }
    };
  };
}
