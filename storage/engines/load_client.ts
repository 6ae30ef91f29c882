/**
 * Loading the client of a database, only where an application asks for one by its address.
 *
 * @module
 */
import { builtin } from "../../core/runtime.ts";

interface ProcessLike {
  readonly versions?: Readonly<Record<string, string | undefined>>;
}

/**
 * Loads a package: from npm on Deno, and elsewhere as it was installed.
 *
 * The name reaches `import` as a value: Deno and JSR's npm layer install whatever a module names in plain sight, and
 * nobody should get the clients of databases that they do not use.
 *
 * @param name The package.
 * @param range The versions that will do, on Deno.
 * @throws {Error} If it is not there.
 */
export async function loadClient(
  name: string,
  range: string,
): Promise<unknown> {
  const deno = builtin<ProcessLike>("process")?.versions?.["deno"];
  const specifier = deno ? `npm:${name}@${range}` : name;
  try {
    return await import(
      /* @vite-ignore */ /* webpackIgnore: true */ specifier
    );
  } catch (cause) {
    throw new Error(
      `Cannot load the package "${name}": install it, or pass a client of your own`,
      { cause },
    );
  }
}
