/**
 * What the tests of the suite keep from being printed.
 */
// deno-lint-ignore-file no-console -- it is silenced for a while

/** Runs something that may say more at `console.debug` than a reader wants. */
export async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const { debug } = console;
  console.debug = () => {};
  try {
    return await run();
  } finally {
    console.debug = debug;
  }
}
