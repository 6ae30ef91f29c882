import { must } from "../rule.ts";
import type { DraftedRule } from "../rule.ts";

/** Deadlines that move without a write. */
export const touch: readonly DraftedRule[] = [
  must("ENGINE-15", {
    needs: ["touch"],
    sentence:
      "`touch` returns `true` and moves the deadline exactly, later or earlier. The value and its version stay.",
    why:
      "Reading a session renews it by `touch`. If that changes the version, a save that is on its way is refused for no reason.",
    async check(e, a) {
      const key = e.key();
      const value = '["é"]';
      const start = e.soon;
      await a.write(key, value, { expires: start });
      const deadlines: Record<string, number> = {
        "later": start + 400_123,
        "a millisecond later": start + 400_124,
        "earlier": start - 1_800_457,
        "400 days ahead": start + 400 * 86_400_000 + 1,
        "past 2038": Date.UTC(2041, 5, 1) + 789,
      };
      for (const [where, expires] of Object.entries(deadlines)) {
        const touched = await a.touch(key, expires);
        e.trial.ok(touched, "touch() returned false for a stored record");
        const what = `touch() moves a deadline, ${where}`;
        await e.holds(a, key, { value, expires }, what);
      }
      if (!e.has("compareAndSet", a)) return;
      const other = e.key();
      const version = await a.write(other, value, { expires: start });
      await a.touch(other, start + 1000);
      const options = { expires: start, ifVersion: version };
      const next = await a.write(other, value, options);
      e.trial.ok(next !== null, "touch() changed the version");
    },
  }),
  must("ENGINE-16", {
    needs: ["touch", "compareAndSet"],
    sentence:
      "`touch` moves the deadline of the version that it expects; if another is stored, it returns `false` and changes nothing.",
    why:
      "A request that read an old state must not renew, or shorten, what another request has saved since.",
    async check(e, a) {
      const key = e.key();
      const stale = await a.write(key, "[1]", { expires: e.soon });
      const expires = e.soon;
      const version = await a.write(key, "[2]", { expires });
      const cases = [["a stale version", stale], ["null", null]] as const;
      for (const [what, ifVersion] of cases) {
        const touched = await a.touch(key, e.soon + 60_000, { ifVersion });
        const want = { value: "[2]", expires };
        const moved = `touch() that expects ${what} changed the record`;
        await e.holds(a, key, want, moved);
        e.trial.ok(
          !touched,
          `touch() that expects ${what} returned true, and moved nothing`,
        );
      }
      // Only its deadline changes, so the same version is expected again.
      for (let n = 0; n < 2; n++) {
        const later = e.soon + 60_000;
        const touched = await a.touch(key, later, { ifVersion: version });
        e.trial.ok(
          touched,
          "touch() that expects the stored version returned false",
        );
        const want = { value: "[2]", expires: later };
        await e.holds(a, key, want, "touch() did not move the deadline");
      }
    },
  }),
  must("ENGINE-17", {
    needs: ["touch"],
    sentence:
      "For a missing record, `touch` returns `false` and stores nothing.",
    why:
      "A page that is read during a logout must not bring the session back, nor take it for alive.",
    async check(e, a) {
      const cases = [["was never written", e.key()], ["was deleted", e.key()]];
      for (const [what, key] of cases as [string, string][]) {
        let options: { ifVersion?: unknown } = {};
        if (what === "was deleted") {
          const version = await a.write(key, "[1]", { expires: e.soon });
          await a.delete(key);
          options = { ifVersion: version };
        }
        for (const given of [undefined, options]) {
          const touched = await a.touch(key, e.soon, given);
          const back = `touch() stored a record that ${what}`;
          await e.holds(a, key, null, back);
          e.trial.ok(
            !touched,
            `touch() returned true for a record that ${what}`,
          );
        }
      }
    },
  }),
];
