import { must } from "../rule.ts";
import type { DraftedRule } from "../rule.ts";
import type { EngineTrial } from "../engine_trial.ts";
import type { OpenEngine } from "../open_engine.ts";

/** Versions, and calls that expect one. */
export const versions: readonly DraftedRule[] = [
  must("ENGINE-10", {
    needs: ["compareAndSet"],
    sentence:
      "A write that expects the stored version succeeds, whether `read` returned the version or the last write did.",
    why:
      "A request that saves twice uses the version of its own first save. If that is not accepted, the second save fails.",
    async check(e, a) {
      const key = e.key();
      let version = await a.write(key, "[0]", { expires: e.soon });
      for (let n = 1; n <= 4; n++) {
        // In turn: the version that the write returned, and the version that is read.
        if (n % 2 === 0) {
          const want = { value: `[${n - 1}]` };
          const record = await e.holds(a, key, want, "a record is not found");
          version = record.version;
        }
        const expires = e.soon;
        const value = `[${n}]`;
        const next = await a.write(key, value, { expires, ifVersion: version });
        e.trial.ok(
          next !== null,
          n % 2 === 0
            ? "a write that expects the version that read() returned is refused"
            : "a write that expects the version that write() returned is refused",
        );
        await e.holds(a, key, { value, expires }, "a write is lost");
        version = next;
      }
    },
  }),
  must("ENGINE-11", {
    needs: ["compareAndSet"],
    sentence:
      "A write that expects a version returns `null` and changes nothing, if another version is stored or the record is missing.",
    why:
      "Otherwise the slower of two requests undoes the other, or a save after a logout brings the session back.",
    async check(e, a) {
      const key = e.key();
      const stale = await a.write(key, "[1]", { expires: e.soon });
      const expires = e.soon;
      await a.write(key, "[2]", { expires });
      await isRefused(e, a, key, stale, "a stale version");
      const want = { value: "[2]", expires };
      const record = await e.holds(
        a,
        key,
        want,
        "a refused write left its mark",
      );
      await a.delete(key);
      for (const version of [stale, record.version]) {
        await isRefused(e, a, key, version, "the version of a deleted record");
        await e.holds(a, key, null, "a write brought a deleted record back");
      }
      const never = e.key();
      await isRefused(e, a, never, stale, "the version of another record");
      await e.holds(a, never, null, "a refused write stored a record");
    },
  }),
  must("ENGINE-12", {
    needs: ["compareAndSet"],
    sentence:
      "A write with `ifVersion: null` succeeds only if the record is missing; otherwise it returns `null` and changes nothing.",
    why:
      "The session storage creates sessions and the lists of their owners so. If two creations succeed, one is lost.",
    async check(e, a) {
      const key = e.key();
      const expires = e.soon;
      for (const [i, what] of ["new", "deleted"].entries()) {
        const value = `[${i}]`;
        const created = await a.write(key, value, { expires, ifVersion: null });
        e.trial.ok(
          created !== null,
          `a write with ifVersion: null is refused, although the record is ${what}`,
        );
        await e.holds(a, key, { value, expires }, "a new record is not stored");
        await isRefused(e, a, key, null, "null");
        const again = "a write with ifVersion: null changed a stored record";
        await e.holds(a, key, { value, expires }, again);
        await a.delete(key);
        await e.holds(a, key, null, "a deleted record is there");
      }
    },
  }),
  must("ENGINE-13", {
    needs: ["compareAndSet"],
    sentence:
      "`delete` deletes the version that it expects; if another is stored, it returns `false` and changes nothing.",
    why:
      "A login is taken back so if it fails half-way. Without the condition, another request's change would be deleted too.",
    async check(e, a) {
      const key = e.key();
      const stale = await a.write(key, "[1]", { expires: e.soon });
      const expires = e.soon;
      const version = await a.write(key, "[2]", { expires });
      const cases = [["a stale version", stale], ["null", null]] as const;
      for (const [what, ifVersion] of cases) {
        const deleted = await a.delete(key, { ifVersion });
        const want = { value: "[2]", expires };
        const lost = `delete() that expects ${what} changed the record`;
        await e.holds(a, key, want, lost);
        e.trial.ok(
          !deleted,
          `delete() that expects ${what} returned true, but the record is there`,
        );
      }
      const done = await a.delete(key, { ifVersion: version });
      e.trial.ok(
        done,
        "delete() that expects the stored version returned false",
      );
      await e.holds(a, key, null, "a deleted record is there");
      const twice = await a.delete(key, { ifVersion: version });
      e.trial.ok(
        !twice,
        "of two deletes that expect the same version, both returned true",
      );
    },
  }),
  must("ENGINE-14", {
    needs: ["compareAndSet"],
    sentence:
      "Every write of a key has another version, and no version comes back: not for an equal value, within one millisecond, after a delete, or in another instance.",
    why:
      "A version that comes back makes a stale change look current: a change that another request has saved is lost.",
    async check(e, a) {
      const b = e.has("shared", a) ? await e.open(a.namespace) : a;
      const expires = e.soon;
      const set = (at: OpenEngine, key: string, value: string) => () =>
        at.write(key, value, { expires });
      for (const [name, steps] of Object.entries(HISTORIES)) {
        // The trace of a failure does not include the histories that passed.
        const { lines } = e.trial.trace;
        const before = lines.length;
        const key = e.key();
        const old: unknown[] = [];
        for (const step of steps) {
          const [at, value] = step.split(":") as ["a" | "b", string];
          const engine = at === "a" ? a : b;
          if (value === "delete") await engine.delete(key);
          else old.push(await set(engine, key, value)());
        }
        const now = old.pop();
        const what = `a version came back, ${name}`;
        for (const version of old) {
          const repeated = typeof version !== "object" && version === now;
          e.trial.ok(!repeated, what);
          const options = { expires, ifVersion: version };
          e.trial.ok(await a.write(key, "[3]", options) === null, what);
        }
        lines.length = before;
      }
    },
  }),
];

/** What is written, by which instance. The versions of all writes but the last must not be accepted afterwards. */
const HISTORIES: Readonly<Record<string, readonly string[]>> = {
  "for an equal value": ["a:[1]", "a:[1]"],
  "for a value that was stored before": ["a:[1]", "a:[2]", "a:[1]"],
  "for writes in quick succession": ["a:[1]", "a:[2]", "a:[3]", "a:[4]"],
  "after a delete": ["a:[1]", "a:delete", "a:[2]"],
  "after two deletes": ["a:[1]", "a:[2]", "a:delete", "a:[1]", "a:[2]"],
  "in another instance": ["a:[1]", "b:[2]"],
  "in another instance, after a delete": ["a:[1]", "b:delete", "b:[1]"],
};

async function isRefused(
  e: EngineTrial,
  a: OpenEngine,
  key: string,
  ifVersion: unknown,
  what: string,
): Promise<void> {
  const version = await a.write(key, "[9]", { expires: e.soon, ifVersion });
  e.trial.ok(
    version === null,
    `a write that expects ${what} succeeds, although it must not`,
  );
}
