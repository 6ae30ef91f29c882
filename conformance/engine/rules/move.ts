import { must } from "../rule.ts";
import { overlap, RIVALS, ROUNDS, second } from "./races.ts";
import { settled } from "../../rules/support/head_starts.ts";
import { isOwned } from "./upkeep.ts";
import type { DraftedRule } from "../rule.ts";
import type { EngineTrial, Wanted } from "../engine_trial.ts";
import type { MoveOptions } from "../../../storage/contract.ts";
import type { OpenEngine } from "../open_engine.ts";

/** New keys for sessions. */
export const move: readonly DraftedRule[] = [
  must("ENGINE-33", {
    needs: ["move", "compareAndSet"],
    sentence:
      "`move` creates a record under a new key and replaces the one under the old key, both or neither, also for those who read meanwhile. It returns the version of the new record. If the new key exists, or another version than `from.ifVersion` is stored, it returns `null` and changes nothing. Of parallel calls that expect one version, one succeeds. An engine that needs several steps returns `null` and changes nothing.",
    why:
      "A login takes a new id by one call. If only half of it is done, the session has two ids, or none. If another call succeeds too, a logout was answered and the session is still there.",
    async check(e, a) {
      await succeeds(e, a);
      await isRefused(e, a);
      await competes(e, a);
      for (const rival of ["write", "delete"] as const) {
        await meets(e, a, rival);
      }
      if (a.engine.guarantees?.reads !== "eventual") await isRead(e, a);
    },
  }),
];

/** A record that is to be moved, and the call that moves it to a new key. */
interface Case {
  readonly old: string;
  readonly key: string;
  readonly options: MoveOptions;
}

/** The text of the record before, of the new one, and of the old one after. */
const [BEFORE, NEW, NOTE] = ["[1]", "[2]", "[3]"] as const;

/** Stores a record that is to be moved. */
async function prepare(
  e: EngineTrial,
  a: OpenEngine,
  { old = e.key(), owner }: { old?: string; owner?: string } = {},
): Promise<Case> {
  const expires = e.soon;
  const ifVersion = await a.write(old, BEFORE, { expires, owner });
  const from = { key: old, ifVersion, value: NOTE, expires: e.soon };
  return { old, key: e.key(), options: { expires: e.soon, owner, from } };
}

/** Fails unless both records are as after a move. */
async function isMoved(
  e: EngineTrial,
  a: OpenEngine,
  { old, key, options: { expires, from } }: Case,
  what: string,
): Promise<void> {
  await e.holds(a, key, { value: NEW, expires }, `${what}, the new record`);
  const note = { value: from.value, expires: from.expires };
  await e.holds(a, old, note, `${what}, the old record`);
}

/** A move whose conditions hold. Ends the trial if the engine cannot do it in one step. */
async function succeeds(e: EngineTrial, a: OpenEngine): Promise<void> {
  const owner = e.key(undefined, "the owner");
  const { old, key, options } = await prepare(e, a, { owner });
  const version = await a.move(key, NEW, options);
  if (version === null) {
    const half = "after move() returned null";
    await e.holds(a, key, null, `${half}, the new record`);
    await e.holds(a, old, { value: BEFORE }, `${half}, the old record`);
    e.trial.notApplicable(
      "move() returned null and changed nothing, although its conditions hold: it takes several steps",
    );
  }
  await isMoved(e, a, { old, key, options }, "after a move");
  if (e.has("owned", a)) {
    await isOwned(e, a, owner, [key], "a record that was moved");
  }
  const { expires, from: { ifVersion } } = options;
  e.trial.ok(
    await a.write(old, BEFORE, { expires, ifVersion }) === null,
    "the old record has the same version after a move",
  );
  e.trial.ok(
    await a.write(key, NEW, { expires, ifVersion: version }) !== null,
    "move() returned another version than is stored",
  );
}

