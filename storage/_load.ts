/**
 * Client packages that are loaded only where they are used.
 *
 * @module
 */

/**
 * Loads a client's package on first use.
 *
 * Its name is no literal in the `import`, because Deno and JSR's npm layer would otherwise install every client for
 * everyone.
 *
 * @param name The package, as on npm.
 * @param instead What may be done where it is not there, after "or".
 * @throws {TypeError} If it cannot be loaded.
 */
export async function loadPackage<T>(
  name: string,
  instead: string,
): Promise<T> {
  const specifier = "Deno" in globalThis ? `npm:${name}` : name;
  try {
    return await import(specifier) as T;
  } catch (cause) {
    throw new TypeError(
      `Cannot load ${name}: install it with npm, or ${instead}`,
      { cause },
    );
  }
}
