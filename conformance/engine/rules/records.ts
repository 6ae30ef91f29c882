import type { StorageGuarantees } from "../../../storage/contract.ts";
import { received } from "../answers.ts";
import { must } from "../rule.ts";
import { settled } from "../../rules/support/head_starts.ts";
import type { DraftedRule } from "../rule.ts";
import type { EngineTrial } from "../engine_trial.ts";

/** Records: what is there, what is not, and until when. */
export const records: readonly DraftedRule[] = [
  must("ENGINE-01", {
    sentence:
      "`guarantees` has every member, with a value of the right type, and every instance declares the same.",
    why:
      "The session storage decides by them, for example whether parallel saves can be merged. A missing member is taken for `false`.",
    async check(e, a) {
      const problem = guaranteesProblem(a.engine.guarantees);
      e.trial.ok(problem === undefined, `${problem}`);
      const b = await e.open();
      e.trial.equal(
        b.engine.guarantees,
        a.engine.guarantees,
        "a second instance declares other guarantees",
      );
    },
  }),
  must("ENGINE-02", {
    sentence:
      "For a missing record, `read` returns `null`, and an unconditional `delete` resolves and stores nothing.",
    why:
      "Every first visit reads a missing record. If that were a failure, the visitor would see an error page.",
    async check(e, a) {
      const key = e.key();
      await e.holds(a, key, null, "a record that was never written is there");
      await a.delete(key);
      await e.holds(a, key, null, "deleting a missing record stored something");
      await a.write(key, "[1]", { expires: e.soon });
      await e.holds(a, key, { value: "[1]" }, "a record is not found");
      const deleted = await a.delete(key);
      e.trial.ok(
        deleted,
        "delete() returned false for a record that it deleted",
      );
      await e.holds(a, key, null, "a deleted record is there");
      await a.delete(key);
      await e.holds(a, key, null, "a record that was deleted twice is there");
    },
  }),
  must("ENGINE-03", {
    sentence:
      "A write without `ifVersion`, or with `undefined` for it, replaces the whole record: its value and its deadline, whether it exists or not.",
    why:
      "A session that shrinks must not keep the end of its old text, nor its old deadline.",
    async check(e, a) {
      const key = e.key();
      const values = ["[1]", `["${"long ".repeat(40)}"]`, "[2]", "[2]"];
      for (const [i, value] of values.entries()) {
        // Later, earlier, and later again.
        const expires = e.soon - (i % 2) * 1_800_000;
        const options = i > 1 ? { expires, ifVersion: undefined } : { expires };
        const version = await a.write(key, value, options);
        e.trial.ok(
          version !== null,
          "an unconditional write returned null, as if another version were stored",
        );
        await e.holds(
          a,
          key,
          { value, expires },
          "a write does not replace the whole record",
        );
      }
      const deleted = await a.delete(key, { ifVersion: undefined });
      e.trial.ok(deleted, "an unconditional delete() returned false");
      await e.holds(
        a,
        key,
        null,
        "delete() with ifVersion: undefined does not delete the record",
      );
    },
  }),
  must("ENGINE-04", {
    sentence:
      "`read` returns the deadline exactly as it was written, to the millisecond, however far ahead. A write whose deadline has passed resolves like another.",
    why:
      "An idle timeout is counted from the stored deadline. If it is rounded, or wraps around in 2038, sessions expire early or never.",
    async check(e, a) {
      const now = e.trial.now();
      const day = 86_400_000;
      const deadlines: Record<string, number> = {
        "in 90 seconds": now + 90_061,
        "in 90 seconds, 1 ms later": now + 90_062,
        "in 31 days": now + 31 * day + 7,
        "in 400 days": now + 400 * day + 999,
        "in 2040": Date.UTC(2040, 0, 1) + 123,
        "in 2110": Date.UTC(2110, 0, 1) + 457,
      };
      for (const [name, expires] of Object.entries(deadlines)) {
        const key = e.key();
        await a.write(key, "[1]", { expires });
        const want = { value: "[1]", expires };
        await e.holds(a, key, want, `a record that expires ${name}`);
      }
      const key = e.key();
      const expires = now - day - 7;
      const version = await a.write(key, "[1]", { expires });
      e.trial.ok(version !== null, "a write with a past deadline returns null");
      const record = await a.read(key);
      if (record === null) return;
      e.trial.equal(
        record.expires,
        expires,
        "a deadline that has passed is returned as another",
      );
    },
  }),
  must("ENGINE-05", {
    timed: true,
    sentence:
      "A record is there until its deadline: the last that was written or touched. It may be there for longer.",
    why:
      "An engine that removes expired records itself must not remove a live one, or visitors are signed out early.",
    async check(e, a) {
      const { trial } = e;
      const { guarantees } = a.engine;
      if (guarantees?.evicts === "any") {
        trial.notApplicable("it evicts any record");
      }
      const life = Math.max(trial.lifetime, guarantees?.minSeconds ?? 0) * 1000;
      const begin = trial.now();
      // The last millisecond of a second: a TTL in whole seconds ends before it.
      const long = Math.floor((begin + life) / 1000) * 1000 + 1999;
      const short = begin + life / 4;
      const kept: [string, string][] = [];
      const written = e.key();
      await a.write(written, "[1]", { expires: long });
      kept.push([written, "a record is gone before its deadline"]);
      const again = e.key();
      await a.write(again, "[1]", { expires: short });
      await a.write(again, "[1]", { expires: long });
      kept.push([again, "a record is gone at the deadline of an older write"]);
      if (e.has("touch", a)) {
        const touched = e.key();
        await a.write(touched, "[1]", { expires: short });
        await a.touch(touched, long);
        kept.push([touched, "a record is gone at the deadline before touch()"]);
      }
      // To the last millisecond, if the clock allows it.
      await trial.advance(
        trial.exact ? long - trial.now() - 1 : Math.round(life / 2),
      );
      for (const [key, what] of kept) {
        await inTime(e, long, () => e.holds(a, key, { value: "[1]" }, what));
      }
    },
  }),
  must("ENGINE-06", {
    sentence: "Records that are written in parallel are all stored.",
    why:
      "On a busy site many visitors arrive at the same time. Each of them expects to be still signed in on the next page.",
    async check(e, a) {
      if (a.engine.guarantees?.evicts === "any") {
        e.trial.notApplicable("it evicts any record");
      }
      const keys = Array.from({ length: 40 }, () => e.key());
      const wanted = keys.map((_, i) => ({ value: `[${i}]`, expires: e.soon }));
      const writes = keys.map((key, i) => {
        const { value, expires } = wanted[i] as typeof wanted[number];
        return a.write(key, value, { expires });
      });
      await settled(writes);
      // The order differs from that of the writes.
      for (const key of e.random.shuffle(keys)) {
        const want = wanted[keys.indexOf(key)] as typeof wanted[number];
        await e.holds(a, key, want, "one of 40 records is lost or mixed up");
      }
    },
  }),
];

