// The command that repeats one rule in a test runner: printed by that runner, and run as it was printed.
import { assertEquals, assertRejects } from "@std/assert";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Surroundings,
  testCommand,
} from "../../conformance/command/runner.ts";
import {
  conformance,
  type Opened,
  type Target,
} from "../../conformance/mod.ts";
import { denoBundle, root } from "../../tools/project.ts";
import { rowName } from "../_row.ts";
import { install, runtime } from "../runtimes/_runtime.ts";

/** Two tests, of which the command must run the second alone; the name has characters of patterns. */
const source = (importTest: string) =>
  `import { appendFileSync, writeFileSync } from "node:fs";
import { testCommand } from "./runner.js";
${importTest}
writeFileSync("command.txt", String(testCommand(test, "a (b): FLASH-10")));
for (const rule of ["FLASH-01", "FLASH-10"]) {
  test(\`a (b): \${rule} says\`, () => appendFileSync("ran.txt", rule + ";"));
}
`;

interface Runner {
  readonly name: string;
  readonly importTest: string;
  /** How all tests are run, in a shell. */
  readonly all: string;
  readonly again: string;
  /** The executable that the shell must find. */
  executable(): Promise<string>;
  /** Packages that the test file imports. */
  readonly packages?: Readonly<Record<string, string>>;
}

const runners: readonly Runner[] = [
  ...(["node20", "node"] as const).map((which) => ({
    name: `node:test on ${which}`,
    importTest: 'import { test } from "node:test";',
    all: "node --test",
    again: 'node --test --test-name-pattern "a \\(b\\): FLASH-10"',
    executable: () => runtime(which),
  })),
  {
    name: "bun:test",
    importTest: 'import { test } from "bun:test";',
    all: "bun test",
    again: 'bun test -t "a \\(b\\): FLASH-10"',
    executable: () => runtime("bun"),
  },
  {
    name: "Deno.test",
    importTest: "const { test } = Deno;",
    all: "deno test -A",
    again: 'deno test -A --filter "a (b): FLASH-10"',
    executable: async () => Deno.execPath(),
  },
  {
    name: "vitest",
    importTest: 'import { test } from "vitest";',
    all: "npx vitest run",
    again: 'npx vitest run -t "a \\(b\\): FLASH-10"',
    executable: () => runtime("node"),
    // Newer versions of vite name an optional package that npm does not have, which Deno does not accept.
    packages: { vitest: "4.1.12", vite: "7.3.8" },
  },
];

for (const { name, importTest, all, again, executable, packages } of runners) {
  Deno.test({
    name: `testCommand() is a command that runs one rule again, in ${name}`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const command = await executable();
      const cwd = await Deno.makeTempDir();
      try {
        if (packages) {
          const [first = []] = Object.entries(packages);
          const dir = fileURLToPath(
            new URL(`.runtimes/${first.join("-")}`, root),
          );
          await install(dir, packages);
          await Deno.symlink(
            join(dir, "node_modules"),
            join(cwd, "node_modules"),
          );
        }
        await denoBundle(
          "--platform=browser",
          ...["-o", join(cwd, "runner.js"), "conformance/command/runner.ts"],
        );
        await Deno.writeTextFile(join(cwd, "package.json"), "{}");
        await Deno.writeTextFile(join(cwd, "a.test.mjs"), source(importTest));
        const shell = async (line: string) => {
          const { stdout, stderr } = await new Deno.Command("bash", {
            args: ["-c", line],
            cwd,
            env: {
              PATH: `${dirname(command)}${delimiter}${Deno.env.get("PATH")}`,
            },
            stdin: "null",
          }).output();
          const decoder = new TextDecoder();
          return `${name}: ${line}\n${decoder.decode(stdout)}${
            decoder.decode(stderr)
          }`;
        };
        const ran = join(cwd, "ran.txt");
        const first = await shell(all);
        assertEquals(
          await Deno.readTextFile(ran).catch(() => ""),
          "FLASH-01;FLASH-10;",
          first,
        );
        const printed = await Deno.readTextFile(join(cwd, "command.txt"));
        assertEquals(printed, again, name);
        await Deno.remove(ran);
        const second = await shell(printed);
        assertEquals(
          await Deno.readTextFile(ran).catch(() => ""),
          "FLASH-10;",
          second,
        );
      } finally {
        await Deno.remove(cwd, { recursive: true });
      }
    },
  });
}

const test = () => {};

Deno.test("testCommand() does not guess", () => {
  const rows: [Surroundings, string | undefined][] = [
    [{}, undefined],
    [{ Deno: { test: () => {} } }, undefined],
    [{ Deno: { test } }, 'deno test -A --filter "x: FLASH-10"'],
    [{ process: { env: {}, versions: {} } }, undefined],
    [{ process: { env: {}, versions: { bun: "1" } } }, undefined],
    [
      { process: { env: { JEST_WORKER_ID: "1" } } },
      'npx jest -t "x: FLASH-10"',
    ],
    [
      { process: { env: { VITEST: "true" }, versions: { bun: "1" } } },
      'npx vitest run -t "x: FLASH-10"',
    ],
  ];
  for (const [here, command] of rows) {
    assertEquals(
      testCommand(test, "x: FLASH-10", here),
      command,
      rowName(here),
    );
  }
});

Deno.test("testCommand() quotes what a shell would change", () => {
  const here = { process: { env: { VITEST: "true" } } };
  assertEquals(
    testCommand(test, `it's $HOME: FLASH-10`, here),
    `npx vitest run -t 'it'\\''s \\$HOME: FLASH-10'`,
  );
});

Deno.test("conformance() names the command of the runner, or the options where it is not known", async () => {
  const target: Target = {
    name: "nothing",
    capabilities: [],
    open: () => ({ storage: {} as Opened["storage"] }),
  };
  const tests: (() => Promise<void>)[] = [];
  const collect = (_: string, fn: () => Promise<void>) => tests.push(fn);
  const options = { only: ["FLASH-01"], seed: 3 };
  conformance(collect, target, options);
  await assertRejects(
    () => tests[0]?.() ?? Promise.resolve(),
    Error,
    '\n  Again: only ["FLASH-01"], seed 3',
  );
  const own = Deno.test;
  try {
    Object.assign(Deno, { test: collect });
    await assertRejects(
      () => tests[0]?.() ?? Promise.resolve(),
      Error,
      '\n  Again: deno test -A --filter "nothing: FLASH-01"\n         with seed: 3 in the options',
    );
  } finally {
    Object.assign(Deno, { test: own });
  }
});
