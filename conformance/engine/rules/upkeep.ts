import { must } from "../rule.ts";
import { overlap } from "./races.ts";
import { settled } from "../../rules/support/head_starts.ts";
import type { DraftedRule } from "../rule.ts";
import type { EngineTrial } from "../engine_trial.ts";
import type { OpenEngine } from "../open_engine.ts";

/** Two hours, in milliseconds: later than the deadlines of most records here. */
const LATER = 7_200_000;

/** Sweeps, owners, failures. */
export const upkeep: readonly DraftedRule[] = [
  must("ENGINE-27", {
    needs: ["sweep"],
    sentence:
      "`sweep` removes the records that have expired at its instant, and no others. If it returns a number, that is how many this call removed, also beside another sweep.",
    why:
      "The session storage passes an instant an hour ago, because clocks differ. A sweep by the database's own clock removes live sessions, or nothing. A job logs the number.",
    async check(e, a) {
      // Half a second past a whole one: a deadline that is rounded is on the wrong side.
      const instant = e.soon + LATER + 500;
      // If all namespaces share a table, earlier rules have left records.
      await a.sweep(instant);
      const before = e.key(undefined, "expires 1 ms before the instant");
      const at = e.key(undefined, "expires at the instant");
      const after = e.key(undefined, "expires 1 ms after the instant");
      await a.write(before, "[1]", { expires: instant - 1 });
      await a.write(at, "[1]", { expires: instant });
      await a.write(after, "[1]", { expires: instant + 1 });
      const many = Array.from({ length: 20 }, () => e.key());
      const expires = instant - 60_000;
      // Not in parallel: then the number would depend on what ENGINE-06 tries.
      for (const key of many) await a.write(key, "[1]", { expires });
      const live = e.key();
      await a.write(live, "[1]", { expires: instant + LATER });
      await a.sweep(e.trial.now() - 3_600_000);
      for (const key of [before, at, after, live]) {
        const what = "sweep() removed a record before its deadline";
        await e.holds(a, key, { value: "[1]" }, what);
      }
      const counts = await settled([a.sweep(instant), a.sweep(instant)]);
      for (const key of [after, live]) {
        const what = "sweep() removed a record that had not expired";
        await e.holds(a, key, { value: "[1]" }, what);
      }
      for (const key of [before, at, ...many]) {
        const left = "sweep() left a record that had expired at its instant";
        await e.holds(a, key, null, left);
      }
      if (counts.every((count) => count === undefined)) return;
      e.trial.equal(
        counts.reduce<number>((sum, count = 0) => sum + count, 0),
        2 + many.length,
        "the numbers that two sweeps returned are not how many records they removed",
      );
    },
  }),
  must("ENGINE-28", {
    needs: ["sweep"],
    sentence: "A record whose deadline moves during a sweep is not removed.",
    why:
      "A sweep takes a while. If it removes by a list that it read before, it signs out the visitors who came back in that moment.",
    async check(e, a) {
      for (const change of ["write", "touch"] as const) {
        if (change === "touch" && !e.has("touch", a)) continue;
        await overlap(e, a, {
          length: async (key) => {
            await a.write(key, "[1]", { expires: e.soon });
            return () => a.sweep(e.soon + LATER);
          },
          async meet(key, [here, there], meeting) {
            await a.write(key, "[1]", { expires: e.soon });
            const instant = e.soon + LATER;
            const expires = e.soon + 2 * LATER;
            let moved = true;
            await meeting(() => here.sweep(instant), async () => {
              if (change === "write") {
                await there.write(key, "[2]", { expires });
              } else moved = await there.touch(key, expires);
            });
            // The sweep may have been first.
            if (!moved) return;
            await e.holds(
              a,
              key,
              { value: change === "write" ? "[2]" : "[1]", expires },
              `sweep() removed a record that a ${change} renewed meanwhile`,
            );
            // The sweeps of later rounds are as long as the one that was measured.
            await a.delete(key);
          },
        });
      }
    },
  }),
  must("ENGINE-29", {
    needs: ["owned"],
    sentence:
      "`owned` returns the records that were last written with an owner, as `read` returns each, the least recently written first; `touch` does not change their order.",
    why:
      "It lists where a user is signed in. If there are too many sessions, the first of the list are ended.",
    async check(e, a) {
      const owner = e.key(undefined, "the owner");
      const keys = Array.from({ length: 4 }, () => e.key());
      const [one, two, three, four] = keys as [string, string, string, string];
      await isOwned(e, a, owner, [], "an owner without records");
      for (const key of keys) {
        await a.write(key, "[1]", { expires: e.soon, owner });
      }
      await isOwned(e, a, owner, keys, "four records in the order of writing");
      await a.write(two, "[2]", { expires: e.soon, owner });
      const order = [one, three, four, two];
      await isOwned(e, a, owner, order, "a record that was written again");
      if (e.has("touch", a)) {
        await a.touch(one, e.soon + LATER);
        await isOwned(e, a, owner, order, "a record that was touched");
      }
      for (const { key, value, version, expires } of await a.owned(owner)) {
        const what = "owned() returns a record that differs from what is read";
        await e.holds(a, key, { value, expires }, what);
        if (!e.has("compareAndSet", a)) continue;
        const options = { expires: e.soon, owner, ifVersion: version };
        e.trial.ok(
          await a.write(key, value, options) !== null,
          "owned() returns another version than the record has",
        );
      }
      const more = Array.from({ length: 12 }, () => e.key());
      await settled(
        more.map((key) => a.write(key, "[3]", { expires: e.soon, owner })),
      );
      const listed = await a.owned(owner);
      e.trial.equal(
        listed.map(({ key }) => key).sort(),
        [...order, ...more].sort(),
        "owned() does not list all records that were written in parallel",
      );
    },
  }),
  must("ENGINE-30", {
    needs: ["owned"],
    sentence:
      "`owned` leaves out the records that were deleted, or last written with another owner or without one. Owners differ in every character.",
    why:
      "Signing out everywhere ends what is listed. It must not end another user's session, nor show it.",
    async check(e, a) {
      const owner = `aB${e.key().slice(2)}`;
      const others = {
        "whose name begins with the owner's": `${owner}0`,
        "with which the owner's name begins": owner.slice(0, -1),
        "in the other case": `Ab${owner.slice(2)}`,
        "with _ for a letter": `a_${owner.slice(2)}`,
      };
      const keys = Array.from({ length: 4 }, () => e.key());
      const [kept, deleted, moved, left] = keys as [
        string,
        string,
        string,
        string,
      ];
      for (const key of keys) {
        await a.write(key, "[1]", { expires: e.soon, owner });
      }
      const another = e.key();
      await a.delete(deleted);
      await a.write(moved, "[2]", { expires: e.soon, owner: another });
      await a.write(left, "[2]", { expires: e.soon });
      const what = "records that were deleted or written anew";
      await isOwned(e, a, owner, [kept], what);
      await isOwned(e, a, another, [moved], "a record with a new owner");
      for (const [name, other] of Object.entries(others)) {
        const key = e.key();
        await a.write(key, "[3]", { expires: e.soon, owner: other });
        await isOwned(e, a, other, [key], `an owner ${name}`);
      }
      await isOwned(e, a, owner, [kept], "an owner among similar names");
      if (!e.has("compareAndSet", a)) return;
      const options = { expires: e.soon, owner, ifVersion: null };
      await a.write(moved, "[4]", options);
      await isOwned(e, a, owner, [kept], "a write that was refused");
    },
  }),
  must("ENGINE-31", {
    needs: ["faults"],
    // Its hooks may reach the engines of other rules.
    moves: true,
    sentence:
      "If the database fails, the call rejects; it does not return `null`, `false`, `true` or an empty list. Afterwards the same engine works again.",
    why:
      "A failure that looks like a missing record signs the visitor out, and a logout that only looks done leaves the session alive.",
    async check(e, a) {
      const key = e.key();
      const owner = e.key();
      const expires = e.soon;
      const write = (value: string) => a.write(key, value, { expires, owner });
      let version = await write("[1]");
      const move = (name: string) => {
        const from = { key, ifVersion: version, value: "[1]", expires };
        return a.move(e.key(undefined, name), "[2]", { expires, owner, from });
      };
      const moves = e.has("move", a) && e.has("compareAndSet", a) &&
        await move("a record that was moved") !== null;
      version = await write("[1]");
      const cases = [
        { reads: true, writes: false },
        { reads: false, writes: true },
        { reads: true, writes: true },
      ];
      for (const what of cases) {
        const failing: Record<string, () => Promise<unknown>> = {
          ...what.reads ? { read: () => a.read(key) } : {},
          ...what.reads && e.has("owned", a)
            ? { owned: () => a.owned(owner) }
            : {},
          ...what.writes
            ? { write: () => write("[2]"), delete: () => a.delete(key) }
            : {},
          ...what.writes && e.has("touch", a)
            ? { touch: () => a.touch(key, e.soon) }
            : {},
          ...what.writes && moves
            ? { move: () => move("a record that is not moved") }
            : {},
        };
        await a.faults.fail(what);
        e.trial.note(`the database fails: ${JSON.stringify(what)}`);
        for (const [name, call] of Object.entries(failing)) {
          await e.trial.rejects(
            call,
            `${name}() resolves although the database fails`,
          );
        }
        await a.faults.heal();
        e.trial.note("the database works again");
        const lost = "after a failure, a record is not there";
        await e.holds(a, key, { value: "[1]" }, lost);
        version = await write("[1]");
      }
    },
  }),
  must("ENGINE-32", {
    needs: ["owned", "deleteOwned", "compareAndSet"],
    sentence:
      "`deleteOwned` deletes a record if it has the version, the other record exists and the owner has more records than may stay; otherwise it returns `false` and changes nothing. Parallel calls do not delete each other's records, nor more than they may.",
    why:
      "Logins at the same moment each make room for themselves. If two end each other, nobody is signed in; if each ends another one, too few sessions stay.",
    async check(e, a) {
      const owner = e.key(undefined, "the owner");
      let writes = 0;
      const write = async (key: string, of = owner) => {
        const options = { expires: e.soon, owner: of };
        return [key, await a.write(key, `[${++writes}]`, options)] as const;
      };
      const stale = await write(e.key());
      const [old, version] = await write(stale[0]);
      const [own] = await write(e.key());
      await write(e.key(), e.key(undefined, "another owner"));
      const holds = { ifVersion: version, beside: own, most: 1 };
      const refused = {
        "a stale version": { ...holds, ifVersion: stale[1] },
        "another record that is missing": { ...holds, beside: e.key() },
        "more records than there are": { ...holds, most: 2 },
      };
      for (const [what, options] of Object.entries(refused)) {
        const deleted = await a.deleteOwned(owner, old, options);
        const found = await a.read(old) !== null;
        e.trial.ok(
          !deleted && found,
          `deleteOwned() that expects ${what} ${
            found ? "returned true" : "deleted the record"
          }`,
        );
      }
      e.trial.ok(
        await a.deleteOwned(owner, old, holds),
        "deleteOwned() returned false, although its conditions hold",
      );
      await e.holds(a, old, null, "deleteOwned() left the record");
      await isOwned(e, a, owner, [own], "what deleteOwned() left");
      const b = e.has("shared", a) ? await e.open(a.namespace) : a;
      for (const { count, most } of CROWDS) {
        for (let round = 0; round < 5; round++) {
          // The trace of a failure does not include the rounds that passed.
          e.trial.trace.lines.length = 0;
          const crowd = e.key(undefined, "the owner of a crowd");
          const rows: (readonly [string, unknown])[] = [];
          for (let i = 0; i < count; i++) {
            rows.push(await write(e.key(), crowd));
          }
          const calls = rows.map(async ([beside], i) => {
            const [key, ifVersion] = rows[(i + 1) % count] ?? stale;
            const options = { ifVersion, beside, most };
            return await (i % 2 === 0 ? a : b).deleteOwned(crowd, key, options);
          });
          const deleted = (await Promise.all(calls)).filter(Boolean).length;
          const left = (await a.owned(crowd)).length;
          e.trial.ok(
            left >= Math.max(most, 1),
            `of ${count} parallel calls of deleteOwned() that leave ${most}, ${deleted} deleted a record: two have deleted each other's record, or too many did`,
          );
          e.trial.equal(left, count - deleted, "deleteOwned() miscounts");
        }
      }
    },
  }),
];

/** How many records call at once, and how many may stay: each deletes the next one. */
const CROWDS = [{ count: 2, most: 0 }, { count: 2, most: 1 }, {
  ...{ count: 6, most: 3 },
}];

/** Fails unless `owned` returns these keys. */
export async function isOwned(
  e: EngineTrial,
  a: OpenEngine,
  owner: string,
  want: readonly string[],
  what: string,
): Promise<void> {
  const got = await a.owned(owner);
  const name = (key: string) => e.nameOf(key);
  e.trial.equal(
    got.map(({ key }) => name(key)),
    want.map(name),
    `owned() is wrong for ${what}`,
  );
}
