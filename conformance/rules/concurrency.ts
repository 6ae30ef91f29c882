/**
 * CONC: when requests of one visitor overlap, none undoes what another did.
 *
 * @module
 */
import type { OpenStorage } from "../trial/open_storage.ts";
import type { Trial } from "../trial/trial.ts";
import type { Visitor, VisitorRequest } from "../trial/visitor.ts";
import { headStarts, settled } from "./support/head_starts.ts";
import { must, type Rule } from "./support/rule.ts";

export const concurrency: readonly Rule[] = [
  must("CONC-01", {
    capabilities: ["revoke"],
    sentence: "A late save never restores a destroyed session.",
    why:
      "Otherwise a slow page that loads during the logout signs the visitor in again.",
    async check(t) {
      const works = [change, regenerate, () => {}];
      for (const parallel of [false, true]) {
        for (const work of works) {
          const visitor = await signedIn(t);
          const old = visitor.cookie;
          const slow = await visitor.request();
          const leaving = await visitor.request();
          tolerate(t, work, slow);
          await inOrder(parallel, [
            () => leaving.destroy(),
            () => slow.save(),
          ]);
          await t.settle();
          await readsEmpty(
            t,
            visitor,
            old,
            "the destroyed session can be read again",
          );
          const { sent } = slow;
          if (sent.kind !== "cookie") continue;
          const late = sent.cookie;
          await readsEmpty(
            t,
            visitor,
            late,
            "the data of the destroyed session can be read under another id",
          );
        }
      }
      if (t.claims("merge")) await leaveMeanwhile(t);
    },
  }),
  must("CONC-02", {
    capabilities: ["revoke"],
    sentence:
      "After a new id, a late save never makes the old id valid again, does not change the new session, and sends no cookie.",
    why:
      "Otherwise an id that was planted before the login works again; or the login is lost, because the old record or the old cookie replaces the new one.",
    async check(t) {
      const works = [change, (r: VisitorRequest) => r.flash("notice", "Late")];
      const cases = works.flatMap((work) => [
        { work, parallel: false },
        { work, parallel: true },
      ]);
      for (const { work, parallel } of cases) {
        const visitor = await signedIn(t);
        const old = visitor.cookie;
        const slow = await visitor.request();
        const login = await visitor.request();
        login.regenerate();
        login.set("role", "admin");
        work(slow);
        await inOrder(parallel, [() => login.save(), () => slow.save()]);
        await t.settle();
        await readsEmpty(t, visitor, old, "the old id is valid again");
        t.equal(
          login.sent.kind,
          "cookie",
          "the login does not send the new id",
        );
        if (login.sent.kind !== "cookie") return;
        const next = await visitor.request(login.sent.cookie);
        t.equal(next.get("role"), "admin", "the session of the new id is lost");
        t.equal(next.get("userId"), "u1", "the session of the new id is lost");
        // If both run at the same time, either can be the late one.
        if (parallel) continue;
        const { kind } = slow.sent;
        t.equal(kind, "nothing", "the late save sends or clears a cookie");
      }
    },
  }),
  must("CONC-03", {
    moves: true,
    sentence:
      "A request that only reads never overwrites what another request wrote in the meantime.",
    why: "Otherwise a page that polls undoes a purchase in another tab.",
    async check(t) {
      const visitor = await signedIn(t);
      const reader = await visitor.request();
      const writer = await visitor.request();
      t.equal(reader.get("userId"), "u1", "a saved value is missing");
      writer.set("cart", ["tea"]);
      await writer.save();
      await reader.save();
      await t.settle();
      const next = await visitor.request();
      t.equal(
        next.get("cart"),
        ["tea"],
        "the request that only reads undid the write",
      );
      await readerThatSlides(t);
    },
  }),
  must("CONC-04", {
    sentence:
      "A read during writes returns one complete state, the old or the new.",
    why: "Half a record is a corrupt session, or a mixture of two states.",
    async check(t) {
      const visitor = await t.visitor();
      const fill = (r: VisitorRequest, n: number) => {
        for (const key of KEYS) r.set(key, `${n}`.repeat(200));
      };
      await visitor.visit((r) => fill(r, 0));
      const { cookie } = visitor;
      for (let round = 1; round < 6; round++) {
        const writer = await visitor.request();
        fill(writer, round);
        const writing = writer.save();
        const reads = Array.from({ length: 4 }, async (_, turns) => {
          // Each begins slightly later than the one before.
          for (let i = 0; i < turns * 3; i++) await null;
          return await visitor.request(cookie);
        });
        const seen = await settled([...reads, writing.then(() => undefined)]);
        for (const request of seen) {
          if (request) {
            isWhole(t, request, "a read returned parts of two writes");
          }
        }
      }
    },
  }),
  must("CONC-05", {
    sentence: "Sessions that are saved in parallel are all stored.",
    why:
      "Otherwise, on a busy site, visitors who arrive at the same time lose their sessions.",
    async check(t) {
      const visitors = [];
      for (let i = 0; i < 12; i++) visitors.push(await t.visitor());
      await settled(
        visitors.map((v, i) => v.visit((r) => r.set("userId", `u${i}`))),
      );
      await settled(
        visitors.map((v, i) => v.visit((r) => r.set("visits", i))),
      );
      await t.settle();
      for (const [i, visitor] of visitors.entries()) {
        const next = await visitor.request();
        t.equal(next.get("userId"), `u${i}`, "a session is lost or mixed up");
        t.equal(next.get("visits"), i, "a session is lost or mixed up");
      }
    },
  }),
  must("CONC-06", {
    sentence:
      "If parallel saves of one session are not merged, the complete state of one of them is stored.",
    why:
      "A mixture of two requests is a state that no request produced, such as a total without its items.",
    async check(t) {
      if (t.claims("merge")) {
        t.notApplicable("it claims merge; CONC-07 and CONC-08 apply instead");
      }
      for (const parallel of [false, true]) {
        for (let round = 0; round < 5; round++) {
          const visitor = await t.visitor();
          await visitor.visit((r) => KEYS.forEach((key) => r.set(key, "0")));
          const writers = [await visitor.request(), await visitor.request()];
          // Both write every key, so that every mixture is visible.
          writers.forEach((r, n) => {
            const keys = n === 0 ? KEYS : [...KEYS].reverse();
            for (const key of keys) r.set(key, `${n + 1}`);
          });
          await inOrder(parallel, writers.map((r) => () => r.save()));
          await t.settle();
          const next = await visitor.request();
          const seen = isWhole(t, next, "the stored state mixes two saves");
          t.ok(seen !== "0", "the changes of both saves are lost");
        }
      }
    },
  }),
  must("CONC-07", {
    capabilities: ["merge"],
    sentence:
      "When overlapping requests change different keys, all changes are stored.",
    why:
      "Otherwise two tabs, or two requests of one page, lose each other's changes.",
    async check(t) {
      for (const parallel of [false, true]) {
        const visitor = await t.visitor();
        await visitor.visit((r) => {
          r.set("userId", "u1");
          r.set("coupon", "SPRING");
        });
        const works: ((r: VisitorRequest) => void)[] = [
          (r) => r.set("cart", ["tea"]),
          (r) => r.unset("coupon"),
          (r) => r.flash("notice", "Saved"),
          (r) => r.set("theme", "dark"),
        ];
        const requests = [];
        for (const work of works) {
          const request = await visitor.request();
          work(request);
          requests.push(request);
        }
        const saves = t.random.shuffle(requests);
        await inOrder(parallel, saves.map((r) => () => r.save()));
        await t.settle();
        const next = await visitor.request();
        t.equal(next.get("cart"), ["tea"], "a set is lost");
        t.equal(next.get("theme"), "dark", "a set is lost");
        t.ok(!next.has("coupon"), "an unset is lost");
        t.equal(next.get("notice"), "Saved", "a flash is lost");
        t.equal(
          next.get("userId"),
          "u1",
          "a key that no request changed is lost",
        );
      }
    },
  }),
  must("CONC-08", {
    capabilities: ["merge"],
    sentence:
      "When overlapping requests change the same key, the last save applies, whether it sets or unsets it.",
    why:
      "The visitor expects the state of the last answer. A lost unset restores removed items.",
    async check(t) {
      const set = (n: number) => (r: VisitorRequest) => r.set("seat", n);
      const unset = (r: VisitorRequest) => r.unset("seat");
      const cases = [
        { first: set(2), last: set(3), want: 3 },
        { first: set(2), last: unset, want: undefined },
        { first: unset, last: set(3), want: 3 },
      ];
      for (const { first, last, want } of cases) {
        for (const swapped of [false, true]) {
          const visitor = await t.visitor();
          await visitor.visit((r) => {
            r.set("userId", "u1");
            r.set("seat", 1);
          });
          const requests = [await visitor.request(), await visitor.request()];
          // The order in which the requests began must not matter.
          if (swapped) requests.reverse();
          const [a, b] = requests as [VisitorRequest, VisitorRequest];
          last(b);
          first(a);
          await a.save();
          await b.save();
          await t.settle();
          const next = await visitor.request();
          t.equal(next.get("seat"), want, "the last save does not apply");
          t.equal(
            next.has("seat"),
            want !== undefined,
            "has() differs from get()",
          );
        }
      }
    },
  }),
  must("CONC-09", {
    capabilities: ["revoke"],
    sentence: "A late save of a destroyed session sends no cookie.",
    why:
      "It would replace the cookie of the visitor who has signed in on that browser since.",
    // Without `revoke`, the cookie is the session, and a save cannot detect that it is late.
    async check(t) {
      const works: ((request: VisitorRequest) => void)[] = [
        change,
        regenerate,
        (r) => r.flash("notice", "Late"),
        (r) => r.unset("coupon"),
        (r) => void r.get("userId"),
      ];
      for (const work of works) {
        const visitor = await signedIn(t);
        await visitor.visit((r) => r.set("coupon", "SPRING"));
        const slow = await visitor.request();
        await (await visitor.request()).destroy();
        tolerate(t, work, slow);
        const sent = await slow.save();
        t.equal(sent.kind, "nothing", "the late save sends or clears a cookie");
      }
    },
  }),
  must("CONC-10", {
    since: "2026.2",
    capabilities: ["revoke", "merge"],
    sentence:
      "A request that sends an id which was just replaced reads an empty session. What it sets is not stored, and it sends no cookie.",
    why:
      "The browser sends the old id until the login's answer arrives. A cookie for an empty session would replace the login's.",
    async check(t) {
      const logins: ((r: VisitorRequest) => void)[] = [
        (r) => r.regenerate(),
        // If the library's sessions do not have it, a new id is enough.
        (r) => r.session.restart ? r.restart(["userId"]) : r.regenerate(),
      ];
      for (const login of logins) {
        const visitor = await signedIn(t);
        const old = visitor.cookie;
        await visitor.visit((r) => {
          login(r);
          r.set("role", "admin");
        });
        await t.settle();
        const { storage, cookie } = visitor;
        const before = await storage.count();
        const late = await visitor.request(old);
        t.ok(!late.has("userId"), "the old id is valid again");
        late.set("cart", ["tea"]);
        late.flash("notice", "Late");
        const { kind } = await late.save();
        t.equal(kind, "nothing", "a request with a replaced id sends a cookie");
        t.equal(
          await storage.count(),
          before,
          "a request with a replaced id stores a session",
        );
        const next = await visitor.request(cookie);
        t.equal(next.get("role"), "admin", "the session of the new id is lost");
        t.ok(
          !next.has("cart") && !next.has("notice"),
          "a request with a replaced id changes the new session",
        );
      }
    },
  }),
];

