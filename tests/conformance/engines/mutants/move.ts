import type { Engine, MoveOptions } from "../../../../mod.ts";
import {
  alone,
  type Bench,
  type Draft,
  inSteps,
  type Mutant,
  mutant,
  sharing,
  type Whole,
} from "../_mutant.ts";

type Move = Whole["move"];

/** A mutant whose `move` is wrong. */
function moving(
  name: string,
  reason: string,
  defect: (at: Bench) => Move,
): Mutant {
  const draft: Draft = {
    name,
    reason,
    defect: (at) => ({ move: defect(at) }),
  };
  return mutant("ENGINE-33", draft);
}

/** A mutant that is right if a move succeeds, and does something else before it returns `null`. */
function refusing(
  name: string,
  reason: string,
  instead: (engine: Whole, ...call: Parameters<Move>) => Promise<unknown>,
): Mutant {
  return moving(name, reason, ({ engine }) => async (...call) => {
    const version = await engine.move(...call);
    if (version !== null) return version;
    await instead(engine, ...call);
    return null;
  });
}

export const move: readonly Mutant[] = [
  moving(
    "only the insertion is done, and it says null",
    "after move() returned null, the new record",
    ({ engine }) => async (key, value, { from: _, ...options }) => {
      await engine.write(key, value, options);
      return null;
    },
  ),
  moving(
    "only the old row is updated, and it says null",
    "after move() returned null, the old record",
    ({ engine }) => async (_key, _value, { from: { key, value, ...note } }) => {
      await engine.write(key, value, note);
      return null;
    },
  ),
  moving(
    "the new row has the deadline of the old one",
    "after a move, the new record: the deadline differs",
    ({ engine }) => (key, value, { from, ...options }) =>
      engine.move(key, value, { ...options, expires: from.expires, from }),
  ),
  moving(
    "the new row has the old text (INSERT … SELECT)",
    "after a move, the new record: it differs",
    ({ engine }) => async (key, _value, options) => {
      const { value = "" } = await engine.read(options.from.key) ?? {};
      return await engine.move(key, value, options);
    },
  ),
  moving(
    "the old row is left as it is",
    "after a move, the old record",
    ({ engine }) => async (key, value, { from, ...options }) =>
      (await engine.read(from.key))?.version === from.ifVersion
        ? await engine.write(key, value, { ...options, ifVersion: null })
        : null,
  ),
  moving(
    "the row is given another key (UPDATE … SET key)",
    "after a move, the old record",
    ({ engine }) => async (key, value, options) => {
      const version = await engine.move(key, value, options);
      if (version !== null) await engine.delete(options.from.key);
      return version;
    },
  ),
  moving(
    "the old row keeps the owner",
    "owned() is wrong for a record that was moved",
    ({ engine }) => async (key, value, options) => {
      const version = await engine.move(key, value, options);
      if (version === null) return null;
      const { owner, from: { key: old, ifVersion: _, ...from } } = options;
      await engine.write(old, from.value, { expires: from.expires, owner });
      return version;
    },
  ),
  moving(
    "the new row has no owner",
    "owned() is wrong for a record that was moved",
    ({ engine }) => (key, value, { owner: _, ...options }) =>
      engine.move(key, value, options),
  ),
  mutant("ENGINE-33", {
    name: "the old row keeps its version",
    reason: "the old record has the same version after a move",
    defect: (at) => {
      const kept = sharing(at, "kept", () => new Map<string, unknown>());
      const real = async (key: string, version: unknown) =>
        version !== undefined && kept.has(key) && kept.get(key) === version
          ? (await at.engine.read(key))?.version
          : version;
      return {
        async write(key, value, { ifVersion, ...options }) {
          const version = await real(key, ifVersion);
          kept.delete(key);
          return await at.engine.write(key, value, {
            ...{ ...options, ifVersion: version },
          });
        },
        async move(key, value, options) {
          const version = await at.engine.move(key, value, options);
          const { from } = options;
          if (version !== null) kept.set(from.key, from.ifVersion);
          return version;
        },
      };
    },
  }),
  moving(
    "it returns the version of the old row",
    "move() returned another version than is stored",
    ({ engine }) => async (key, value, options) => {
      const version = await engine.move(key, value, options);
      return version && (await engine.read(options.from.key))?.version;
    },
  ),
  moving(
    "the old row is moved whatever its version",
    "move() that expects a stale version does not return null",
    ({ engine }) => async (key, value, { from, ...options }) => {
      const ifVersion = (await engine.read(from.key))?.version;
      const any = { ...options, from: { ...from, ifVersion } };
      return await engine.move(key, value, any);
    },
  ),
  refusing(
    "the new row stays, if the old one has changed",
    "after a move that expects a stale version, the new record",
    async (engine, key, value, options) => {
      await engine.write(key, value, { ...options, ifVersion: null });
    },
  ),
  refusing(
    "the old row is replaced, if it has changed",
    "after a move that expects a stale version, the old record",
    async (engine, _key, _value, { from: { key, value, expires } }) => {
      await engine.write(key, value, { expires });
    },
  ),
  moving(
    "that no row was updated is not noticed",
    "move() of a missing record does not return null",
    ({ engine }) => async (key, value, options) =>
      await engine.read(options.from.key) === null
        ? await engine.write(key, value, options)
        : await engine.move(key, value, options),
  ),
  refusing(
    "the new row stays, if the old one is gone",
    "after a move of a missing record, the new record",
    async (engine, key, value, options) => {
      if (await engine.read(options.from.key)) return;
      await engine.write(key, value, options);
    },
  ),
  refusing(
    "the old row is inserted, if it is gone (upsert)",
    "after a move of a missing record, the old record",
    async (engine, _key, _value, { from: { key, value, expires } }) => {
      await engine.write(key, value, { expires, ifVersion: null });
    },
  ),
  moving(
    "the insertion replaces a row with the key (upsert)",
    "move() to a key that exists does not return null",
    ({ engine }) => async (key, value, options) => {
      const old = await engine.read(options.from.key);
      if (old?.version === options.from.ifVersion) await engine.delete(key);
      return await engine.move(key, value, options);
    },
  ),
  refusing(
    "the insertion replaces a row with the key, and it says null",
    "after a move to a key that exists, the new record",
    async (engine, key, value, options) => {
      if (await engine.read(key)) await engine.write(key, value, options);
    },
  ),
  refusing(
    "the insertion does nothing, and the update does (ON CONFLICT DO NOTHING)",
    "after a move to a key that exists, the old record",
    async (engine, _key, _value, { from: { key, ...note } }) => {
      await engine.write(key, note.value, note);
    },
  ),
  refusing(
    "the old row is written back, if the key exists",
    "after a move to a key that exists, the old record has another version",
    async (engine, _key, _value, { from: { key, ...from } }) => {
      const old = await engine.read(key);
      if (old) await engine.write(key, old.value, { ...from, ...old });
    },
  ),
  moving(
    "the version is compared by a SELECT, and then the two statements follow",
    "of 8 parallel moves of one record, 8 succeed",
    ({ engine }) => (...call) => afterLook(engine, ...call),
  ),
  moving(
    "the new row is inserted after a SELECT, and stays if the update comes too late",
    "the record of a move that was refused",
    ({ engine }) => async (key, value, options) =>
      await isRight(engine, key, options)
        ? await inSteps(engine, key, value, options, { leaves: true })
        : null,
  ),
  moving(
    "the old row is updated after a SELECT, whatever it has become",
    "after parallel moves, the old record",
    ({ engine }) => async (key, value, options) => {
      if (!await isRight(engine, key, options)) return null;
      const version = await engine.move(key, value, options);
      const { from } = options;
      if (version === null) {
        await engine.write(from.key, from.value, { expires: from.expires });
      }
      return version;
    },
  ),
  moving(
    "a lock keeps moves apart, and no writes",
    "a move and a write that expect the same version both succeed",
    (at) => (...call) => alone(at, () => afterLook(at.engine, ...call)),
  ),
  mutant("ENGINE-33", {
    name: "a lock keeps moves and writes apart, and no deletes",
    reason: "a move and a delete that expect the same version both succeed",
    defect: (at) => ({
      write: (...call) => alone(at, () => at.engine.write(...call)),
      move: (...call) => alone(at, () => afterLook(at.engine, ...call)),
    }),
  }),
  mutant("ENGINE-33", {
    name: "a move and a write that meet are both told to try again",
    reason: "a move and a write that expect the same version are both refused",
    defect: (at) => {
      const busy = sharing(at, "busy", () => new Map<string, string>());
      const enter = async (key: string, what: string) => {
        const met = busy.get(key) ?? what;
        busy.set(key, met === what ? what : "both");
        await null;
        await null;
        const alone = busy.get(key) === what;
        if (alone) busy.delete(key);
        return alone;
      };
      return {
        async write(key, value, options) {
          if (options.ifVersion === undefined) {
            busy.delete(key);
          } else if (!await enter(key, "write")) return null;
          return await at.engine.write(key, value, options);
        },
        async move(key, value, options) {
          const { from } = options;
          const free = await enter(from.key, "move");
          return busy.get(from.key) === "both" && !free
            ? null
            : await at.engine.move(key, value, options);
        },
      };
    },
  }),
  moving(
    "its two statements are not in a transaction",
    "a read during a move finds one of its two records",
    ({ engine }) => (key, value, options) =>
      inSteps(engine, key, value, options, { turns: 30 }),
  ),
];

/** A move whose conditions are looked at before. */
async function afterLook(
  engine: Whole,
  ...[key, value, options]: Parameters<Move>
): Promise<unknown> {
  if (!await isRight(engine, key, options)) return null;
  await null;
  return await inSteps(engine, key, value, options, { sure: true });
}

/** Whether the conditions of a move hold at the moment. */
async function isRight(
  engine: Pick<Engine, "read">,
  key: string,
  { from }: MoveOptions,
): Promise<boolean> {
  const old = await engine.read(from.key);
  return old?.version === from.ifVersion && await engine.read(key) === null;
}
