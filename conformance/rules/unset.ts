/**
 * UNSET: a removed key is gone, and every other key stays.
 *
 * @module
 */
import type { OpenStorage } from "../trial/open_storage.ts";
import type { Trial } from "../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../trial/visitor.ts";
import { must, type Rule } from "./support/rule.ts";

export const unset: readonly Rule[] = [
  must("UNSET-01", {
    sentence:
      "After unset, the key is absent in this request and in later ones. Other keys stay.",
    why:
      "Otherwise an item that a visitor removed comes back, or another one is lost.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        r.set("coupon", "SPRING");
        r.set("userId", "u1");
      });
      await visitor.visit((r) => {
        r.unset("coupon");
        t.ok(!r.has("coupon"), "has() still returns true in this request");
        t.equal(
          r.get("coupon"),
          undefined,
          "get() still returns the value in this request",
        );
      });
      for (let i = 0; i < 2; i++) {
        const next = await visitor.visit((r) => r.set("visits", i));
        t.ok(!next.has("coupon"), "has() returns true in a later request");
        t.equal(
          next.get("coupon"),
          undefined,
          "a later request reads the value",
        );
        t.equal(next.get("userId"), "u1", "another key is lost");
      }
    },
  }),
  must("UNSET-02", {
    sentence:
      "Unsetting a key that is absent sends no cookie and writes nothing.",
    why:
      "Code often unsets a key just in case. Each time would cost a write and a cookie.",
    async check(t) {
      const visitor = await t.visitor();
      const fresh = await visitor.visit((r) => r.unset("coupon"));
      t.equal(
        fresh.sent.kind,
        "nothing",
        "a cookie is sent for a session without data",
      );
      t.equal(
        await visitor.storage.count() ?? 0,
        0,
        "a session without data is stored",
      );
      await visitor.visit((r) => r.set("theme", "dark"));
      const before = await visitor.storage.records();
      const again = await visitor.visit((r) => r.unset("coupon"));
      t.equal(
        again.sent.kind,
        "nothing",
        "a cookie is sent for an unchanged session",
      );
      const after = await visitor.storage.records();
      t.equal(
        after && [...after],
        before && [...before],
        "an unchanged session is written",
      );
      t.equal(
        (await visitor.request()).get("theme"),
        "dark",
        "another key is lost",
      );
    },
  }),
  must("UNSET-03", {
    sentence: "Unsetting the last key keeps the session and its id.",
    why:
      "A visitor who empties the cart does not log out. Tokens that depend on the id must stay valid.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("cart", ["tea"]));
      const { id } = await visitor.request();
      const emptying = await visitor.visit((r) => r.unset("cart"));
      t.ok(emptying.sent.kind !== "clear", "the cookie is cleared");
      const next = await visitor.request();
      t.ok(!next.has("cart"), "the last key is still there");
      t.ok(next.id === id, "the emptied session has another id");
      next.set("cart", ["cup"]);
      await next.save();
      const last = await visitor.request();
      t.equal(last.get("cart"), ["cup"], "the emptied session cannot be used");
      t.ok(last.id === id, "the session used again has another id");
    },
  }),
  must("UNSET-04", {
    session: true,
    sentence: "Within a request, the last set or unset of a key applies.",
    why: "Otherwise the visitor gets an earlier state than the code intended.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        r.set("kept", "old");
        r.set("dropped", "old");
      });
      await visitor.visit((r) => {
        r.unset("kept");
        r.set("kept", "new");
        r.set("dropped", "new");
        r.unset("dropped");
        r.set("brief", 1);
        r.unset("brief");
        r.set("twice", 1);
        r.unset("twice");
        r.set("twice", 2);
        t.equal(r.get("twice"), 2, "the request does not read the last set");
      });
      const next = await visitor.request();
      t.equal(next.get("kept"), "new", "a set after an unset is lost");
      t.ok(!next.has("dropped"), "an unset after a set is lost");
      t.ok(!next.has("brief"), "a key that was set and unset is stored");
      t.equal(next.get("twice"), 2, "the last of three sets is lost");
    },
  }),
  must("UNSET-05", {
    capabilities: ["inspect"],
    sentence:
      "The stored bytes do not contain values that were unset or flashes that were consumed.",
    why:
      "Otherwise an address that a visitor removed is still in a stolen backup.",
    async check(t) {
      const value = await t.visitor();
      await value.visit((r) => r.set("userId", "u1"));
      await leavesNothing(
        t,
        value,
        (r, secret) => r.set("address", secret),
        (r) => r.unset("address"),
        "an unset value",
      );
      await leavesNothing(
        t,
        value,
        (r, secret) => r.flash("notice", secret),
        (r) => void r.get("notice"),
        "a consumed flash",
      );
    },
  }),
  must("UNSET-06", {
    session: true,
    sentence: "Unset also removes a flash that was not read yet.",
    why: "Otherwise a message that the code removed is still shown.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        r.set("userId", "u1");
        r.flash("notice", "Saved");
        r.flash("brief", "Saved");
        r.unset("brief");
        t.ok(!r.has("brief"), "a flash of this request is not removed");
      });
      const next = await visitor.visit((r) => {
        r.unset("notice");
        t.ok(!r.has("notice"), "a stored flash is not removed");
      });
      t.ok(
        !next.has("brief"),
        "a later request reads the flash of this request",
      );
      t.ok(
        !(await visitor.request()).has("notice"),
        "a later request reads the stored flash",
      );
    },
  }),
  must("UNSET-07", {
    since: "2026.2",
    capabilities: ["merge"],
    sentence:
      "Unset removes the key even if another request has set it, or flashed under it, since the session was read.",
    why:
      "The visitor removes a coupon while another page of theirs adds it. The last answer says that it is removed.",
    async check(t) {
      const works: [string, (r: VisitorRequest) => void][] = [
        ["a value", (r) => r.set("coupon", "SPRING")],
        ["a flash", (r) => r.flash("coupon", "Added")],
      ];
      for (const [what, work] of works) {
        const visitor = await t.visitor();
        await visitor.visit((r) => r.set("userId", "u1"));
        const remover = await visitor.request();
        await visitor.visit(work);
        remover.unset("coupon");
        await remover.save();
        await t.settle();
        const next = await visitor.request();
        t.ok(!next.has("coupon"), `${what} that was set meanwhile stays`);
        t.equal(next.get("userId"), "u1", "another key is lost");
      }
    },
  }),
  must("UNSET-08", {
    since: "2026.2",
    sentence:
      "clear removes all values and flashes, and keeps the session and its id.",
    why:
      "A visitor who discards everything must not find parts of it again, and does not log out.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        r.set("cart", ["tea"]);
        r.set("theme", "dark");
        r.flash("notice", "Saved");
      });
      const { id } = await visitor.request();
      const clearing = await visitor.request();
      // A storage that merges also removes what is set meanwhile.
      if (t.claims("merge")) await visitor.visit((r) => r.set("coupon", "S"));
      const keys = ["cart", "theme", "notice", "coupon"];
      clearing.set("brief", 1);
      clearing.flash("brief", 1);
      clearing.clear();
      for (const key of [...keys, "brief"]) {
        t.ok(!clearing.has(key), "an entry is left in this request");
      }
      clearing.set("visits", 1);
      const sent = await clearing.save();
      t.ok(sent.kind !== "clear", "the cookie is cleared");
      await t.settle();
      const next = await visitor.request();
      for (const key of [...keys, "brief"]) {
        t.ok(!next.has(key), "an entry is left in a later request");
      }
      t.equal(next.get("visits"), 1, "a value that is set afterwards is lost");
      t.ok(next.id === id, "the cleared session has another id");
    },
  }),
];

