import {
  type Bench,
  type Mutant,
  mutant,
  sharing,
  writtenKeys,
} from "../_mutant.ts";
import type { Engine, OwnedRecord } from "../../../../mod.ts";

export const owners: readonly Mutant[] = [
  mutant("ENGINE-29", {
    name: "the list of an owner is in the order of the keys",
    reason: "owned() is wrong for",
    defect: ({ engine }) => ({
      owned: async (owner) =>
        [...await engine.owned(owner)].sort(byKey).reverse(),
    }),
  }),
  mutant("ENGINE-29", {
    name: "the newest are first (ORDER BY written DESC)",
    reason: "owned() is wrong for four records in the order of writing",
    defect: ({ engine }) => ({
      owned: async (owner) => [...await engine.owned(owner)].reverse(),
    }),
  }),
  mutant("ENGINE-29", {
    name: "the list is in the order of the first writes (created_at)",
    reason: "owned() is wrong for a record that was written again",
    defect: (at) => {
      const keys = writtenKeys(at);
      return {
        ...keys.writing,
        async owned(owner) {
          const listed = await at.engine.owned(owner);
          return [...keys.all].flatMap((key) =>
            listed.find((record) => record.key === key) ?? []
          );
        },
      };
    },
  }),
  mutant("ENGINE-29", {
    name: "touch counts as a write (updated_at)",
    reason: "owned() is wrong for a record that was touched",
    defect: (at) => {
      const touched = sharing(at, "touched", () => new Set<string>());
      return {
        async write(key, value, options) {
          touched.delete(key);
          return await at.engine.write(key, value, options);
        },
        async touch(key, expires, options) {
          const done = await at.engine.touch(key, expires, options);
          if (done) touched.add(key);
          return done;
        },
        async owned(owner) {
          const listed = await at.engine.owned(owner);
          return [
            ...listed.filter(({ key }) => !touched.has(key)),
            ...listed.filter(({ key }) => touched.has(key)),
          ];
        },
      };
    },
  }),
  mutant("ENGINE-29", {
    name: "an owner's list is read, extended and written back",
    reason: "owned() does not list all records that were written in parallel",
    defect: (at) => {
      const lists = sharing(at, "lists", () => new Map<string, Set<string>>());
      return {
        async write(key, value, options) {
          const { owner } = options;
          if (owner === undefined) {
            return await at.engine.write(key, value, options);
          }
          const list = new Set(lists.get(owner));
          const version = await at.engine.write(key, value, options);
          if (version !== null) lists.set(owner, list.add(key));
          return version;
        },
        async move(key, value, options) {
          const { owner = "" } = options;
          const version = await at.engine.move(key, value, options);
          if (version === null) return null;
          lists.set(owner, new Set(lists.get(owner)).add(key));
          return version;
        },
        async owned(owner) {
          const listed = await at.engine.owned(owner);
          return listed.filter(({ key }) => lists.get(owner)?.has(key));
        },
      };
    },
  }),
  mutant("ENGINE-29", {
    name: "the index of owners keeps the deadline of the last write",
    reason: "owned() returns a record that differs from what is read",
    defect: (at) => {
      const written = sharing(at, "written", () => new Map<string, number>());
      return {
        async write(key, value, options) {
          const version = await at.engine.write(key, value, options);
          if (version !== null) written.set(key, options.expires);
          return version;
        },
        owned: async (owner) =>
          (await at.engine.owned(owner)).map((record) => ({
            ...record,
            expires: written.get(record.key) ?? record.expires,
          })),
      };
    },
  }),
  mutant("ENGINE-29", {
    name: "the version of a listed record is its place in the list",
    reason: "owned() returns another version than the record has",
    defect: ({ engine }) => ({
      owned: async (owner) =>
        (await engine.owned(owner)).map((record, i) => ({
          ...record,
          version: `${i}`,
        })),
    }),
  }),
  mutant("ENGINE-30", {
    name: "the index of owners keeps the keys of deleted rows",
    reason: "owned() is wrong for records that were deleted or written anew",
    defect: (at) => indexed(at, { keepsDeleted: true }),
  }),
  mutant("ENGINE-30", {
    name: "a new owner is added to the index, and the old one stays",
    reason: "owned() is wrong for records that were deleted or written anew",
    defect: (at) => indexed(at, { keepsOwner: true }),
  }),
  mutant("ENGINE-30", {
    name: "a write without an owner keeps the old one (COALESCE)",
    reason: "owned() is wrong for records that were deleted or written anew",
    also: { "ENGINE-33": "the old row keeps its owner" },
    defect: (at) => indexed(at, { keepsMissing: true }),
  }),
  mutant("ENGINE-30", {
    name: "the owner is in the index, although the write was refused",
    reason: "owned() is wrong for a write that was refused",
    defect: (at) => indexed(at, { beforeWrite: true }),
  }),
  ...Object.entries<(owner: string, other: string) => boolean>({
    "owners are found with LIKE 'owner%'": (owner, other) =>
      other.startsWith(owner),
    "owners are found with LIKE": (owner, other) =>
      new RegExp(`^${owner.replaceAll("_", ".")}$`).test(other),
    "the collation of the owner ignores case": (owner, other) =>
      owner.toLowerCase() === other.toLowerCase(),
  }).map(([name, isSame]) =>
    mutant("ENGINE-30", {
      name,
      reason: "owned() is wrong for an owner",
      defect: (at) => indexed(at, { isSame }),
    })
  ),
];