const KEYS = ["items", "total", "currency"] as const;

async function signedIn(t: Trial): Promise<Visitor> {
  const visitor = await t.visitor();
  await visitor.visit((r) => r.set("userId", "u1"));
  return visitor;
}

function change(request: VisitorRequest): void {
  request.set("visits", 2);
}

function regenerate(request: VisitorRequest): void {
  request.set("visits", 2);
  request.regenerate();
}

/** The works, without a new id if the library's sessions cannot regenerate it. */
function tolerate(
  t: Trial,
  work: (request: VisitorRequest) => void,
  request: VisitorRequest,
): void {
  const able = typeof request.session.regenerateId === "function";
  (work === regenerate && !able ? change : work)(request);
  if (work === regenerate && !able) t.note("it does not have regenerateId()");
}

/** One after the other, or at the same time. */
async function inOrder(
  parallel: boolean,
  calls: (() => Promise<unknown>)[],
): Promise<void> {
  if (parallel) await settled(calls.map((call) => call()));
  else for (const call of calls) await call();
}

async function readsEmpty(
  t: Trial,
  visitor: Visitor,
  cookie: string | null,
  what: string,
): Promise<void> {
  const replay = await visitor.request(cookie);
  for (const key of ["userId", "visits"]) t.ok(!replay.has(key), what);
}

