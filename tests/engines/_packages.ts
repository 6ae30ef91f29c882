/**
 * Engines and clients from npm. Their tests are skipped, with a message, if the packages cannot be installed.
 *
 * @module
 */
import { quietly } from "../_quiet.ts";

/**
 * Registers an engine's tests.
 *
 * If its packages are missing, the tests are reported as skipped, with the command that installs them. With `CI=true`,
 * they fail.
 *
 * @param engine The name of the engine or client, for the output.
 * @param packages Its npm packages.
 * @param start Starts the engine.
 * @param register Registers the tests.
 */
export async function withPackages<T>(
  engine: string,
  packages: readonly string[],
  start: () => Promise<T>,
  register: (started: T) => void,
): Promise<void> {
  try {
    // The name is not a literal, because Deno would otherwise install the packages for a type check.
    for (const name of packages) {
      // Some packages warn at once of what they cannot do here, and what no test needs.
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
