/**
 * UNSET: what is removed is gone, and nothing else is.
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
      "An unset key is absent in this request and in later ones, and other keys stay.",
    why: "What a visitor removed comes back, or takes something else with it.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        r.set("coupon", "SPRING");
        r.set("userId", "u1");
      });
      await visitor.visit((r) => {
        r.unset("coupon");
        t.ok(!r.has("coupon"), "has() still sees it in this request");
        t.equal(r.get("coupon"), undefined, "it is still read in this request");
      });
      for (let i = 0; i < 2; i++) {
        const next = await visitor.visit((r) => r.set("visits", i));
        t.ok(!next.has("coupon"), "has() sees it in a later request");
        t.equal(next.get("coupon"), undefined, "a later request reads it");
        t.equal(next.get("userId"), "u1", "another key is lost");
      }
    },
  }),
  must("UNSET-02", {
    sentence:
      "Unsetting a key that is absent sends nothing and writes nothing.",
    why:
      "Clearing up just in case is common; each time would cost a write and a cookie.",
    async check(t) {
      const visitor = await t.visitor();
      const fresh = await visitor.visit((r) => r.unset("coupon"));
      t.equal(fresh.sent.kind, "nothing", "a session without data is sent");
      t.equal(
        await visitor.storage.count() ?? 0,
        0,
        "a session without data is stored",
      );
      await visitor.visit((r) => r.set("theme", "dark"));
      const before = await visitor.storage.records();
      const again = await visitor.visit((r) => r.unset("coupon"));
      t.equal(again.sent.kind, "nothing", "an unchanged session is sent");
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
    sentence: "Unsetting the last key leaves the session and its id.",
    why:
      "Emptying a cart is no logout; tokens that are tied to the id would turn invalid.",
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
    sentence: "Within a request, the last set or unset of a key wins.",
    why: "The visitor gets what the code did before its last word.",
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
        t.equal(r.get("twice"), 2, "the last set does not win in the request");
      });
      const next = await visitor.request();
      t.equal(next.get("kept"), "new", "a set after an unset is lost");
      t.ok(!next.has("dropped"), "an unset after a set is lost");
      t.ok(!next.has("brief"), "a key that was set and unset is stored");
      t.equal(next.get("twice"), 2, "the last of three does not win");
    },
  }),
  must("UNSET-05", {
    capabilities: ["inspect"],
    sentence:
      "The stored bytes keep neither an unset value nor a consumed flash.",
    why:
      "A visitor who took an address back finds it in the next stolen backup.",
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
    sentence: "Unset removes a pending flash too.",
    why: "A message that the code took back is shown all the same.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => {
        r.set("userId", "u1");
        r.flash("notice", "Saved");
        r.flash("brief", "Saved");
        r.unset("brief");
        t.ok(!r.has("brief"), "a flash of this request is still there");
      });
      const next = await visitor.visit((r) => {
        r.unset("notice");
        t.ok(!r.has("notice"), "a pending flash is still there");
      });
      t.ok(!next.has("brief"), "a flash of one request reaches the next");
      t.ok(
        !(await visitor.request()).has("notice"),
        "a pending flash reaches a later request",
      );
    },
  }),
];

/** Puts a secret into a session and takes it out again, and looks for it in what is stored. */
async function leavesNothing(
  t: Trial,
  visitor: Visitor,
  put: (request: VisitorRequest, secret: string) => void,
  take: (request: VisitorRequest) => void,
  what: string,
): Promise<void> {
  // No compression makes much less of random letters, and no other text contains them.
  const secret = t.random.word(1000);
  const without = await measure(visitor.storage, secret);
  await visitor.visit((r) => put(r, secret));
  const within = await measure(visitor.storage, secret);
  await visitor.visit(take);
  const after = await measure(visitor.storage, secret);
  const grew = within.size - without.size >= 500;
  if (!within.found && !grew) {
    t.notRun("nobody can tell from the stored bytes what they hold");
  }
  t.ok(!after.found, `${what} is still in the stored bytes`);
  // Where the bytes are encoded or encrypted, their number still tells.
  t.ok(
    within.found || after.size - without.size < 500,
    `${what} still takes its room in the stored bytes`,
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
