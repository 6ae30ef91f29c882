import { must } from "../rule.ts";
import { headStarts, settled } from "../../rules/support/head_starts.ts";
import type { DraftedRule } from "../rule.ts";
import type { EngineTrial } from "../engine_trial.ts";
import type { OpenEngine } from "../open_engine.ts";

/** How many calls compete. */
export const RIVALS = 8;
/** How often they do. */
export const ROUNDS = 5;

/** Calls that overlap. */
export const races: readonly DraftedRule[] = [
  must("ENGINE-18", {
    needs: ["compareAndSet"],
    sentence:
      "Of parallel writes that expect the same version, exactly one succeeds, in one instance and in several; the others return `null`.",
    why:
      "If two succeed, one visitor's change is lost although its request was answered. If none does, both requests fail.",
    async check(e, a) {
      await compete(e, a, async (key) => {
        return await a.write(key, "[0]", { expires: e.soon });
      });
    },
  }),
  must("ENGINE-19", {
    needs: ["compareAndSet"],
    sentence:
      "Of parallel writes of a missing record with `ifVersion: null`, exactly one succeeds, in one instance and in several; the others return `null`.",
    why:
      "Two logins of one user create the list of their sessions at the same time. If both succeed, one of them is not listed, and cannot be signed out.",
    async check(e, a) {
      await compete(e, a, async () => null);
    },
  }),
  must("ENGINE-20", {
    needs: ["compareAndSet"],
    sentence:
      "Of a delete and a write that expect the same version, exactly one succeeds, and the record is what it says.",
    why:
      "If both succeed, a logout was answered and the session is still there, or a saved change is gone.",
    async check(e, a) {
      await overlap(e, a, {
        length: async (key) => {
          const ifVersion = await a.write(key, "[1]", { expires: e.soon });
          return () => a.write(key, "[2]", { expires: e.soon, ifVersion });
        },
        async meet(key, [here, there], meeting) {
          const expires = e.soon;
          const ifVersion = await a.write(key, "[1]", { expires });
          let written: unknown = null;
          let deleted = false;
          await meeting(
            async () => {
              written = await here.write(key, "[2]", { expires, ifVersion });
            },
            async () => {
              deleted = await there.delete(key, { ifVersion });
            },
          );
          const saved = written !== null;
          e.trial.ok(
            saved !== deleted,
            saved
              ? "a write and a delete that expect the same version both succeed"
              : "a write and a delete that expect the same version are both refused",
          );
          await e.holds(
            a,
            key,
            saved ? { value: "[2]", expires } : null,
            saved
              ? "a write succeeded, and its record is not there"
              : "a delete succeeded, and the record is there",
          );
        },
      });
    },
  }),
  must("ENGINE-21", {
    needs: ["touch"],
    sentence:
      "A `touch` during a write does not bring the old value back, and during a delete it does not bring the record back.",
    why:
      "Every page that is read moves a deadline. If that writes the record, it undoes what another request saves, or a logout.",
    async check(e, a) {
      for (const change of ["write", "delete"] as const) {
        await overlap(e, a, {
          length: async (key) => {
            await a.write(key, "[1]", { expires: e.soon });
            return () => a.touch(key, e.soon);
          },
          async meet(key, [here, there], meeting) {
            await a.write(key, "[1]", { expires: e.soon });
            await meeting(
              () => here.touch(key, e.soon),
              () =>
                change === "write"
                  ? there.write(key, "[2]", { expires: e.soon })
                  : there.delete(key),
            );
            await e.holds(
              a,
              key,
              change === "write" ? { value: "[2]" } : null,
              change === "write"
                ? "touch() undid a write that overlaps with it"
                : "touch() brought a deleted record back",
            );
          },
        });
      }
    },
  }),
  must("ENGINE-22", {
    sentence:
      "A read during a write returns the old record or the new one, never parts of both.",
    why:
      "Half a text cannot be decoded: its visitor is signed out. A new text with the old deadline expires too early.",
    async check(e, a) {
      const records = ["[1]", `[${"2,".repeat(100)}2]`].map((value) => ({
        value,
        expires: e.soon,
      }));
      const [small, large] = records as [Whole, Whole];
      await overlap(e, a, {
        length: async (key) => () =>
          a.write(key, large.value, { expires: large.expires }),
        async meet(key, [here, there], meeting) {
          await a.write(key, small.value, { expires: small.expires });
          await e.holds(there, key, small, "a record is not found");
          let seen: Whole | null = null;
          await meeting(
            () => here.write(key, large.value, { expires: large.expires }),
            async () => {
              seen = await there.read(key);
            },
          );
          // The compiler does not see the assignment in the call above.
          const found = seen as Whole | null;
          e.trial.ok(
            found !== null,
            "a read during a write does not find the record",
          );
          const whole = records.some(({ value, expires }) =>
            found?.value === value && found.expires === expires
          );
          e.trial.ok(
            whole,
            "a read during a write returns parts of two writes",
          );
        },
      });
    },
  }),
];

