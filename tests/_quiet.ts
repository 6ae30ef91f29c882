/**
 * Keeps notes off the output of the tests that are not about what is tested.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- it is replaced for a while

/** Runs something, and prints nothing of what it says at one level of the console. */
export async function quietly<T>(
  level: "debug" | "error" | "warn",
  run: () => T | Promise<T>,
): Promise<T> {
  const print = console[level];
  console[level] = () => {};
  try {
    return await run();
  } finally {
    console[level] = print;
  }
}
