/**
 * How much the tests try: a quick choice (`deno task test`), or everything (`deno task test:thorough`).
 *
 * The exhaustive form of `x_test.ts` is `x_thorough.ts`. It sets {@linkcode effort} and then loads `x_test.ts`. Deno
 * loads the modules of each test file anew, so no other test file sees the change. A test without a quick form stands in
 * `x_thorough.ts` itself. What takes minutes is named `x_long.ts` instead, and `deno task test:long` runs it.
 *
 * @module
 */

/** What a test file asks before it leaves something out. */
export const effort: { thorough: boolean; long: boolean } = {
  thorough: false,
  long: false,
};