/** Runs a check that is only right before an instant: on a machine that is too busy, a real clock may have passed it. */
async function inTime(
  { trial }: EngineTrial,
  instant: number,
  check: () => Promise<unknown>,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (trial.exact || trial.now() + trial.slack < instant) throw error;
    trial.notRun("the machine was too busy to look before the deadline");
  }
}

/** What is wrong with guarantees; `undefined` if they are well formed. */
function guaranteesProblem(
  guarantees: StorageGuarantees | undefined,
): string | undefined {
  if (typeof guarantees !== "object" || guarantees === null) {
    return `guarantees is ${received(guarantees)}; it must be an object`;
  }
  const booleans = [
    "compareAndSet",
    "revoke",
    "durable",
    "shared",
    "selfContained",
  ] as const;
  for (const name of booleans) {
    const value = guarantees[name];
    if (typeof value !== "boolean") {
      return `guarantees.${name} is ${
        received(value)
      }; it must be true or false`;
    }
  }
  const { reads, evicts, maxBytes, minSeconds } = guarantees;
  if (reads !== "strong" && reads !== "eventual") {
    return `guarantees.reads is ${
      received(reads)
    }; it must be "strong" or "eventual"`;
  }
  if (!["nothing", "oldest", "any", undefined].includes(evicts)) {
    return `guarantees.evicts is ${
      received(evicts)
    }; it must be "nothing", "oldest" or "any"`;
  }
  if (maxBytes !== undefined && !(Number.isInteger(maxBytes) && maxBytes > 0)) {
    return `guarantees.maxBytes is ${
      received(maxBytes)
    }; it must be a whole number of bytes`;
  }
  if (
    minSeconds !== undefined &&
    !(Number.isFinite(minSeconds) && minSeconds >= 0)
  ) {
    return `guarantees.minSeconds is ${
      received(minSeconds)
    }; it must be a number of seconds`;
  }
  if (guarantees.selfContained) {
    return "guarantees.selfContained is true; an engine keeps records itself, so it must be false";
  }
  if (guarantees.revoke && reads === "eventual") {
    return 'guarantees.revoke is true, but reads is "eventual": a destroyed session works until the reads catch up';
  }
  return undefined;
}
