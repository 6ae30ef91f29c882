// The suite on Node and Bun, each with its own test runner, against one bundle of the library.
import { assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runtime } from "./_runtime.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

async function run(
  command: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; text: string }> {
  const options = { args, env: { NO_COLOR: "1", ...env } } as const;
  const { code, stdout, stderr } = await new Deno.Command(command, options)
    .output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function withBundle(
  test: (suite: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const SUITE = `${dir}/suite.mjs`;
    const entry = here("./suite.ts");
    const bundled = await run(Deno.execPath(), [
      "bundle",
      "--quiet",
      "--platform=browser",
      "-o",
      SUITE,
      entry,
    ]);
    assertEquals(bundled.code, 0, bundled.text);
    await test(pathToFileURL(SUITE).href);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

for (const version of ["20.20.2", "26.10.0"]) {
  Deno.test(`the conformance suite holds on Node ${version}, with node:test`, () =>
    withBundle(async (SUITE) => {
      const args = ["--test", "--test-reporter=tap", here("./node.mjs")];
      const node = await runtime("node", version);
      const { code, text } = await run(node, args, { SUITE });
      assertEquals(code, 0, text.slice(-4000));
      assertMatch(text, /^# pass \d{2,}$/m);
      assertMatch(text, /^# fail 0$/m);
    }));
}

Deno.test("the conformance suite holds on Bun, with bun:test", () =>
  withBundle(async (SUITE) => {
    const bun = await runtime("bun", "1.4.5");
    const { code, text } = await run(bun, ["test", here("./bun.mjs")], {
      SUITE,
    });
    assertEquals(code, 0, text.slice(-4000));
    assertMatch(text, /^ *\d{2,} pass$/m);
    assertMatch(text, /^ *0 fail$/m);
  }));
