/**
 * EXPIRY: a session lasts until its deadline, and no longer.
 *
 * @module
 */
import { HarnessError, Violation } from "../trial/port.ts";
import type { OpenStorage } from "../trial/open_storage.ts";
import type { Trial, TrialOpenOptions } from "../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../trial/visitor.ts";
import { Deadline } from "./support/deadline.ts";
import { readWhileLeaving, readWhileWriting } from "./support/overlap.ts";
import { must, type Rule } from "./support/rule.ts";

const DAY = 24 * 60 * 60;
/** In milliseconds. */
const HOUR = 60 * 60 * 1000;

export const expiry: readonly Rule[] = [
  must("EXPIRY-01", {
    capabilities: ["idle"],
    timed: true,
    sentence: "A session is readable until its deadline.",
    why:
      "A session that ends early costs the visitor a cart or a half-written form.",
    async check(t) {
      const visitor = await t.visitor(
        await t.open({ idleTimeout: t.lifetime }),
      );
      const deadline = await Deadline.of(t, t.lifetime, () => signIn(visitor));
      await deadline.approach();
      const next = await visitor.request();
      deadline.ahead(
        next.has("userId"),
        "the session expired before its deadline",
      );
      t.equal(next.get("userId"), "u1", "its data is changed");
    },
  }),
  must("EXPIRY-02", {
    capabilities: ["idle"],
    timed: true,
    sentence:
      "From the deadline on, reading the session's cookie returns an empty session with another id.",
    why: "Otherwise a visitor stays signed in on a shared computer.",
    async check(t) {
      const storage = await t.open({ idleTimeout: t.lifetime });
      const visitor = await t.visitor(storage);
      let id = "";
      const deadline = await Deadline.of(t, t.lifetime, async () => {
        await signIn(visitor);
        // A read may move the deadline, too.
        ({ id } = await visitor.request());
      });
      const { cookie } = visitor;
      await deadline.pass();
      const next = await visitor.request();
      t.ok(!next.has("userId"), "the session can be read after its deadline");
      t.anotherId(
        "EXPIRY-02",
        next,
        id,
        "the id of the ended session is used again",
      );
      next.set("userId", "u2");
      await next.save();
      const old = await (await t.visitor(storage)).request(cookie);
      t.ok(
        !old.has("userId"),
        "the old cookie reads the next session",
      );
    },
  }),
  must("EXPIRY-03", {
    capabilities: ["idle", "inspect"],
    timed: true,
    sentence:
      "An expired session cannot be read even if the engine still stores its record, nor by an instance that opens later.",
    why:
      "Engines remove expired records hours or days late, and processes restart in between.",
    async check(t) {
      const storage = await t.open({ idleTimeout: t.lifetime });
      const visitor = await t.visitor(storage);
      const deadline = await Deadline.of(t, t.lifetime, () => signIn(visitor));
      t.ok((await storage.inspect.records()).size > 0, "nothing is stored");
      await deadline.pass();
      const held = (await storage.inspect.records()).size > 0;
      t.note(`the engine ${held ? "still stores" : "has removed"} the record`);
      const next = await visitor.request();
      t.ok(
        !next.has("userId"),
        "an expired record that the engine still stores can be read",
      );
      if (!t.claims("shared") && !t.claims("durable")) return;
      if (t.claims("durable")) await storage.pause();
      const later = await t.open({
        namespace: storage.namespace,
        idleTimeout: t.lifetime,
      });
      const there = await (await t.visitor(later)).request(visitor.cookie);
      t.ok(!there.has("userId"), "another instance reads the expired session");
    },
  }),
  must("EXPIRY-04", {
    capabilities: ["idle"],
    timed: true,
    sentence: "Saving a change moves the idle deadline.",
    why: "A visitor in the middle of a purchase is not idle.",
    async check(t) {
      const visitor = await t.visitor(
        await t.open({ idleTimeout: t.lifetime }),
      );
      let deadline = await Deadline.of(t, t.lifetime, () => signIn(visitor));
      for (let i = 0; i < 2; i++) {
        // Read early and saved late, so that only the save can move the deadline.
        const request = await visitor.request();
        request.set("visits", i);
        await deadline.approach();
        deadline = await Deadline.of(
          t,
          t.lifetime,
          () => request.save(),
          deadline,
        );
      }
      await deadline.approach();
      const last = await visitor.request();
      deadline.ahead(
        last.has("userId"),
        "saving a change did not move the deadline",
      );
      t.equal(last.get("visits"), 1, "the changes are lost");
    },
  }),
  must("EXPIRY-05", {
    capabilities: ["idle", "touch"],
    timed: true,
    sentence:
      "A request that only reads moves the idle deadline, and does not rewrite the data.",
    why:
      "A visitor who only reads is not idle, and a slow page must not undo what a faster one saved.",
    async check(t) {
      const storage = await t.open({ idleTimeout: t.lifetime });
      const reader = await t.visitor(storage);
      let deadline = await Deadline.of(t, t.lifetime, () => signIn(reader));
      for (const overlap of [readWhileWriting, readWhileLeaving]) {
        const checks = await overlap(t, storage);
        await deadline.approach();
        const request = await reader.request();
        deadline.ahead(
          request.has("userId"),
          "reading did not move the deadline",
        );
        deadline = await Deadline.of(t, t.lifetime, async () => {
          await request.save();
          for (const check of checks) await check();
        }, deadline);
      }
      await deadline.approach();
      const last = await reader.request();
      deadline.ahead(last.has("userId"), "reading did not move the deadline");
      t.equal(last.get("userId"), "u1", "reading changed the data");
    },
  }),
  must("EXPIRY-06", {
    capabilities: ["idle", "absolute"],
    timed: true,
    sentence:
      "The absolute deadline never moves: not by activity, by a new id or by the maxAge of a commit.",
    why: "It ends a stolen session that the thief keeps in use.",
    async check(t) {
      const lifetimes = {
        idleTimeout: t.lifetime,
        absoluteTimeout: t.lifetime,
      };
      const storage = await t.open(lifetimes);
      const ways: Record<string, (visitor: Visitor) => Promise<unknown>> = {
        "saving a change": (visitor) => visitor.visit((r) => r.set("n", 1)),
        "reading": (visitor) => visitor.visit(),
        "a new id": (visitor) => visitor.visit(newId),
      };
      if (t.claims("maxAge")) {
        ways["a commit with maxAge"] = (visitor) =>
          visitor.visit((r) => r.set("n", 1), { maxAge: 100 * t.lifetime });
      }
      const visitors: [string, Visitor][] = [];
      for (const way of Object.keys(ways)) {
        visitors.push([way, await t.visitor(storage)]);
      }
      const deadline = await Deadline.of(t, t.lifetime, async () => {
        for (const [, visitor] of visitors) await signIn(visitor);
      });
      await deadline.approach();
      for (const [way, visitor] of visitors) {
        deadline.ahead(
          (await visitor.request()).has("userId"),
          "the session expired before the absolute deadline",
        );
        await ways[way]?.(visitor);
      }
      await deadline.pass();
      for (const [way, visitor] of visitors) {
        t.ok(
          !(await visitor.request()).has("userId"),
          `${way} moved the absolute deadline`,
        );
      }
    },
  }),
  must("EXPIRY-07", {
    capabilities: ["maxAge"],
    timed: true,
    sentence:
      'A maxAge or timeout that is zero, negative, very small, infinite or not a number is refused, or the session expires. It never means "for ever".',
    why:
      "Many engines take 0 as no deadline. An application that logs out with a lifetime of 0 would make the session permanent.",
    async check(t) {
      const storage = await t.open({});
      const commit = async (lifetimes: readonly number[]) => {
        const done = [];
        for (const maxAge of lifetimes) {
          const visitor = await t.visitor(storage);
          await signIn(visitor);
          const { cookie } = visitor;
          const request = await visitor.request();
          request.set("visits", 1);
          const refused = await t.refuses(() => request.save({ maxAge }));
          if (!refused) done.push({ maxAge, visitor, cookie });
        }
        return done;
      };
      const expired = await commit([0, -1, -Infinity]);
      await t.advance(t.slack);
      for (const { maxAge, visitor, cookie } of expired) {
        t.ok(
          !(await visitor.request()).has("userId"),
          `a session saved for ${maxAge} s does not expire`,
        );
        t.ok(
          !t.claims("revoke") ||
            !(await visitor.request(cookie)).has("userId"),
          `a session saved for ${maxAge} s can be read by its old cookie`,
        );
      }
      const brief = await commit([1e-3, Number.MIN_VALUE]);
      // At least the shortest lifetime that the engine accepts.
      await t.advance(t.lifetime * 1000 + t.slack);
      for (const { maxAge, visitor } of brief) {
        t.ok(
          !(await visitor.request()).has("userId"),
          `a session saved for ${maxAge} s does not expire`,
        );
      }
      if (!t.leaps) return;
      const endless = await commit([NaN, Infinity]);
      await t.advance(1000 * DAY * 1000);
      for (const { maxAge, visitor } of endless) {
        t.ok(
          !(await visitor.request()).has("userId"),
          `a session saved for ${maxAge} s never expires`,
        );
      }
      if (!t.claims("idle")) return;
      const unbounded = [];
      for (const idleTimeout of [0, NaN]) {
        const visitor = await openedFor(t, idleTimeout);
        if (visitor) unbounded.push({ idleTimeout, visitor });
      }
      await t.advance(1000 * DAY * 1000);
      for (const { idleTimeout, visitor } of unbounded) {
        t.ok(
          !(await visitor.request()).has("userId"),
          `with an idleTimeout of ${idleTimeout} s, a session never expires`,
        );
      }
    },
  }),
  must("EXPIRY-08", {
    capabilities: ["maxAge"],
    timed: true,
    sentence:
      "Sessions with a lifetime of 31 or 400 days can be read until their deadline.",
    why:
      "Memcached takes a number above 30 days for a date in 1970: a visitor who chose Remember me would be signed out at once.",
    async check(t) {
      const storage = await t.open({});
      const visitors: [number, Visitor][] = [];
      for (const days of [31, 400]) {
        const visitor = await t.visitor(storage);
        await visitor.visit((r) => r.set("userId", "u1"), {
          maxAge: days * DAY,
        });
        visitors.push([days, visitor]);
      }
      let today = 0;
      for (const day of t.leaps ? [0, 1, 30, 399] : [0]) {
        if (day > 0) await t.advance((day - today) * DAY * 1000);
        today = day;
        for (const [days, visitor] of visitors) {
          if (days <= day) continue;
          t.equal(
            (await visitor.request()).get("userId"),
            "u1",
            `a session of ${days} days cannot be read after ${day}`,
          );
        }
      }
    },
  }),
  must("EXPIRY-09", {
    capabilities: ["idle"],
    timed: true,
    sentence:
      "If a request reads a session before the deadline and saves it afterwards, the session stays expired.",
    why:
      "Otherwise a request that hangs keeps an expired session and its id in use.",
    async check(t) {
      const storage = await t.open({ idleTimeout: t.lifetime });
      const works: Record<string, (request: VisitorRequest) => void> = {
        "changed it": (r) => r.set("visits", 1),
        "only read it": (r) => void r.get("userId"),
        "gave it a new id": newId,
      };
      const begun: [string, Visitor, VisitorRequest, string | null][] = [];
      const deadline = await Deadline.of(t, t.lifetime, async () => {
        for (const [what, work] of Object.entries(works)) {
          const visitor = await t.visitor(storage);
          await signIn(visitor);
          const { cookie } = visitor;
          const request = await visitor.request();
          work(request);
          begun.push([what, visitor, request, cookie]);
        }
      });
      await deadline.pass();
      for (const [what, visitor, request, cookie] of begun) {
        await t.refuses(() => request.save());
        await t.settle();
        t.ok(
          !(await visitor.request(cookie)).has("userId"),
          `a late save that ${what} makes the old id valid again`,
        );
        t.ok(
          !(await visitor.request()).has("userId"),
          `a late save that ${what} restores the data`,
        );
      }
    },
  }),
  must("EXPIRY-10", {
    capabilities: ["maxAge", "sweep"],
    timed: true,
    sentence:
      "A sweep removes every record that expired more than an hour ago, and no record that has not expired.",
    why:
      "Expired records fill the disk with personal data. If a sweep removes other records, visitors are signed out.",
    async check(t) {
      const storage = await t.open({});
      const alive = await t.visitor(storage);
      await alive.visit((r) => r.set("userId", "u1"), { maxAge: 100 * DAY });
      const before = await storage.records();
      const expired = [await t.visitor(storage), await t.visitor(storage)];
      const deadline = await Deadline.of(t, t.lifetime, async () => {
        for (const visitor of expired) {
          await visitor.visit((r) => r.set("userId", "u2"), {
            maxAge: t.lifetime,
          });
        }
      });
      const added = [...(await storage.records())?.keys() ?? []]
        .filter((key) => !before?.has(key));
      await deadline.approach();
      await storage.sweep();
      for (const visitor of expired) {
        deadline.ahead(
          (await visitor.request()).has("userId"),
          "a sweep removes a session before its deadline",
        );
      }
      await deadline.pass();
      // Another server's clock can be behind, so a record may be kept for an hour after its deadline.
      if (t.movesTime) await t.advance(2 * HOUR);
      await storage.sweep();
      t.equal(
        (await alive.request()).get("userId"),
        "u1",
        "a sweep removes a live session",
      );
      if (!t.movesTime) return;
      const left = await storage.inspect.records();
      t.ok(
        !added.some((key) => left.has(key)),
        "a sweep does not remove an expired record",
      );
    },
  }),
  must("EXPIRY-11", {
    capabilities: ["maxAge"],
    timed: true,
    sentence:
      "The maxAge of a commit stays with the session, through later saves and a new id.",
    why:
      "A visitor chooses Remember me once. The next page must not forget it, and must not lengthen a short session.",
    async check(t) {
      const storage = await t.open({});
      const [short, renamed, long] = [
        await t.visitor(storage),
        await t.visitor(storage),
        await t.visitor(storage),
      ];
      await long.visit((r) => r.set("userId", "u1"), { maxAge: 100 * DAY });
      const first = await Deadline.of(t, t.lifetime, async () => {
        for (const visitor of [short, renamed]) {
          await visitor.visit((r) => r.set("userId", "u1"), {
            maxAge: t.lifetime,
          });
        }
      });
      await first.approach();
      const second = await Deadline.of(t, t.lifetime, async () => {
        await short.visit((r) => r.set("visits", 1));
        await renamed.visit(newId);
        await long.visit((r) => r.set("visits", 1));
      });
      await second.pass();
      t.ok(
        !(await short.request()).has("userId"),
        "a later save makes a short session long",
      );
      t.ok(
        !(await renamed.request()).has("userId"),
        "a new id makes a short session long",
      );
      if (t.leaps) await t.advance(99 * DAY * 1000);
      t.equal(
        (await long.request()).get("userId"),
        "u1",
        "a later save makes a long session short",
      );
    },
  }),
  must("EXPIRY-12", {
    since: "2026.2",
    capabilities: ["idle"],
    timed: true,
    sentence:
      "Today's timeouts decide about sessions that were saved under others: with a shorter one, an old session has expired; with a longer one, it lasts longer from its next save on.",
    why:
      "After a theft, a site shortens its timeouts. That must not take effect only once the old ones have passed.",
    async check(t) {
      if (!t.claims("shared") && !t.claims("durable")) {
        t.notApplicable("it claims neither shared nor durable");
      }
      const kinds = ["idleTimeout", "absoluteTimeout"] as const;
      for (const kind of kinds.slice(0, t.claims("absolute") ? 2 : 1)) {
        await shorten(t, kind);
        await lengthen(t, kind);
      }
    },
  }),
  must("EXPIRY-13", {
    since: "2026.2",
    capabilities: ["idle", "touch", "shared"],
    timed: true,
    sentence:
      "A request to an instance whose clock is behind does not move a deadline to an earlier instant, whether it reads or saves.",
    why:
      "The clocks of two servers differ. A visitor whose last request reached the slower one must not be signed out early.",
    async check(t) {
      if (!t.exact) {
        t.notApplicable("its clock cannot differ between instances");
      }
      if (t.claims("selfContained")) {
        t.notApplicable("the cookie is the session, and the last one counts");
      }
      const idleTimeout = t.lifetime;
      const storage = await t.open({ idleTimeout });
      const { namespace } = storage;
      const behindMs = idleTimeout * 1000 * 0.9;
      const slow = await t.open({ idleTimeout, namespace, behindMs });
      const works: [string, (r: VisitorRequest) => void][] = [
        ["reads", (r) => void r.get("userId")],
        ["saves", (r) => r.set("visits", 1)],
      ];
      const visitors: [string, Visitor][] = [];
      const deadline = await Deadline.of(t, idleTimeout, async () => {
        for (const [what, work] of works) {
          const visitor = await t.visitor(storage);
          await signIn(visitor);
          const there = await t.visitor(slow);
          there.cookie = visitor.cookie;
          await there.visit(work);
          visitors.push([what, visitor]);
        }
      });
      await deadline.approach();
      for (const [what, visitor] of visitors) {
        t.ok(
          (await visitor.request()).has("userId"),
          `a request that ${what}, by a clock that is behind, ended the session`,
        );
      }
    },
  }),
];

