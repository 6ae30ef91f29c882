/**
 * Loads the client of a database, only if an application asks for it by an address.
 *
 * @module
 */
import { builtin } from "../../core/runtime.ts";

interface ProcessLike {
  readonly versions?: Readonly<Record<string, string | undefined>>;
}

/**
 * Loads a package: on Deno from npm, elsewhere as the application installed it.
 *
 * `import` receives the name as a variable. Deno and JSR's npm layer install each package that a module names as a
 * literal, and nobody should install the clients of databases that they do not use.
 *
 * @param name The package.
 * @param range The versions that work, for Deno.
 * @throws {Error} If the package cannot be loaded.
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
      `Cannot load the package "${name}": install it, or pass your own client`,
      { cause },
    );
  }
}