/** Adds a secret to a session, removes it, and searches the stored bytes for it. */
async function leavesNothing(
  t: Trial,
  visitor: Visitor,
  put: (request: VisitorRequest, secret: string) => void,
  take: (request: VisitorRequest) => void,
  what: string,
): Promise<void> {
  // Random letters cannot be compressed much, and no other text contains them.
  const secret = t.random.word(1000);
  const without = await measure(visitor.storage, secret);
  await visitor.visit((r) => put(r, secret));
  const within = await measure(visitor.storage, secret);
  await visitor.visit(take);
  const after = await measure(visitor.storage, secret);
  const grew = within.size - without.size >= 500;
  if (!within.found && !grew) {
    t.notRun("the stored bytes cannot be read, and do not grow with the data");
  }
  t.ok(!after.found, `${what} is still in the stored bytes`);
  // If the bytes are encoded or encrypted, their length still shows it.
  t.ok(
    within.found || after.size - without.size < 500,
    `${what} still takes space in the stored bytes`,
  );
}

async function measure(
  storage: OpenStorage,
  secret: string,
): Promise<{ found: boolean; size: number }> {
  const texts = [...(await storage.inspect.records()).values()];
  return {
    found: texts.some((text) => text.includes(secret)),
    size: texts.reduce((size, text) => size + text.length, 0),
  };
}
