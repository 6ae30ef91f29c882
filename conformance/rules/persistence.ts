/**
 * PERSIST: the next request reads what was saved, and nothing else.
 *
 * @module
 */
import { must, type Rule } from "./support/rule.ts";

export const persistence: readonly Rule[] = [
  must("PERSIST-01", {
    sentence:
      "The next request reads a value that is deep-equal to the saved one.",
    why: "A visitor's login and cart depend on it.",
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
      t.ok(next.has("cart"), "has() returns false for a saved value");
    },
  }),
  must("PERSIST-02", {
    sentence: "Saving an unchanged session sends no cookie and writes nothing.",
    why:
      "Otherwise every visit of a bot stores a record, and every page sets a cookie.",
    async check(t) {
      const visitor = await t.visitor();
      const fresh = await visitor.visit();
      t.equal(
        fresh.sent.kind,
        "nothing",
        "a cookie is sent for an unchanged new session",
      );
      t.equal(
        await visitor.storage.count() ?? 0,
        0,
        "an unchanged new session is stored",
      );
      await visitor.visit((r) => r.set("theme", "dark"));
      const before = await visitor.storage.records();
      const again = await visitor.visit((r) => void r.get("theme"));
      t.equal(
        again.sent.kind,
        "nothing",
        "a cookie is sent for a session that was only read",
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
    sentence:
      "Overwriting a key replaces its value; the two values are not merged.",
    why:
      "Otherwise parts of an old value reach the visitor as if they were current.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("filter", { colour: "red", size: 4 }));
      await visitor.visit((r) => r.set("filter", { size: 5 }));
      const next = await visitor.request();
      t.equal(
        next.get("filter"),
        { size: 5 },
        "the old value is merged into the new one",
      );
    },
  }),
  must("PERSIST-04", {
    capabilities: ["shared"],
    sentence:
      "Once a save has resolved, a second instance over the same engine reads the session.",
    why:
      "The next request may reach another process. The visitor must be signed in there too.",
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
        "the second instance does not read the session",
      );
    },
  }),
  must("PERSIST-05", {
    capabilities: ["revoke"],
    sentence:
      "Saving a destroyed session clears the cookie. Reading the old cookie then returns an empty session with another id.",
    why:
      "Otherwise anybody who has the old cookie is still signed in after the logout.",
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
        "the id of the destroyed session is used again",
      );
    },
  }),
  must("PERSIST-06", {
    sentence: "Later requests do not read changes that were not saved.",
    why: "If a handler fails half-way, its changes must not be kept.",
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
      "Destroying a session that does not exist, or that is already destroyed, succeeds.",
    why: "A visitor who clicks Sign out twice must not see an error page.",
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
    sentence: "Sessions survive closing the storage and opening it again.",
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
      "Reading without a cookie returns an empty session with a new id, and writes nothing.",
    why: "Two new visitors with the same id would share a session.",
    async check(t) {
      const visitor = await t.visitor();
      const one = await visitor.request(null);
      const two = await visitor.request(null);
      t.ok(
        !one.has("userId") && one.get("userId") === undefined,
        "a new session has data",
      );
      t.anotherId(
        "PERSIST-09",
        two,
        one.id,
        "two new sessions have the same id",
      );
      t.equal(await visitor.storage.count() ?? 0, 0, "reading stores a record");
    },
  }),
  must("PERSIST-10", {
    session: true,
    sentence:
      "If a value that was read is changed in place, the change is saved.",
    why:
      "Code that adds an item to the cart it read, and does not set the cart again, would lose the item.",
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
  must("PERSIST-11", {
    since: "2026.2",
    sentence:
      "Destroying a stored session clears the cookie, and the browser's next request reads an empty session.",
    why:
      "A visitor who clicks Sign out must be signed out, whatever else a storage can do.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("userId", "u1"));
      await t.settle();
      const leaving = await visitor.request();
      t.equal(leaving.get("userId"), "u1", "the session cannot be read");
      const { kind } = await leaving.destroy();
      await t.settle();
      const next = await visitor.request();
      t.ok(!next.has("userId"), "the visitor is still signed in");
      t.equal(kind, "clear", "destroy does not clear the cookie");
    },
  }),
];
