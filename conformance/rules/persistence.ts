/**
 * PERSIST: what is saved is there in the next request, and nothing else is.
 *
 * @module
 */
import { must, type Rule } from "./support/rule.ts";

export const persistence: readonly Rule[] = [
  must("PERSIST-01", {
    sentence: "A saved value reads back deep-equal in the next request.",
    why:
      "A visitor's login and cart are only there if they come back as they were.",
    async check(t) {
      const visitor = await t.visitor();
      const cart = [{ sku: "tea", count: 2 }, { sku: "cup", count: 1 }];
      await visitor.visit((r) => {
        r.set("cart", cart);
        r.set("userId", "u1");
      });
      const next = await visitor.request();
      t.equal(next.get("cart"), cart, "a saved value comes back changed");
      t.equal(next.get("userId"), "u1", "a saved value comes back changed");
      t.ok(next.has("cart"), "has() does not see a saved value");
    },
  }),
  must("PERSIST-02", {
    sentence: "Saving an untouched session sends nothing and writes nothing.",
    why:
      "Otherwise every bot's visit leaves a record, and every page sets a cookie.",
    async check(t) {
      const visitor = await t.visitor();
      const fresh = await visitor.visit();
      t.equal(fresh.sent.kind, "nothing", "an untouched new session is sent");
      t.equal(
        await visitor.storage.count() ?? 0,
        0,
        "an untouched new session is stored",
      );
      await visitor.visit((r) => r.set("theme", "dark"));
      const before = await visitor.storage.records();
      const again = await visitor.visit((r) => void r.get("theme"));
      t.equal(
        again.sent.kind,
        "nothing",
        "a session that was only read is sent",
      );
      const after = await visitor.storage.records();
      t.equal(
        after && [...after],
        before && [...before],
        "a session that was only read is written",
      );
    },
  }),
  must("PERSIST-03", {
    sentence: "Overwriting a key replaces its value; nothing merges into it.",
    why:
      "Remains of an old value would reach the visitor as if they were current.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("filter", { colour: "red", size: 4 }));
      await visitor.visit((r) => r.set("filter", { size: 5 }));
      const next = await visitor.request();
      t.equal(next.get("filter"), { size: 5 }, "the old value shines through");
    },
  }),
  must("PERSIST-04", {
    capabilities: ["shared"],
    sentence:
      "A second instance over the same engine sees a record once save has resolved.",
    why:
      "The next request may reach another process; the visitor would be signed out there.",
    async check(t) {
      const one = await t.open({});
      const two = await t.open({ namespace: one.namespace });
      const here = await t.visitor(one);
      const there = await t.visitor(two);
      await here.visit((r) => r.set("userId", "u1"));
      await t.settle();
      const elsewhere = await there.request(here.cookie);
      t.equal(
        elsewhere.get("userId"),
        "u1",
        "the second instance does not see it",
      );
    },
  }),
  must("PERSIST-05", {
    capabilities: ["revoke"],
    sentence:
      "After destroy, saving clears the cookie, and the old cookie reads as an empty session under another id.",
    why:
      "A logout that does not end the session leaves it to whoever has the cookie.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("userId", "u1"));
      const old = visitor.cookie;
      const leaving = await visitor.request();
      const { id } = leaving;
      t.equal(
        (await leaving.destroy()).kind,
        "clear",
        "destroy does not clear the cookie",
      );
      await t.settle();
      const replay = await visitor.request(old);
      t.ok(!replay.has("userId"), "the destroyed session still has its data");
      t.anotherId(
        "PERSIST-05",
        replay,
        id,
        "the destroyed session's id is used again",
      );
    },
  }),
  must("PERSIST-06", {
    sentence: "Changes that were not saved are invisible to later reads.",
    why: "A handler that fails half-way must leave no half-done change behind.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("balance", { euros: 10 }));
      const failing = await visitor.request();
      failing.set("balance", { euros: 0 });
      failing.set("order", 1);
      const next = await visitor.request();
      t.equal(
        next.get("balance"),
        { euros: 10 },
        "an unsaved change is visible",
      );
      t.ok(!next.has("order"), "an unsaved key is visible");
    },
  }),
  must("PERSIST-07", {
    sentence:
      "Destroying a session that is missing, or destroyed already, resolves.",
    why: "A visitor who clicks Sign out twice must not meet an error page.",
    async check(t) {
      const visitor = await t.visitor();
      const nothing = await visitor.request();
      await nothing.destroy();
      await visitor.visit((r) => r.set("userId", "u1"));
      const first = await visitor.request();
      const second = await visitor.request();
      await first.destroy();
      await second.destroy();
      await second.destroy();
    },
  }),
  must("PERSIST-08", {
    capabilities: ["durable"],
    sentence: "Records survive closing the storage and opening it again.",
    why: "Otherwise each deployment signs everybody out.",
    async check(t) {
      const before = await t.open({});
      const visitor = await t.visitor(before);
      await visitor.visit((r) => r.set("userId", "u1"));
      await before.pause();
      await t.settle();
      const after = await t.open({ namespace: before.namespace });
      const back = await (await t.visitor(after)).request(visitor.cookie);
      t.equal(back.get("userId"), "u1", "the session is gone after reopening");
    },
  }),
  must("PERSIST-09", {
    sentence:
      "Reading without a cookie gives an empty session with a fresh id, and writes nothing.",
    why: "Two new visitors who share an id share a session.",
    async check(t) {
      const visitor = await t.visitor();
      const one = await visitor.request(null);
      const two = await visitor.request(null);
      t.ok(
        !one.has("userId") && one.get("userId") === undefined,
        "a new session has data",
      );
      t.anotherId("PERSIST-09", two, one.id, "two new sessions have one id");
      t.equal(await visitor.storage.count() ?? 0, 0, "reading stores a record");
    },
  }),
  must("PERSIST-10", {
    session: true,
    sentence: "A value that was read and then changed in place is saved.",
    why:
      "Forgetting to set a cart again after adding to it loses what was added.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("cart", { items: ["tea"] }));
      await visitor.visit((r) => {
        const cart = r.get("cart");
        t.equal(cart, { items: ["tea"] }, "a saved value comes back changed");
        try {
          (cart as { items: string[] }).items.push("cup");
        } catch {
          t.ok(false, "a value that was read cannot be changed in place");
        }
      });
      const next = await visitor.request();
      t.equal(
        next.get("cart"),
        { items: ["tea", "cup"] },
        "the change in place is lost",
      );
    },
  }),
];
