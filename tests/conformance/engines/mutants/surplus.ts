import { deleteSurplus, type Mutant, mutant } from "../_mutant.ts";

export const surplus: readonly Mutant[] = [
  mutant("ENGINE-32", {
    name: "the surplus is deleted whatever its version",
    reason: "deleteOwned() that expects a stale version deleted the record",
    defect: ({ engine }) => ({
      deleteOwned: async (owner, key, options) => {
        const ifVersion = (await engine.read(key))?.version;
        return await engine.deleteOwned(owner, key, { ...options, ifVersion });
      },
    }),
  }),
  mutant("ENGINE-32", {
    name: "the surplus is deleted for a login that was ended",
    reason:
      "deleteOwned() that expects another record that is missing deleted the record",
    defect: ({ engine }) => ({
      deleteOwned: (owner, key, options) =>
        engine.deleteOwned(owner, key, { ...options, beside: key }),
    }),
  }),
  mutant("ENGINE-32", {
    name: "the records of an owner are not counted",
    reason:
      "deleteOwned() that expects more records than there are deleted the record",
    defect: ({ engine }) => ({
      deleteOwned: (owner, key, options) =>
        engine.deleteOwned(owner, key, { ...options, most: 0 }),
    }),
  }),
  mutant("ENGINE-32", {
    name: "the conditions are checked before the statement that deletes",
    reason: "two have deleted each other's record, or too many did",
    defect: ({ engine }) => ({
      deleteOwned: (owner, key, options) =>
        deleteSurplus(engine, owner, key, options),
    }),
  }),
  mutant("ENGINE-32", {
    name: "deleteOwned() answers with the conditions, not with the deletion",
    reason: "deleteOwned() returned false, although its conditions hold",
    defect: ({ engine }) => ({
      async deleteOwned(owner, key, options) {
        await engine.deleteOwned(owner, key, options);
        return false;
      },
    }),
  }),
];