async function signIn(visitor: Visitor): Promise<void> {
  await visitor.visit((r) => r.set("userId", "u1"));
}

/** A visitor of a storage with an invalid timeout; `undefined` if the storage or its target refuses it. */
async function openedFor(
  t: Trial,
  idleTimeout: number,
): Promise<Visitor | undefined> {
  try {
    const visitor = await t.visitor(await t.open({ idleTimeout }));
    await signIn(visitor);
    return visitor;
  } catch (error) {
    if (error instanceof Violation || error instanceof HarnessError) {
      t.note(`a lifetime of ${idleTimeout} s is refused`);
      return undefined;
    }
    throw error;
  }
}

/** A new id, or another change if the library's sessions do not have `regenerateId()`. */
function newId(request: VisitorRequest): void {
  if (request.session.regenerateId) request.regenerate();
  else request.set("n", 1);
}

type Timeout = "idleTimeout" | "absoluteTimeout";

/** Opens a storage again with half of its timeout. */
async function shorten(t: Trial, kind: Timeout): Promise<void> {
  const long = 2 * t.lifetime;
  const { visitor, reopen } = await deploy(t, { [kind]: long });
  await t.advance(t.lifetime * 1000 + t.slack);
  const again = await reopen({ [kind]: t.lifetime });
  const there = await (await t.visitor(again)).request(visitor.cookie);
  t.ok(!there.has("userId"), `with a shorter ${kind}, an old session lives on`);
}

