/**
 * SHARED: several instances of a storage over one engine, as on a site with several servers.
 *
 * @module
 */
import type { Trial } from "../trial/trial.ts";
import type { VisitorRequest } from "../trial/visitor.ts";
import { type Instance, Pair } from "./support/pair.ts";
import { Deadline } from "./support/deadline.ts";
import { must, type Rule } from "./support/rule.ts";

export const instances: readonly Rule[] = [
  must("SHARED-01", {
    since: "2026.2",
    capabilities: ["shared"],
    sentence:
      "An instance that has read a session reads what another instance saved in it since.",
    why:
      "The next request may reach another server. It must not show the cart of a minute ago, nor save it over the newer one.",
    async check(t) {
      const pair = await Pair.open(t);
      await pair.at("one", (r) => r.set("userId", "u1"));
      await pair.at("two", (r) =>
        t.equal(
          r.get("userId"),
          "u1",
          "the second instance does not read the session",
        ));
      for (let i = 0; i < 2; i++) {
        const [here, there] = i % 2 === 0
          ? ["one", "two"] as const
          : ["two", "one"] as const;
        await pair.at(here, (r) => r.set("count", i));
        await pair.at(there, (r) => {
          t.equal(
            r.get("count"),
            i,
            `instance ${there} does not read what instance ${here} changed`,
          );
          r.set(`seen${i}`, true);
        });
        await pair.at(here, (r) => {
          t.equal(
            [r.get("userId"), r.get("count"), r.get(`seen${i}`)],
            ["u1", i, true],
            "a change of one instance undoes that of the other",
          );
          r.unset("count");
        });
        await pair.at(there, (r) =>
          t.equal(
            r.get("count"),
            undefined,
            `instance ${there} reads a value that instance ${here} removed`,
          ));
      }
    },
  }),
  must("SHARED-02", {
    since: "2026.2",
    capabilities: ["shared"],
    sentence:
      "A flash that one instance saved can be read at another that knew the session, and once only.",
    why:
      "A form is sent to one server and the next page comes from another: its message must be there, and must not appear again.",
    async check(t) {
      const pair = await Pair.open(t);
      await pair.at("one", (r) => r.set("userId", "u1"));
      for (const [here, there] of [["one", "two"], ["two", "one"]] as const) {
        await pair.at(there, (r) => void r.get("userId"));
        await pair.at(here, (r) => r.flash("notice", `from ${here}`));
        await pair.at(there, (r) =>
          t.equal(
            r.get("notice"),
            `from ${here}`,
            `instance ${there} does not read the flash of instance ${here}`,
          ));
        await pair.at(here, (r) =>
          t.equal(
            r.get("notice"),
            undefined,
            `instance ${here} reads a flash again that instance ${there} consumed`,
          ));
      }
    },
  }),
  must("SHARED-03", {
    since: "2026.2",
    capabilities: ["shared", "revoke"],
    sentence:
      "Once one instance has destroyed a session, no other instance reads it, not even one that just did.",
    why:
      "A visitor signs out at one server. The others must not keep them signed in.",
    async check(t) {
      for (const [here, there] of [["one", "two"], ["two", "one"]] as const) {
        const pair = await Pair.open(t);
        await pair.at("one", (r) => r.set("userId", "u1"));
        const { cookie } = pair;
        await pair.at(there, (r) => void r.get("userId"));
        await (await pair.request(here)).destroy();
        await t.settle();
        const replay = await pair.request(there, cookie);
        t.ok(
          !replay.has("userId"),
          `instance ${there} reads a session that instance ${here} destroyed`,
        );
      }
    },
  }),
  must("SHARED-04", {
    since: "2026.2",
    capabilities: ["shared"],
    sentence:
      "After one instance gave a session a new id, another one reads it by the new id, and with `revoke` not by the old one.",
    why:
      "A login gives a new id. At another server, the visitor would be signed out, or a stolen id from before would work.",
    async check(t) {
      const pair = await Pair.open(t);
      await pair.at("one", (r) => r.set("userId", "u1"));
      const old = pair.cookie;
      await pair.at("two", (r) => void r.get("userId"));
      await pair.at("one", (r) => {
        r.regenerate();
        r.set("theme", "dark");
      });
      const there = await pair.request("two");
      t.equal(
        [there.get("userId"), there.get("theme")],
        ["u1", "dark"],
        "another instance does not read the session by its new id",
      );
      if (!t.claims("revoke")) return;
      t.ok(
        !(await pair.request("two", old)).has("userId"),
        "another instance reads the session by its old id",
      );
    },
  }),
  must("SHARED-05", {
    since: "2026.2",
    capabilities: ["shared"],
    sentence:
      "An instance that was asked for an id before it was stored reads the session afterwards.",
    why:
      "A page and its first script are requested together. An instance that remembers that an id does not exist would sign the visitor out.",
    async check(t) {
      const pair = await Pair.open(t);
      await pair.at("one", (r) => r.set("userId", "u0"));
      // Where the id is the cookie, with or without a name.
      const name = /^[^=]+=/.exec(pair.cookie ?? "")?.[0];
      const first = await Pair.open(t, pair.namespace);
      const request = await first.request("one", null);
      const { id } = request;
      for (const guess of id === "" ? [] : [id, `${name ?? ""}${id}`]) {
        const early = await first.request("two", guess);
        t.ok(!early.has("userId"), "an id that is not stored has data");
      }
      request.set("userId", "u1");
      await request.save();
      await t.settle();
      first.cookie = request.sent.kind === "cookie"
        ? request.sent.cookie
        : null;
      t.equal(
        (await first.request("two")).get("userId"),
        "u1",
        "an instance that looked too early does not read the session",
      );
    },
  }),
  must("SHARED-06", {
    since: "2026.2",
    capabilities: ["shared", "idle"],
    timed: true,
    sentence:
      "An instance sees the deadline that another instance moved, although it knew the earlier one.",
    why:
      "A visitor who uses the site is not idle, whichever servers their requests reach.",
    async check(t) {
      const ways: [what: string, work: (r: VisitorRequest) => void][] = [
        ["saves", (r) => r.set("theme", "dark")],
        ["reads", (r) => void r.get("userId")],
      ];
      for (const [what, work] of ways.slice(0, t.claims("touch") ? 2 : 1)) {
        await moveLater(t, what, work);
      }
      if (t.claims("maxAge")) await moveEarlier(t);
    },
  }),
  must("SHARED-07", {
    since: "2026.2",
    capabilities: ["shared"],
    sentence:
      "After one instance is closed, the others go on working, and a new one can be opened.",
    why:
      "Servers are restarted one after the other. If one that stops takes the connections of the others with it, all requests fail.",
    async check(t) {
      const pair = await Pair.open(t);
      await pair.at("one", (r) => r.set("userId", "u1"));
      await pair.at("two", (r) => void r.get("userId"));
      await pair.pause("one");
      await pair.at("two", (r) => {
        t.equal(
          r.get("userId"),
          "u1",
          "after one instance was closed, another loses the session",
        );
        r.set("theme", "dark");
      });
      const later = await Pair.open(t, pair.namespace);
      later.cookie = pair.cookie;
      const there = await later.request("one");
      t.equal(
        [there.get("userId"), there.get("theme")],
        ["u1", "dark"],
        "an instance that was opened later does not read the session",
      );
    },
  }),
  must("SHARED-08", {
    since: "2026.2",
    capabilities: ["shared", "merge"],
    sentence:
      "Overlapping requests to two instances that change different keys both keep their changes.",
    why:
      "Two tabs of one visitor reach two servers. Neither may undo what the other did.",
    async check(t) {
      const pair = await Pair.open(t);
      await pair.at("one", (r) => r.set("userId", "u1"));
      for (const [order, saves] of OVERLAPS) {
        const requests: VisitorRequest[] = [];
        for (const where of order) {
          const request = await pair.request(where);
          request.set(`from ${where}`, `${order[0]} ${saves}`);
          requests.unshift(request);
        }
        if (saves === "at once") {
          await Promise.all(requests.map((request) => request.save()));
        } else for (const request of requests) await request.save();
        await t.settle();
        for (const where of order) {
          const next = await pair.request(where);
          t.equal(
            [next.get("userId"), next.get("from one"), next.get("from two")],
            ["u1", `${order[0]} ${saves}`, `${order[0]} ${saves}`],
            "a change of one instance undoes that of the other",
          );
        }
      }
    },
  }),
];

