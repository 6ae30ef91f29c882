/**
 * REGEN: a login gets a new id, and a client cannot choose it.
 *
 * @module
 */
import { doorOf, NO_DOOR } from "./support/doors.ts";
import { collectIds, haveBits } from "./support/made_ids.ts";
import { madeUp } from "./support/planted.ts";
import {
  failWhileRenewing,
  idReadsEmpty,
  readsEmpty,
} from "./support/renewing.ts";
import { must, type Rule, should } from "./support/rule.ts";

export const regenerate: readonly Rule[] = [
  must("REGEN-01", {
    sentence:
      "A save after regenerateId alone changes the id and the cookie, and keeps the data.",
    why:
      "Otherwise an attacker who planted the old id in the visitor's browser is signed in too (session fixation).",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("cart", ["tea"]));
      const old = visitor.cookie;
      const { id } = await visitor.request();
      const request = await visitor.visit((r) => r.regenerate());
      t.equal(request.sent.kind, "cookie", "no new cookie is sent");
      t.ok(visitor.cookie !== old, "the cookie stays the same");
      const next = await visitor.request();
      t.ok(next.id !== id, "the id stays the same");
      t.equal(next.get("cart"), ["tea"], "the data is lost");
    },
  }),
  must("REGEN-02", {
    capabilities: ["revoke"],
    sentence:
      "Once the new id is saved, reading the old cookie returns an empty session.",
    why:
      "Otherwise anybody who knew the old id shares the session after the login.",
    async check(t) {
      const visitor = await t.visitor();
      await visitor.visit((r) => r.set("cart", ["tea"]));
      const old = visitor.cookie;
      await visitor.visit((r) => {
        r.set("userId", "u1");
        r.regenerate();
      });
      await readsEmpty(t, visitor, old, "the old cookie");
      t.equal(
        (await visitor.request()).get("userId"),
        "u1",
        "the data is lost",
      );
    },
  }),
  must("REGEN-03", {
    capabilities: ["revoke"],
    sentence:
      "After several new ids in one request, only the last one is valid.",
    why: "If two layers both renew the id, a planted id must not stay valid.",
    async check(t) {
      const visitor = await t.visitor();
      const door = await doorOf(t, visitor.storage);
      await visitor.visit((r) => r.set("cart", ["tea"]));
      const old = visitor.cookie;
      const request = await visitor.request();
      const ids: string[] = [];
      for (let i = 0; i < 3; i++) {
        request.regenerate();
        ids.push(request.id);
      }
      await request.save();
      await readsEmpty(t, visitor, old, "the first cookie");
      for (const id of ids.slice(0, -1)) {
        await idReadsEmpty(t, visitor, door, id, "an id in between");
      }
      t.equal(
        (await visitor.request()).get("cart"),
        ["tea"],
        "the data is lost",
      );
    },
  }),
  must("REGEN-04", {
    capabilities: ["revoke"],
    sentence: "After a new id and then destroy in one request, no id is valid.",
    why: "A logout that also renews the id must end the old one too.",
    async check(t) {
      for (const between of [false, true]) {
        const visitor = await t.visitor();
        const door = await doorOf(t, visitor.storage);
        await visitor.visit((r) => r.set("userId", "u1"));
        const old = visitor.cookie;
        const request = await visitor.request();
        request.regenerate();
        if (between) await request.save();
        const [late, { id }] = [visitor.cookie, request];
        const sent = await request.destroy();
        t.equal(sent.kind, "clear", "destroy does not clear the cookie");
        await readsEmpty(t, visitor, old, "the old cookie");
        if (between) await readsEmpty(t, visitor, late, "the new cookie");
        else await idReadsEmpty(t, visitor, door, id, "the new id");
      }
    },
  }),
  must("REGEN-05", {
    sentence:
      "An id that is unknown, destroyed or malformed is never adopted. EXPIRY-02 says the same of an expired one.",
    why:
      "Otherwise an attacker plants an id, waits for the login, and has the session.",
    async check(t) {
      const storage = await t.open();
      const planted = await madeUp(t, storage);
      if (t.claims("revoke")) {
        const left = await t.visitor(storage);
        await left.visit((r) => r.set("userId", "u0"));
        planted.push(["a destroyed id", storage, left.cookie]);
        await (await left.request()).destroy();
        await t.settle();
      }
      for (const [what, storage, cookie] of planted) {
        const victim = await t.visitor(storage);
        victim.cookie = cookie;
        const request = await victim.request();
        t.ok(
          !request.has("userId"),
          `${what} reads the session of another visitor`,
        );
        request.set("userId", "u1");
        await request.save();
        await t.settle();
        const attacker = await (await t.visitor(storage)).request(cookie);
        t.ok(!attacker.has("userId"), `${what} is adopted`);
        t.equal(
          (await victim.request()).get("userId"),
          "u1",
          `a visitor with ${what} cannot sign in`,
        );
      }
      // A signature rejects a made-up id, but not that of a destroyed session.
      const tried = t.claims("selfContained") || t.claims("revoke") ||
        await doorOf(t, storage);
      if (!tried) t.notRun(NO_DOOR);
    },
  }),
  must("REGEN-06", {
    capabilities: ["revoke", "faults"],
    sentence:
      "If the new record cannot be written, the old one stays readable. Once a later save succeeds, only one id is valid.",
    why:
      "A short failure of the engine during a login must not lose the visitor's cart.",
    async check(t) {
      // The engine fails before the save, then at each step of it: this shows what the save writes first.
      for (const steps of t.cases(16)) {
        await failWhileRenewing(t, steps, (r) => {
          r.set("userId", "u1");
          r.regenerate();
        });
      }
    },
  }),
  must("REGEN-07", {
    session: true,
    sentence:
      "Ids have at least 64 random bits, use characters that are allowed in a cookie, and do not repeat.",
    why:
      "An attacker who guesses an id has the session; OWASP's Session Management Cheat Sheet asks for 64 bits. A character that is not allowed breaks the cookie.",
    async check(t) {
      const ids = await collectIds(t);
      t.ok(new Set(ids).size === ids.length, "an id repeats");
      // RFC 6265, section 4.1.1: cookie-octet.
      const safe = /^[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]+$/;
      t.ok(
        ids.every((id) => safe.test(id)),
        "an id has a character that is not allowed in a cookie",
      );
      haveBits(t, ids, 64, "required");
    },
  }),
  must("REGEN-08", {
    capabilities: ["revoke"],
    sentence:
      "After a new id and a save, and another new id and a save, neither earlier id is valid.",
    why:
      "If a login has two steps that each renew the id, the ids before and between must not stay valid.",
    async check(t) {
      for (const sameRequest of [true, false]) {
        const visitor = await t.visitor();
        await visitor.visit((r) => r.set("cart", ["tea"]));
        const cookies = [visitor.cookie];
        let request = await visitor.request();
        for (let i = 0; i < 2; i++) {
          if (!sameRequest) request = await visitor.request();
          request.regenerate();
          await request.save();
          cookies.push(visitor.cookie);
        }
        await readsEmpty(t, visitor, cookies[0] ?? null, "the first cookie");
        await readsEmpty(t, visitor, cookies[1] ?? null, "the second cookie");
        t.equal(
          (await visitor.request()).get("cart"),
          ["tea"],
          "the data is lost",
        );
      }
    },
  }),
  should("REGEN-09", {
    since: "2026.2",
    session: true,
    sentence: "Ids have at least 128 random bits.",
    why:
      "A site with many sessions gives an attacker many ids to hit; ASVS 5 (7.2.3) asks for 128 bits. A UUID of version 4 has 122: use 16 random bytes or more.",
    async check(t) {
      haveBits(t, await collectIds(t), 128, "recommended");
    },
  }),
];