/** Opens a storage again with twice its timeout. */
async function lengthen(t: Trial, kind: Timeout): Promise<void> {
  const deploying = deploy(t, { [kind]: t.lifetime });
  const first = await Deadline.of(t, t.lifetime, () => deploying);
  const { visitor, reopen } = await deploying;
  await t.advance(t.lifetime * 1000 / 4);
  const there = await t.visitor(await reopen({ [kind]: 2 * t.lifetime }));
  there.cookie = visitor.cookie;
  const deadline = await Deadline.of(
    t,
    t.lifetime * 3 / 2,
    () => there.visit((r) => r.set("visits", 1)),
    first,
  );
  await deadline.approach();
  deadline.ahead(
    (await there.request()).has("userId"),
    `with a longer ${kind}, a session that was saved again ended too early`,
  );
}

/** A visitor who is signed in, and a way to open their storage again. */
async function deploy(t: Trial, timeouts: TrialOpenOptions) {
  const storage = await t.open(timeouts);
  const visitor = await t.visitor(storage);
  await signIn(visitor);
  const { namespace } = storage;
  const reopen = async (timeouts: TrialOpenOptions): Promise<OpenStorage> => {
    if (t.claims("durable")) await storage.pause();
    await t.settle();
    return await t.open({ ...timeouts, namespace });
  };
  return { visitor, reopen };
}