/** Which instance's request begins first, and whether the last one's save ends before the first one's begins. */
const OVERLAPS: readonly (readonly [
  readonly [Instance, Instance],
  "in turn" | "at once",
])[] = [
  [["one", "two"], "in turn"],
  [["two", "one"], "in turn"],
  [["one", "two"], "at once"],
  [["two", "one"], "at once"],
];

/** One instance moves a deadline twice, and the other one reads the session after the first two deadlines. */
async function moveLater(
  t: Trial,
  what: string,
  work: (request: VisitorRequest) => void,
): Promise<void> {
  const pair = await Pair.open(t, undefined, { idleTimeout: t.lifetime });
  const sign = () => pair.at("one", (r) => r.set("userId", "u1"));
  let deadline = await Deadline.of(t, t.lifetime, sign);
  // The other instance only looks once, so that it does not move the deadline itself.
  await pair.request("two");
  for (let i = 0; i < 2; i++) {
    await deadline.approach();
    deadline = await Deadline.of(
      t,
      t.lifetime,
      () => pair.at("one", work),
      deadline,
    );
  }
  await deadline.approach();
  const there = await pair.request("two");
  deadline.ahead(
    there.has("userId"),
    `a request that ${what} at one instance does not move the deadline at another`,
  );
}

/** One instance makes a long session short, and the other one reads it after its new deadline. */
async function moveEarlier(t: Trial): Promise<void> {
  const pair = await Pair.open(t);
  await pair.at("one", (r) => r.set("userId", "u1"), 100 * t.lifetime);
  await pair.request("two");
  const deadline = await Deadline.of(
    t,
    t.lifetime,
    () => pair.at("one", (r) => r.set("n", 1), t.lifetime),
  );
  await deadline.pass();
  t.ok(
    !(await pair.request("two")).has("userId"),
    "a session that one instance made short can be read at another after its deadline",
  );
}