function isWhole(t: Trial, request: VisitorRequest, what: string): unknown {
  const [first, ...others] = KEYS.map((key) => request.get(key));
  t.ok(first !== undefined, "a saved value is missing");
  t.ok(others.every((value) => value === first), what);
  return first;
}

/** Lets a logout and a save of one session overlap, in one instance and in two by turns; either begins slightly earlier. */
async function leaveMeanwhile(t: Trial): Promise<void> {
  // The trace of a failure does not include the runs that passed.
  t.trace.lines.length = 0;
  const here = await t.open();
  const { namespace } = here;
  const there = t.claims("shared") ? await t.open({ namespace }) : here;
  const stage = async (
    work: (request: VisitorRequest) => void,
    storage: OpenStorage,
  ) => {
    const visitor = await signedIn(t);
    const { cookie } = visitor;
    const slow = await visitor.request();
    tolerate(t, work, slow);
    const leaving = await (await t.visitor(storage)).request(cookie);
    const check = async () => {
      await t.settle();
      const { sent } = slow;
      for (const old of [cookie, sent.kind === "cookie" ? sent.cookie : null]) {
        const what = "a save that overlaps with the logout keeps the session";
        await readsEmpty(t, visitor, old, what);
      }
    };
    return { save: () => slow.save(), leave: () => leaving.destroy(), check };
  };
  const lines = t.trace.lines.length;
  for (const work of [change, regenerate]) {
    const measured = await stage(work, here);
    const { lengths, meet } = await headStarts(measured.save);
    for (const [i, length] of t.cases([...lengths.entries()])) {
      for (const saveFirst of [true, false]) {
        t.trace.lines.length = lines;
        const at = (i % 2 === 0) === saveFirst ? here : there;
        const { save, leave, check } = await stage(work, at);
        const [first, second] = saveFirst ? [save, leave] : [leave, save];
        await meet(length, first, second);
        await check();
      }
    }
  }
}

/** Moving a deadline must not write back the data that was read, except in a self-contained cookie. */
async function readerThatSlides(t: Trial): Promise<void> {
  if (!t.exact || !t.claims("touch") || t.claims("selfContained")) return;
  const idleTimeout = t.lifetime;
  const visitor = await t.visitor(await t.open({ idleTimeout }));
  await visitor.visit((r) => r.set("userId", "u1"));
  await t.advance(idleTimeout * 1000 / 2);
  const reader = await visitor.request();
  await visitor.visit((r) => r.set("cart", ["tea"]));
  reader.get("userId");
  await reader.save();
  const next = await visitor.request();
  t.equal(next.get("cart"), ["tea"], "moving the deadline undid the write");
}
