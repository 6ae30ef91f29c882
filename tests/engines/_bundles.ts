/**
 * Runs a suite on another runtime, with that runtime's own test runner.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { runtime } from "../runtimes/_runtime.ts";

const VERSIONS = { bun: "1.4.5", node: "20.20.2" } as const;

/**
 * Bundles a module that exports `register(test)` and runs what it registers.
 *
 * @param name The runtime.
 * @param suite The module, beside this one.
 * @param env What the module reads from the environment.
 */
export async function runElsewhere(
  name: keyof typeof VERSIONS,
  suite: string,
  env: Record<string, string>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const SUITE = `${dir}/suite.mjs`;
    const bundled = await run(Deno.execPath(), [
      ...["bundle", "--quiet", "--platform=browser", "-o", SUITE],
      path(suite),
    ]);
    assertEquals(bundled.code, 0, bundled.text);
    const main = path(`../runtimes/${name}.mjs`);
    const args = name === "bun"
      ? ["test", main]
      : ["--test", "--test-reporter=tap", main];
    const command = await runtime(name, VERSIONS[name]);
    const { code, text } = await run(command, args, { ...env, SUITE });
    assertEquals(code, 0, text.slice(-4000));
    assertMatch(text, /^(# pass \d{2,}| *\d{2,} pass)$/m);
    assertMatch(text, /^(# fail 0| *0 fail)$/m);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function path(relative: string): string {
  return new URL(relative, import.meta.url).pathname;
}

async function run(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}
