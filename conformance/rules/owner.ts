/**
 * OWNER: whoever owns sessions finds them, and can end them.
 *
 * @module
 */
import type { Visitor } from "../trial/visitor.ts";
import { Deadline } from "./support/deadline.ts";
import { OWNER_NAMES } from "./support/hostile_values.ts";
import {
  changeHands,
  changeHandsMeanwhile,
  marksWhoAsks,
  showsUse,
  spareAStranger,
  spareInEachWay,
} from "./support/owner_cases.ts";
import { failToEnd, failToList, failToSignIn } from "./support/owner_faults.ts";
import {
  endsAtOnce,
  lateSaves,
  loginsAtOnce,
  loginsUnderWay,
  saveAfterwards,
} from "./support/owner_races.ts";
import {
  alive,
  canRegenerate,
  ended,
  listed,
  openAgain,
  openOwned,
  signIn,
} from "./support/owned.ts";
import { must, type Rule } from "./support/rule.ts";

export const owner: readonly Rule[] = [
  must("OWNER-01", {
    capabilities: ["owners"],
    sentence:
      "An owner's sessions are listed, each with its values and an id of its own, and nobody else's are.",
    why:
      "Whoever looks where they are signed in would miss a device, or see a stranger's.",
    async check(t) {
      const storage = await openOwned(t);
      const browser = { name: "Firefox", versions: [128, 140], beta: null };
      const visits = [
        { userId: "u1", device: "laptop", browser },
        { userId: "u1", device: "phone" },
        { userId: "u1", device: "tablet", visits: 0, kept: true },
        { userId: "u2", device: "laptop" },
        { device: "nobody's" },
      ];
      for (const data of visits) {
        const visitor = await t.visitor(storage);
        await visitor.visit((r) => {
          for (const [key, value] of Object.entries(data)) r.set(key, value);
        });
      }
      await t.settle();
      for (const at of [storage, await openAgain(t, storage)]) {
        for (const userId of ["u1", "u2", "u3"]) {
          const found = await at.owners.list(userId);
          const by = (a: { device?: unknown }, b: { device?: unknown }) =>
            String(a.device) < String(b.device) ? -1 : 1;
          t.equal(
            found.map(({ data }) => data).sort(by),
            visits.filter((data) => data.userId === userId),
            "an owner's list is not what they have",
          );
          const ids = new Set(found.map(({ id }) => id));
          t.equal(ids.size, found.length, "two listed sessions share an id");
        }
      }
    },
  }),
  must("OWNER-02", {
    capabilities: ["owners"],
    sentence: "Nothing in a list opens a session.",
    why:
      "A list is made to be shown and logged; whoever sees it would be signed in.",
    async check(t) {
      const storage = await openOwned(t);
      const visitor = await signIn(t, storage, "u1");
      const { id } = await visitor.request();
      const cookie = visitor.cookie ?? "";
      const at = storage.port.http ? cookie.indexOf("=") + 1 : 0;
      const [name, value] = [cookie.slice(0, at), cookie.slice(at)];
      await t.settle();
      for (const { data, ...facts } of await storage.owners.list("u1")) {
        for (const fact of [...Object.values(facts), ...Object.values(data)]) {
          if (typeof fact !== "string" || fact === "") continue;
          for (const secret of [id, value]) {
            const tells = secret.length >= 8 && fact.includes(secret);
            t.ok(!tells, "a list holds an id, or a cookie");
          }
          const values = [fact];
          if (id !== "" && value.includes(id)) {
            values.push(value.replace(id, () => fact));
          }
          for (const made of values) {
            const stranger = await t.visitor(storage);
            const request = await stranger.request(name + made);
            t.ok(!request.has("userId"), "what is listed opens a session");
          }
        }
      }
    },
  }),
  must("OWNER-03", {
    capabilities: ["owners", "expiry"],
    timed: true,
    sentence:
      "A list says when each session began, was last used and ends, has the one used last first, and leaves out what has ended.",
    why: "It is by these that people know their own devices from a stranger's.",
    async check(t) {
      const storage = await openOwned(t, { idleTimeout: t.lifetime });
      const devices = ["first", "second", "third"] as const;
      const begun = new Map<string, number>();
      const visitors: Visitor[] = [];
      const deadline = await Deadline.of(t, t.lifetime, async () => {
        for (const device of devices) {
          if (t.exact) await t.advance(1000);
          begun.set(device, t.now());
          visitors.push(await signIn(t, storage, "u1", device));
        }
      });
      await deadline.approach();
      const used = t.now();
      const later = await Deadline.of(
        t,
        t.lifetime,
        async () => void await visitors[1]?.visit((r) => r.set("visits", 2)),
      );
      const found = await storage.owners.list("u1");
      deadline.ahead(found.length === 3, "a session is not listed to its end");
      if (t.exact) showsUse(t, found, { begun, used });
      await deadline.pass();
      const left = (await storage.owners.list("u1"))
        .map(({ data }) => String(data["device"]));
      later.ahead(
        left.includes("second"),
        "a session is not listed to its end",
      );
      const over = left.filter((device) => device !== "second");
      t.equal(over, [], "a session that is over is listed");
      await later.pass();
      await listed(t, storage, "u1", [], "what is over is listed");
      t.equal(await storage.owners.destroy("u1"), 0, "what is over is ended");
    },
  }),
  must("OWNER-04", {
    capabilities: ["owners"],
    sentence:
      "Destroying an owner's sessions ends each of them and no other, gives how many, and can be repeated, also at the same time.",
    why:
      "After a password was stolen, the thief's session is one among many; and a stranger must not be signed out in its place.",
    async check(t) {
      const storage = await openOwned(t);
      const mine = [];
      for (const device of ["laptop", "phone", "tablet"]) {
        mine.push(await signIn(t, storage, "u1", device));
      }
      await mine[0]?.visit((r) => canRegenerate(r) && r.regenerate());
      const ids = [];
      for (const visitor of mine) ids.push((await visitor.request()).id);
      const other = await signIn(t, storage, "u2");
      const nobody = await t.visitor(storage);
      await nobody.visit((r) => r.set("cart", ["tea"]));
      await t.settle();
      const elsewhere = await openAgain(t, storage);
      t.equal(await elsewhere.owners.destroy("u1"), 3, "not all are ended");
      for (const visitor of mine) {
        const { cookie } = visitor;
        await ended(t, visitor, cookie, "a session outlives its end");
        const request = await visitor.request();
        for (const id of ids) {
          t.anotherId("OWNER-04", request, id, "the id is used again");
        }
      }
      await listed(t, storage, "u1", [], "what is ended is listed");
      await alive(t, other, "somebody else's session is ended");
      await listed(
        t,
        storage,
        "u2",
        ["laptop"],
        "somebody else's is not listed",
      );
      const left = (await nobody.request()).get("cart");
      t.equal(left, ["tea"], "nobody's session is ended");
      for (const at of [storage, elsewhere]) {
        t.equal(await at.owners.destroy("u1"), 0, "the second time ends some");
      }
      const back = await signIn(t, storage, "u1", "laptop again");
      await alive(t, back, "nobody can sign in after it");
      await listed(
        t,
        storage,
        "u1",
        ["laptop again"],
        "who is back is not listed",
      );
      await endsAtOnce(t, storage);
    },
  }),
  must("OWNER-05", {
    capabilities: ["owners"],
    sentence:
      "Destroying an owner's sessions spares the one that it is given: by the session, also one with a new id, by its id, or as it is listed; a stranger's spares none.",
    why:
      "Whoever changes their password would be signed out where they did it, or leave a stranger signed in.",
    async check(t) {
      const storage = await openOwned(t);
      await spareInEachWay(t, storage);
      await spareAStranger(t, storage);
    },
  }),
  must("OWNER-06", {
    capabilities: ["owners"],
    sentence:
      "The list follows: a sign-in, a change, a new id, a change of owner, a sign-out and an end leave listed what is alive, under whose it is.",
    why:
      "A session that is in no list outlives every sign-out; one in the wrong list is ended by a stranger.",
    async check(t) {
      const visitor = await changeHands(t, await openOwned(t));
      if (t.claims("merge")) await changeHandsMeanwhile(t, visitor);
      await (await visitor.request()).destroy();
      for (const userId of ["u1", "u2"]) {
        await listed(t, visitor.storage, userId, [], "what is over is listed");
      }
    },
  }),
  must("OWNER-07", {
    capabilities: ["owners"],
    sentence:
      "A save still in flight brings back no session that its owner has ended, and sends no cookie.",
    why:
      "A slow page would sign the thief in again, the very moment after everybody was signed out.",
    async check(t) {
      const storage = await openOwned(t);
      await saveAfterwards(t, storage);
      await lateSaves(t, storage);
    },
  }),
  must("OWNER-08", {
    capabilities: ["owners"],
    sentence:
      "A login under way while the owner's sessions are destroyed is ended with them, or listed.",
    why:
      "A session that is alive and in no list can never be ended by its owner.",
    async check(t) {
      await loginsUnderWay(t, await openOwned(t));
    },
  }),
  must("OWNER-09", {
    capabilities: ["owners"],
    sentence: "Owners are told apart byte for byte, and any text can name one.",
    why:
      "Where two names are taken for one, a stranger lists and ends the other's sessions.",
    async check(t) {
      const storage = await openOwned(t);
      const nobody = await t.visitor(storage);
      await nobody.visit((r) => r.set("device", "nobody's"));
      const owners: [string, Visitor][] = [];
      for (const name of OWNER_NAMES) {
        owners.push([name, await signIn(t, storage, name)]);
      }
      for (const name of OWNER_NAMES) {
        await listed(
          t,
          storage,
          name,
          ["laptop"],
          "an owner's name is mistaken",
        );
      }
      // An empty name may be refused; it means neither everybody nor nobody.
      await t.refuses(() => storage.owners.destroy(""));
      for (const [i, [name, visitor]] of owners.entries()) {
        if (i % 2 === 0) continue;
        await storage.owners.destroy(name);
        await ended(t, visitor, visitor.cookie, "a session outlives its end");
      }
      for (const [i, [, visitor]] of owners.entries()) {
        if (i % 2 === 0) await alive(t, visitor, "a stranger ended it");
      }
      const left = (await nobody.request()).get("device");
      t.equal(left, "nobody's", "a stranger ended nobody's session");
    },
  }),
  must("OWNER-10", {
    capabilities: ["owners", "faults"],
    sentence:
      "A failing engine is an error and no empty list; what it kept from being ended can be ended later, and so can a login that failed.",
    why:
      "Support would tell the visitor that all sessions are ended, while the thief's lives on.",
    async check(t) {
      const storage = await openOwned(t);
      await failToList(t, storage);
      await failToEnd(t, storage);
      await failToSignIn(t, storage);
    },
  }),
  must("OWNER-11", {
    capabilities: ["owners"],
    sentence:
      "Logins of one owner at the same time are all listed, and all ended together.",
    why:
      "Of two devices that sign in at once, one would be in no list: its owner never sees it, and can never sign it out.",
    async check(t) {
      await loginsAtOnce(t, await openOwned(t));
    },
  }),
  must("OWNER-12", {
    capabilities: ["owners"],
    sentence:
      "A list marks the session that asks as current, and no other: by the session, also one with a new id, or by its id; for nobody and for a stranger it marks none.",
    why:
      "Whoever signs out what they do not know signs out themselves, or spares the thief in their place.",
    async check(t) {
      await marksWhoAsks(t, await openOwned(t));
    },
  }),
];
