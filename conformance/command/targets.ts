/**
 * The targets that a module exports.
 *
 * @module
 */
import { UsageError } from "./args.ts";
import { checkEngineTarget, isEngineTarget } from "../engine/target.ts";
import { checkTarget } from "../target.ts";
import type { Target } from "../types.ts";
import type { AnyTarget } from "./suites.ts";

/**
 * Loads a module, and finds its targets.
 *
 * @param specifier The module, as it was written.
 * @param host What loads it.
 * @returns The targets, at least one.
 * @throws {UsageError} If it does not export a target, or an invalid one.
 */
export async function loadTargets(
  specifier: string,
  host: { load(specifier: string): Promise<Record<string, unknown>> },
): Promise<readonly AnyTarget[]> {
  const names = await host.load(specifier);
  const main = names["default"];
  const found = main === undefined
    ? Object.values(names).filter(looksLikeTarget)
    : Array.isArray(main)
    ? main
    : [main];
  if (found.length === 0) {
    throw new UsageError(
      `${specifier} does not export a target: export one as default, { name, capabilities, open } for a storage or { name, open } for an engine`,
    );
  }
  for (const target of found) {
    try {
      if (isEngineTarget(target)) checkEngineTarget(target);
      else checkTarget(target);
    } catch (error) {
      throw new UsageError(
        `${specifier} exports an invalid target: ${
          (error as Error).message.replace(/^Cannot check \w+: /, "")
        }`,
      );
    }
  }
  return found;
}

function looksLikeTarget(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    typeof (value as Partial<Target>).open === "function";
}
