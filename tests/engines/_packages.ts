/**
 * Engines and clients that come as npm packages: their tests run where the packages can be had, and say so where not.
 *
 * @module
 */
import { quietly } from "../_quiet.ts";

/**
 * Registers an engine's tests.
 *
 * Where its packages are missing the tests are reported as skipped, with the command that installs them; with `CI=true`
 * that is a failure.
 *
 * @param engine What is tested, for people.
 * @param packages Its npm packages.
 * @param start Starts what they bring.
 * @param register Registers the tests.
 */
export async function withPackages<T>(
  engine: string,
  packages: readonly string[],
  start: () => Promise<T>,
  register: (started: T) => void,
): Promise<void> {
  try {
    // By a name that is no literal, or Deno would install them for whoever only checks the types.
    for (const name of packages) {
      // Some say at once what they cannot do here, and no test asks for.
      await quietly("warn", () => import(name));
    }
  } catch (cause) {
    const advice = `${packages.join(", ")} cannot be had: deno cache ${
      packages.join(" ")
    }`;
    Deno.test({
      name: `engine skipped: ${engine}: ${advice}`,
      ignore: Deno.env.get("CI") !== "true",
      fn() {
        throw new Error(advice, { cause });
      },
    });
    return;
  }
  register(await start());
}
