/** Runs reproductions from the command line: `deno run -A react_router.ts [storage] [rule]`. */
// deno-lint-ignore-file no-console -- a command
import { AssertionError } from "node:assert/strict";
import process from "node:process";

/** A rule that a library breaks. */
export interface Reproduction<Storage> {
  /** The storages that break it. */
  readonly of: readonly string[];
  /** The effect on a visitor. */
  readonly visitor: string;
  /** Throws an `AssertionError` if it happens. */
  show(storage: Storage): Promise<void>;
}

/** Runs all reproductions, or those of a storage or a rule. The exit status is 1 if a rule is broken. */
export async function run<Storage>(
  storages: Readonly<Record<string, () => Storage>>,
  reproductions: Readonly<Record<string, Reproduction<Storage>>>,
): Promise<void> {
  const wanted = process.argv.slice(2);
  const picked = (names: string[]) =>
    names.some((name) => wanted.includes(name))
      ? names.filter((name) => wanted.includes(name))
      : names;
  for (const name of picked(Object.keys(storages))) {
    for (const rule of picked(Object.keys(reproductions))) {
      const storage = storages[name]?.();
      const reproduction = reproductions[rule];
      if (!storage || !reproduction?.of.includes(name)) continue;
      try {
        await reproduction.show(storage);
        console.log(`✓ ${name} ${rule}`);
      } catch (error) {
        if (!(error instanceof AssertionError)) throw error;
        console.log(`✗ ${name} ${rule}: ${error.message.split("\n")[0]}`);
        process.exitCode = 1;
      }
    }
  }
}
