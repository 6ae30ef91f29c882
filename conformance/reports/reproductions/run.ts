/** Runs reproductions from the command line: `deno run -A react_router.ts [storage] [rule]`. */
// deno-lint-ignore-file no-console -- a command
import { AssertionError } from "node:assert/strict";
import process from "node:process";

/** What happens where a rule is broken. */
export interface Show<Storage> {
  /** The effect on a visitor. */
  readonly visitor: string;
  /** Throws an `AssertionError` if it happens. */
  show(storage: Storage): Promise<void>;
}

/** A rule that a library breaks. */
export interface Reproduction<Storage> extends Show<Storage> {
  /** The storages that break it. */
  readonly of: readonly string[];
}

/** The reproductions of a library that shares them with others: by rule, the storages that break it. */
export function shared<Storage>(
  shows: Readonly<Record<string, Show<Storage>>>,
  storages: Readonly<Record<string, readonly string[]>>,
): Record<string, Reproduction<Storage>> {
  return Object.fromEntries(
    Object.entries(storages).map(([rule, of]) => {
      const show = shows[rule];
      if (!show) throw new Error(`there is no reproduction of ${rule}`);
      return [rule, { ...show, of }];
    }),
  );
}

/** Runs all reproductions, or those of a storage or a rule. The exit status is 1 if a rule is broken. */
export async function run<Storage>(
  storages: Readonly<Record<string, () => Storage | Promise<Storage>>>,
  reproductions: Readonly<Record<string, Reproduction<Storage>>>,
): Promise<void> {
  const wanted = process.argv.slice(2);
  const picked = (names: string[]) =>
    names.some((name) => wanted.includes(name))
      ? names.filter((name) => wanted.includes(name))
      : names;
  for (const name of picked(Object.keys(storages))) {
    for (const rule of picked(Object.keys(reproductions))) {
      const open = storages[name];
      const reproduction = reproductions[rule];
      if (!open || !reproduction?.of.includes(name)) continue;
      try {
        await reproduction.show(await open());
        console.log(`✓ ${name} ${rule}`);
      } catch (error) {
        if (!(error instanceof AssertionError)) throw error;
        console.log(`✗ ${name} ${rule}: ${error.message.split("\n")[0]}`);
        process.exitCode = 1;
      }
    }
  }
}
