/**
 * Ways in which a storage is wrong about owners.
 */
import type { Bench, Parts } from "./_mutant.ts";

/** What a list holds. */
export type Listed = Awaited<ReturnType<Bench["storage"]["listSessions"]>>;
type End = Bench["storage"]["destroySessions"];

/** A storage whose lists are changed. */
export function listing(
  at: Bench,
  change: (found: Listed, name: string) => Listed,
): Parts {
  return {
    storage: {
      listSessions: async (name, options) =>
        change(await at.storage.listSessions(name, options), name),
    },
  };
}

/** A storage that ends sessions in another way. */
export function ending(destroySessions: End): Parts {
  return { storage: { destroySessions } };
}

/** A storage that takes owners' names for others. */
export function naming(
  at: Bench,
  change: (name: string) => string | undefined,
): Parts {
  const nobody = "nobody";
  return {
    owner(data) {
      const name = at.owner?.(data);
      return name === undefined ? undefined : change(name);
    },
    storage: {
      listSessions: (name, options) =>
        at.storage.listSessions(change(name) ?? nobody, options),
      destroySessions: (name, options) =>
        at.storage.destroySessions(change(name) ?? nobody, options),
    },
  };
}