interface Whole {
  readonly value: string;
  readonly expires: number;
}

/** Lets writes compete that expect the same version. */
async function compete(
  e: EngineTrial,
  a: OpenEngine,
  prepare: (key: string) => Promise<unknown>,
): Promise<void> {
  const b = await second(e, a);
  for (const round of e.trial.cases(ROUNDS, { atLeast: 2 })) {
    e.trial.trace.lines.length = 0;
    const key = e.key();
    const ifVersion = await prepare(key);
    const expires = e.soon;
    const order = e.random.shuffle(Array.from({ length: RIVALS }, (_, i) => i));
    // Each instance is the first by turns.
    const lead = order.findIndex((i) => i % 2 === round % 2);
    order.unshift(...order.splice(lead, 1));
    const answers = await settled(order.map((i) => {
      const at = i % 2 === 0 ? a : b;
      return at.write(key, `[${i + 1}]`, { expires, ifVersion });
    }));
    const winners = order.filter((_, at) => answers[at] !== null);
    e.trial.equal(
      winners.length,
      1,
      `of ${RIVALS} parallel writes that expect the same version, ${winners.length} succeed`,
    );
    const value = `[${winners.map((i) => i + 1)}]`;
    const lost = "the record of the write that succeeded is not there";
    await e.holds(a, key, { value, expires }, lost);
    const version = answers.find((answer) => answer !== null);
    const next = await b.write(key, "[0]", { expires, ifVersion: version });
    e.trial.ok(
      next !== null,
      "the version of the write that succeeded is not the one that is stored",
    );
  }
}

/** A second instance if the engine is shared, or the same. */
export async function second(
  e: EngineTrial,
  a: OpenEngine,
): Promise<OpenEngine> {
  return e.has("shared", a) ? await e.open(a.namespace) : a;
}

/** Two calls that overlap. */
export interface Overlap {
  /** Prepares the call that is measured: how many steps it takes. */
  length(key: string): Promise<() => Promise<unknown>>;
  /** Prepares a key, lets the two calls meet, and checks what came of it. */
  meet(
    key: string,
    instances: readonly [OpenEngine, OpenEngine],
    meeting: (
      first: () => Promise<unknown>,
      second: () => Promise<unknown>,
    ) => Promise<void>,
  ): Promise<void>;
}

/** Lets two calls overlap at every distance, in either order, in one instance and in two by turns. */
export async function overlap(
  e: EngineTrial,
  a: OpenEngine,
  { length, meet }: Overlap,
): Promise<void> {
  const b = await second(e, a);
  const { lengths, meet: meetAt } = await headStarts(await length(e.key()));
  for (const i of e.trial.cases(lengths.length)) {
    const distance = lengths[i] as number;
    for (const swapped of [false, true]) {
      // The trace of a failure does not include the rounds that passed.
      e.trial.trace.lines.length = 0;
      const instances = (i % 2 === 0) === swapped ? [a, b] : [a, a];
      await meet(
        e.key(),
        instances as [OpenEngine, OpenEngine],
        async (first, second) => {
          const calls = swapped ? [second, first] : [first, second];
          const [early, late] = calls as [typeof first, typeof first];
          await meetAt(distance, early, late);
        },
      );
    }
  }
}
