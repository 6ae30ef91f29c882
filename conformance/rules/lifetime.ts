/**
 * EXPIRY: without a timeout, the `maxAge` of its cookie is a session's lifetime.
 *
 * @module
 */
import type { OpenStorage } from "../trial/open_storage.ts";
import type { Trial } from "../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../trial/visitor.ts";
import { Deadline } from "./support/deadline.ts";
import { must, type Rule } from "./support/rule.ts";

const DAY = 24 * 60 * 60;
/** After the last second that a signed number of 32 bits can count, in milliseconds. */
const AFTER_2038 = 2 ** 31 * 1000 + 30 * DAY * 1000;

export const lifetime: readonly Rule[] = [
  must("EXPIRY-14", {
    since: "2026.2",
    capabilities: ["lifetime"],
    timed: true,
    sentence:
      "A session can be read until the maxAge of its cookie has passed.",
    why: "The browser still sends the cookie, and the visitor's cart is gone.",
    async check(t) {
      for (const maxAge of t.leaps ? [t.lifetime, 30 * DAY] : [t.lifetime]) {
        const visitor = await t.visitor(await t.open({ maxAge }));
        const deadline = await Deadline.of(t, maxAge, () => signIn(visitor));
        await deadline.approach();
        const next = await visitor.request();
        deadline.ahead(
          next.has("userId"),
          `with a maxAge of ${maxAge} s, the session expired before that`,
        );
        t.equal(next.get("userId"), "u1", "its data is changed");
      }
    },
  }),
  must("EXPIRY-15", {
    since: "2026.2",
    capabilities: ["lifetime"],
    timed: true,
    sentence:
      "Once the maxAge of its cookie has passed, a session cannot be read, even if the client still sends the cookie.",
    why:
      "A browser forgets the cookie; whoever copied it does not. Without an end of its own, a stolen cookie works for ever.",
    async check(t) {
      for (const maxAge of t.leaps ? [t.lifetime, 30 * DAY] : [t.lifetime]) {
        const storage = await t.open({ maxAge });
        const [visitor, changed] = [
          await t.visitor(storage),
          await t.visitor(storage),
        ];
        const deadline = await Deadline.of(t, maxAge, async () => {
          await signIn(visitor);
          await signIn(changed);
          await changed.visit((r) => r.set("n", 1));
        });
        await deadline.pass();
        t.ok(
          !(await visitor.request()).has("userId"),
          `with a maxAge of ${maxAge} s, the session can be read after that`,
        );
        t.ok(
          !(await changed.request()).has("userId"),
          `with a maxAge of ${maxAge} s, a session that was saved again can be read after that`,
        );
      }
    },
  }),
  must("EXPIRY-16", {
    since: "2026.2",
    capabilities: ["lifetime"],
    timed: true,
    sentence:
      "Each save lets a session live for the maxAge of its cookie again, and no longer.",
    why:
      "A save renews the cookie in the browser. If the record keeps the deadline of the first save, a visitor who uses the site every day is signed out all the same.",
    async check(t) {
      const storage = await openFor(t);
      // One is read before the deadline, and the other only after it, since a read may count as use.
      const [before, after] = [
        await t.visitor(storage),
        await t.visitor(storage),
      ];
      const visitors = [before, after];
      let deadline = await Deadline.of(t, t.lifetime, async () => {
        for (const visitor of visitors) await signIn(visitor);
      });
      for (let i = 0; i < 3; i++) {
        // Read early and saved late, so that only the save can move the deadline.
        const requests: VisitorRequest[] = [];
        for (const visitor of visitors) requests.push(await visitor.request());
        await deadline.approach();
        deadline = await Deadline.of(t, t.lifetime, async () => {
          for (const request of requests) {
            request.set("visits", i);
            await request.save();
          }
        }, deadline);
      }
      await deadline.approach();
      const next = await before.request();
      deadline.ahead(
        next.has("userId"),
        "a save did not move the deadline",
      );
      t.equal(next.get("visits"), 2, "the changes are lost");
      await deadline.pass();
      t.ok(
        !(await after.request()).has("userId"),
        "after several saves, the session can be read after its deadline",
      );
    },
  }),
  must("EXPIRY-17", {
    since: "2026.2",
    capabilities: ["lifetime"],
    timed: true,
    sentence: "After January 2038, sessions live as long as before.",
    why:
      "A deadline in seconds does not fit into a signed column of 32 bits then. A site would sign everybody out on one day, or nobody ever again.",
    async check(t) {
      if (!t.exact) t.notApplicable("its clock cannot move to 2038");
      await t.advance(Math.max(0, AFTER_2038 - t.now()));
      const storage = await openFor(t);
      const [before, after] = [
        await t.visitor(storage),
        await t.visitor(storage),
      ];
      const deadline = await Deadline.of(t, t.lifetime, async () => {
        for (const visitor of [before, after]) await signIn(visitor);
      });
      await deadline.approach();
      t.equal(
        (await before.request()).get("userId"),
        "u1",
        "after 2038, a session cannot be read before its deadline",
      );
      await deadline.pass();
      t.ok(
        !(await after.request()).has("userId"),
        "after 2038, a session can be read after its deadline",
      );
    },
  }),
];

async function openFor(t: Trial): Promise<OpenStorage> {
  return await t.open({ maxAge: t.lifetime });
}

async function signIn(visitor: Visitor): Promise<void> {
  await visitor.visit((r) => r.set("userId", "u1"));
}
