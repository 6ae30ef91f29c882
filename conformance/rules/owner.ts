/**
 * OWNER: an owner can list their sessions and end them.
 *
 * @module
 */
import type { Visitor } from "../trial/visitor.ts";
import { Deadline } from "./support/deadline.ts";
import { OWNER_NAMES } from "./support/hostile_values.ts";
import {
  changeHands,
  changeHandsMeanwhile,
  endOnlyAStrangers,
  endOnlyOne,
  keepAStrangers,
  keepInEachWay,
  marksWhoAsks,
  showsUse,
} from "./support/owner_cases.ts";
import { failToEnd, failToList, failToSignIn } from "./support/owner_faults.ts";
import {
  endsAtOnce,
  lateSaves,
  listWhileRenewing,
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
      "An owner's list has all of their sessions, each with its values and an id of its own, and no other sessions.",
    why:
      "Otherwise an owner who checks where they are signed in misses a device, or sees a stranger's.",
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
            "an owner's list differs from their sessions",
          );
          const ids = new Set(found.map(({ id }) => id));
          t.equal(
            ids.size,
            found.length,
            "two listed sessions have the same id",
          );
        }
      }
    },
  }),
  must("OWNER-02", {
    capabilities: ["owners"],
    sentence: "A list does not contain anything that opens a session.",
    why:
      "Lists are shown and logged. A person who reads one must not be able to sign in with it.",
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
            t.ok(!tells, "a list contains a session's id or cookie");
          }
          const values = [fact];
          if (id !== "" && value.includes(id)) {
            values.push(value.replace(id, () => fact));
          }
          for (const made of values) {
            const stranger = await t.visitor(storage);
            const request = await stranger.request(name + made);
            t.ok(!request.has("userId"), "a value from a list opens a session");
          }
        }
      }
    },
  }),
  must("OWNER-03", {
    capabilities: ["owners", "idle"],
    timed: true,
    sentence:
      "A list shows when each session was created, last used and expires, begins with the one used last, and does not contain expired sessions.",
    why: "These times help owners to recognise their own devices.",
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
      deadline.ahead(
        found.length === 3,
        "a session is missing from the list before its deadline",
      );
      if (t.exact) showsUse(t, found, { begun, used });
      await deadline.pass();
      const left = (await storage.owners.list("u1"))
        .map(({ data }) => String(data["device"]));
      later.ahead(
        left.includes("second"),
        "a session is missing from the list before its deadline",
      );
      const expired = left.filter((device) => device !== "second");
      t.equal(expired, [], "an expired session is listed");
      await later.pass();
      await listed(t, storage, "u1", [], "an ended session is listed");
      t.equal(
        await storage.owners.destroy("u1"),
        0,
        "an expired session is counted as ended",
      );
    },
  }),
  must("OWNER-04", {
    capabilities: ["owners"],
    sentence:
      "Destroying an owner's sessions ends all of them and no others, returns their number, and can be repeated, even at the same time.",
    why:
      "After a password was stolen, the thief's session is one of many, and other users must not be signed out.",
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
      t.equal(
        await elsewhere.owners.destroy("u1"),
        3,
        "not all sessions are ended",
      );
      for (const visitor of mine) {
        const { cookie } = visitor;
        await ended(t, visitor, cookie, "an ended session can be read");
        const request = await visitor.request();
        for (const id of ids) {
          t.anotherId(
            "OWNER-04",
            request,
            id,
            "the id of the ended session is used again",
          );
        }
      }
      await listed(t, storage, "u1", [], "an ended session is listed");
      await alive(t, other, "another owner's session is ended");
      await listed(
        t,
        storage,
        "u2",
        ["laptop"],
        "another owner's session is not listed",
      );
      const left = (await nobody.request()).get("cart");
      t.equal(left, ["tea"], "a session without an owner is ended");
      for (const at of [storage, elsewhere]) {
        t.equal(
          await at.owners.destroy("u1"),
          0,
          "the second call ends sessions",
        );
      }
      const back = await signIn(t, storage, "u1", "laptop again");
      await alive(t, back, "the owner cannot sign in afterwards");
      await listed(
        t,
        storage,
        "u1",
        ["laptop again"],
        "a later login is not listed",
      );
      await endsAtOnce(t, storage);
    },
  }),
  must("OWNER-05", {
    capabilities: ["owners"],
    sentence:
      "destroySessions keeps the session given as except: as the session, also with a new id, by its id, or by its id in the list. If the session has another owner, none is kept.",
    why:
      "Otherwise an owner who changes their password is signed out themselves, or leaves a stranger signed in.",
    async check(t) {
      const storage = await openOwned(t);
      await keepInEachWay(t, storage);
      await keepAStrangers(t, storage);
    },
  }),
  must("OWNER-06", {
    capabilities: ["owners"],
    sentence:
      "After a login, a change, a new id, a change of owner, a logout and a destroy, each live session is in the list of its owner, and in no other list.",
    why:
      "A session that is missing from the list cannot be ended by its owner. One in a wrong list can be ended by a stranger.",
    async check(t) {
      const visitor = await changeHands(t, await openOwned(t));
      if (t.claims("merge")) await changeHandsMeanwhile(t, visitor);
      await (await visitor.request()).destroy();
      for (const userId of ["u1", "u2"]) {
        await listed(
          t,
          visitor.storage,
          userId,
          [],
          "an ended session is listed",
        );
      }
    },
  }),
  must("OWNER-07", {
    capabilities: ["owners"],
    sentence:
      "A late save does not restore a session that its owner has ended, and sends no cookie.",
    why:
      "Otherwise a slow page signs the thief in again, right after all sessions were ended.",
    async check(t) {
      const storage = await openOwned(t);
      await saveAfterwards(t, storage);
      await lateSaves(t, storage);
    },
  }),
  must("OWNER-08", {
    capabilities: ["owners"],
    sentence:
      "A login that overlaps with the destruction of its owner's sessions is ended, or is in the list.",
    why: "Its owner could never end a live session that is not in the list.",
    async check(t) {
      await loginsUnderWay(t, await openOwned(t));
    },
  }),
  must("OWNER-09", {
    capabilities: ["owners"],
    sentence: "Names of owners are compared byte by byte, and can be any text.",
    why:
      "If two names are treated as the same owner, one of them can list and end the other's sessions.",
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
          "a list has the sessions of another owner, or misses some",
        );
      }
      // An empty name may be refused. It must not mean all owners, or sessions without an owner.
      await t.refuses(() => storage.owners.destroy(""));
      for (const [i, [name, visitor]] of owners.entries()) {
        if (i % 2 === 0) continue;
        await storage.owners.destroy(name);
        await ended(t, visitor, visitor.cookie, "an ended session can be read");
      }
      for (const [i, [, visitor]] of owners.entries()) {
        if (i % 2 === 0) {
          await alive(t, visitor, "a stranger ended the session");
        }
      }
      const left = (await nobody.request()).get("device");
      t.equal(left, "nobody's", "a stranger ended a session without an owner");
    },
  }),
  must("OWNER-10", {
    capabilities: ["owners", "faults"],
    sentence:
      "If the engine fails, listing rejects and does not return an empty list. Sessions that could not be ended can be ended later, and a login that failed can be repeated.",
    why:
      "Otherwise support assures the owner that all sessions are ended, although the thief's is not.",
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
      "Logins of one owner at the same time are all listed, and are all ended by one call.",
    why:
      "Otherwise, if two devices sign in at the same time, one is missing from the list, and its owner cannot sign it out.",
    async check(t) {
      await loginsAtOnce(t, await openOwned(t));
    },
  }),
  must("OWNER-12", {
    capabilities: ["owners"],
    sentence:
      "A list marks the session given as current, and no other: as the session, also with a new id, or by its id. Without current, or if the session has another owner, it marks none.",
    why:
      "Otherwise an owner who ends unknown sessions ends their own, or keeps the thief's.",
    async check(t) {
      await marksWhoAsks(t, await openOwned(t));
    },
  }),
  must("OWNER-13", {
    since: "2026.2",
    capabilities: ["owners"],
    sentence:
      "destroySessions with only ends the given session and no other: as the session, also with a new id, by its id, or by its id in the list. If the session has another owner, it ends none.",
    why:
      "An owner who ends a lost phone's session must not sign out the others, nor be able to end a stranger's.",
    async check(t) {
      const storage = await openOwned(t);
      await endOnlyOne(t, storage);
      await endOnlyAStrangers(t, storage);
    },
  }),
  must("OWNER-14", {
    since: "2026.2",
    capabilities: ["owners"],
    sentence:
      "A list that is read while a session takes a new id contains that session.",
    why:
      "Otherwise the thief's session is missing from the list at the moment at which its owner looks.",
    async check(t) {
      await listWhileRenewing(t, await openOwned(t));
    },
  }),
];