/** Moves of which one condition does not hold. */
async function isRefused(e: EngineTrial, a: OpenEngine): Promise<void> {
  const refuses = async (
    what: string,
    { key, old, options }: Case,
    left: { readonly atKey: Wanted | null; readonly atOld: Wanted | null },
  ) => {
    e.trial.ok(
      await a.move(key, NEW, options) === null,
      `move() ${what} does not return null`,
    );
    await e.holds(a, key, left.atKey, `after a move ${what}, the new record`);
    await e.holds(a, old, left.atOld, `after a move ${what}, the old record`);
  };

  const stale = await prepare(e, a);
  const other = { value: "[4]", expires: e.soon };
  await a.write(stale.old, other.value, { expires: other.expires });
  const left = { atKey: null, atOld: other };
  await refuses("that expects a stale version", stale, left);

  const missing = await prepare(e, a);
  await a.delete(missing.old);
  await refuses("of a missing record", missing, { atKey: null, atOld: null });

  const taken = await prepare(e, a);
  await a.write(taken.key, other.value, { expires: other.expires });
  const both = { atKey: other, atOld: { value: BEFORE } };
  await refuses("to a key that exists", taken, both);
  const { expires, from: { ifVersion } } = taken.options;
  e.trial.ok(
    await a.write(taken.old, BEFORE, { expires, ifVersion }) !== null,
    "after a move to a key that exists, the old record has another version",
  );
}

/** Parallel moves of one version to keys of their own. */
async function competes(e: EngineTrial, a: OpenEngine): Promise<void> {
  const b = await second(e, a);
  for (const round of e.trial.cases(ROUNDS, { atLeast: 2 })) {
    e.trial.trace.lines.length = 0;
    const { old, options } = await prepare(e, a);
    const rivals = Array.from({ length: RIVALS }, (_, i): Case => {
      const from = { ...options.from, value: `[${i},3]`, expires: e.soon };
      return { old, key: e.key(), options: { ...options, from } };
    });
    const answers = await settled(rivals.map(({ key, options }, i) => {
      return (i % 2 === round % 2 ? a : b).move(key, NEW, options);
    }));
    const winners = rivals.filter((_, i) => answers[i] !== null);
    e.trial.equal(
      winners.length,
      1,
      `of ${RIVALS} parallel moves of one record, ${winners.length} succeed`,
    );
    for (const rival of rivals) {
      if (winners.includes(rival)) {
        await isMoved(e, a, rival, "after parallel moves");
      } else {
        const lost = "the record of a move that was refused";
        await e.holds(a, rival.key, null, lost);
      }
    }
  }
}

/** A move of a record that is stored first. */
async function ready(
  e: EngineTrial,
  a: OpenEngine,
  old: string,
): Promise<() => Promise<unknown>> {
  const { key, options } = await prepare(e, a, { old });
  return () => a.move(key, NEW, options);
}

/** A move beside a write or a delete of the old record, which expects the same version. */
async function meets(
  e: EngineTrial,
  a: OpenEngine,
  rival: "write" | "delete",
): Promise<void> {
  await overlap(e, a, {
    length: (old) => ready(e, a, old),
    async meet(old, [here, there], meeting) {
      const { key, options } = await prepare(e, a, { old });
      const { expires, from: { ifVersion } } = options;
      let moved = false;
      let changed = false;
      await meeting(
        async () => {
          moved = await here.move(key, NEW, options) !== null;
        },
        async () => {
          changed = rival === "delete"
            ? await there.delete(old, { ifVersion })
            : await there.write(old, "[4]", { expires, ifVersion }) !== null;
        },
      );
      e.trial.ok(
        moved !== changed,
        moved
          ? `a move and a ${rival} that expect the same version both succeed`
          : `a move and a ${rival} that expect the same version are both refused`,
      );
      const what = `after a move beside a ${rival}`;
      if (moved) return await isMoved(e, a, { old, key, options }, what);
      await e.holds(a, key, null, `${what}, the new record`);
      const left = rival === "delete" ? null : { value: "[4]", expires };
      await e.holds(a, old, left, `${what}, the old record`);
    },
  });
}

/** Reads beside a move. */
async function isRead(e: EngineTrial, a: OpenEngine): Promise<void> {
  await overlap(e, a, {
    length: (old) => ready(e, a, old),
    async meet(old, [here, there], meeting) {
      const { key, options } = await prepare(e, a, { old });
      await meeting(
        () => here.move(key, NEW, options),
        async () => {
          const before = await there.read(key) !== null;
          const replaced = (await there.read(old))?.value !== BEFORE;
          const after = await there.read(key) !== null;
          e.trial.ok(
            (!before || replaced) && (!replaced || after),
            "a read during a move finds one of its two records",
          );
        },
      );
    },
  });
}