function byKey(a: OwnedRecord, b: OwnedRecord): number {
  return a.key < b.key ? -1 : 1;
}

interface IndexFaults {
  readonly keepsDeleted?: boolean;
  readonly keepsOwner?: boolean;
  readonly keepsMissing?: boolean;
  readonly beforeWrite?: boolean;
  isSame?(owner: string, other: string): boolean;
}

/** An index of owners beside the records, in the order of the last write. */
function indexed(
  at: Bench,
  { isSame = (a, b) => a === b, ...faults }: IndexFaults,
): Partial<Engine> {
  const rows = sharing(
    at,
    "rows",
    () => [] as { key: string; owner: string }[],
  );
  const remove = (is: (row: { key: string; owner: string }) => boolean) => {
    for (let i = rows.length - 1; i >= 0; i--) {
      if (is(rows[i] as typeof rows[number])) rows.splice(i, 1);
    }
  };
  const note = (key: string, owner: string | undefined) => {
    if (owner === undefined && faults.keepsMissing) return;
    remove((row) =>
      row.key === key &&
      (!faults.keepsOwner || owner === undefined || row.owner === owner)
    );
    if (owner !== undefined) rows.push({ key, owner });
  };
  return {
    async write(key, value, options) {
      if (faults.beforeWrite) note(key, options.owner);
      const version = await at.engine.write(key, value, options);
      if (version !== null) note(key, options.owner);
      return version;
    },
    async delete(key, options) {
      const deleted = await at.engine.delete(key, options);
      if (deleted && !faults.keepsDeleted) remove((row) => row.key === key);
      return deleted;
    },
    async move(key, value, options) {
      const version = await at.engine.move(key, value, options);
      if (version === null) return null;
      note(key, options.owner);
      note(options.from.key, undefined);
      return version;
    },
    async deleteOwned(owner, key, options) {
      const deleted = await at.engine.deleteOwned(owner, key, options);
      if (deleted) remove((row) => row.key === key);
      return deleted;
    },
    async owned(owner) {
      // The database may fail.
      await at.engine.owned(owner);
      const found: OwnedRecord[] = [];
      for (const { key, owner: other } of rows) {
        if (!isSame(owner, other)) continue;
        const gone = { value: "[]", version: "gone", expires: 0 };
        found.push({ key, ...await at.engine.read(key) ?? gone });
      }
      return found;
    },
  };
}
