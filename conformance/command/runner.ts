/**
 * The test runner that runs a rule, for the line that repeats it.
 *
 * @module
 */
/** What tells one runner from another. */
export interface Surroundings {
  /** Deno's own, where there is one. */
  readonly Deno?: { readonly test?: unknown };
  /** That of Node, Bun or a runtime that has the same. */
  readonly process?: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly versions?: Readonly<Record<string, string | undefined>>;
  };
}

/**
 * The command that runs one test again.
 *
 * vitest, jest, node:test and bun:test are known by their environment, and Deno by its test function.
 *
 * @param test The runner's function.
 * @param name The name of the test up to the rule: `"sqlite: FLASH-10"`.
 * @param here What tells one runner from another. @default {globalThis}
 * @returns The command; `undefined` for a runner that is not known.
 *
 * @example
 * ```ts ignore
 * testCommand(Deno.test, "sqlite: FLASH-10"); // deno test -A --filter "sqlite: FLASH-10"
 * ```
 */
export function testCommand(
  test: unknown,
  name: string,
  here: Surroundings = globalThis as Surroundings,
): string | undefined {
  if (here.Deno?.test !== undefined) {
    return test === here.Deno.test
      ? `deno test -A --filter ${quote(name)}`
      : undefined;
  }
  const { env = {}, versions = {} } = here.process ?? {};
  const pattern = quote(asPattern(name));
  if (env["VITEST"] === "true") return `npx vitest run -t ${pattern}`;
  if (env["JEST_WORKER_ID"] !== undefined) return `npx jest -t ${pattern}`;
  // `bun test` sets it; nothing else shows that it runs.
  if (versions["bun"]) {
    return env["NODE_ENV"] === "test" ? `bun test -t ${pattern}` : undefined;
  }
  return env["NODE_TEST_CONTEXT"] === undefined
    ? undefined
    : `node --test --test-name-pattern ${pattern}`;
}

/** Escapes a regular expression, which these runners take. */
function asPattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** A word for a shell, in double quotes where they suffice: `cmd.exe` knows no others. */
function quote(word: string): string {
  return /["$`!%]|\\\\/.test(word)
    ? `'${word.replaceAll("'", "'\\''")}'`
    : `"${word}"`;
}
