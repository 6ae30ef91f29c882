// The command as a process of its own, on every runtime: what it prints, and with which status it ends.
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "../../conformance/mod.ts";
import { wantsColour } from "../../conformance/command/process.ts";
import { bundle, bundles } from "../../tools/bundle.ts";
import { rowName } from "../_row.ts";
import { type NpmRuntime, runtime } from "../runtimes/_runtime.ts";

await bundle();
const CLI = fileURLToPath(new URL("conformance/cli.js", bundles));

/** A target file: `head` comes before it, and `open` instead of its own. */
function target(
  {
    head = "",
    open =
      "({ namespace: _, ...options }) => ({ storage: createMemorySessionStorage(options) })",
  },
): string {
  return `import process from "node:process";
import { createMemorySessionStorage } from "${new URL("mod.js", bundles)}";
${head}
export default { name: "a", capabilities: ["revoke", "merge"], open: ${open} };
`;
}

const typed = `${target({})}export const typed: string = "x";\n`;

/** The files that the command is run on. */
const FILES: Readonly<Record<string, string>> = {
  "good.mjs": target({}),
  "typed.ts": typed,
  "loud.mjs": target({
    head: `setInterval(() => {}, 1000);
console.log("log"); console.table("table"); process.stdout.write("raw\\n");
globalThis.Deno?.stdout.writeSync(new TextEncoder().encode("deno\\n"));`,
  }),
  "broken.mjs": target({
    open: `({ namespace: _, ...options }) => {
  const storage = createMemorySessionStorage(options);
  return { storage: { read: () => storage.read(null), save: (session) => storage.save(session) } };
}`,
  }),
  "exits.mjs": target({ head: "process.exit(0);" }),
  "exits_later.mjs": target({ open: "() => process.exit(0)" }),
  "deno_exits.mjs": target({
    open: "() => globalThis.Deno ? Deno.exit(0) : process.exit(0)",
  }),
  "never.mjs": target({ head: "await new Promise(() => {});" }),
  "hangs.mjs": target({ open: "() => new Promise(() => {})" }),
  "rejects.mjs": target({ head: 'void Promise.reject(new Error("lost"));' }),
  "throws.mjs": target({
    head: 'setTimeout(() => { throw new Error("late"); });',
  }),
  "code.mjs": target({ head: "process.exitCode = 0;", open: "1" }),
};

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** How a runtime starts a module. */
type Start = readonly [command: string, ...args: string[]];

async function start(which: NpmRuntime | "deno"): Promise<Start> {
  if (which === "deno") return [Deno.execPath(), "run", "-A", "--no-config"];
  const command = await runtime(which);
  return which === "bun" ? [command, "run"] : [command];
}

async function run(
  start: Start,
  cwd: string,
  args: string,
  env: Record<string, string> = {},
): Promise<Ended> {
  const [command, ...first] = start;
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...first, CLI, ...args.split(" ")],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    out: decoder.decode(stdout),
    // Node announces that it strips types.
    err: decoder.decode(stderr).replace(/^\(node:.*\n|^\(Use `node.*\n/gm, ""),
  };
}

/** Closes standard output before the command writes to it, or gives it a disk that is full. */
async function runInShell(
  [command, ...args]: Start,
  cwd: string,
  rest: string,
): Promise<Ended> {
  const words = [command, ...args, CLI].map((word) => `'${word}'`).join(" ");
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", `set -o pipefail; ${words} ${rest}`],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** A case: the arguments, and what must come of it. */
const cases: readonly (readonly [
  name: string,
  args: string,
  check: (ended: Ended, which: string) => void,
])[] = [
  [
    "gives status 0 and the report, for rules that are kept",
    "good.mjs --seed 3 --only PERSIST,FLASH,UNSET,SERIAL",
    ({ code, out, err }, which) => {
      assertEquals([code, err], [0, ""], which);
      assertMatch(out, /^a · rules .* · seed 3\n/, which);
      assertMatch(
        out,
        /\npartial: \d+ passed, \d+ not applicable\n$/,
        which,
      );
      for (const line of out.split("\n")) {
        assert(line.length <= 80, `${which}: ${line}`);
      }
    },
  ],
  [
    "gives status 1 and the command that repeats it, for a broken rule",
    "broken.mjs --seed 3 --only FLASH-01 --deadline 5",
    ({ code, out, err }, which) => {
      assertEquals([code, err], [1, ""], which);
      const program = which === "deno"
        ? "deno run -A"
        : which === "bun"
        ? "bun"
        : "node";
      assertMatch(
        out,
        new RegExp(
          `\\n  again   ${program} ${CLI} broken\\.mjs --only FLASH-01 --seed 3 --deadline 5\\n`,
        ),
        which,
      );
    },
  ],
  [
    "loads a target in TypeScript, or says what to do",
    "typed.ts --only FLASH-01",
    ({ code, out, err }, which) => {
      if (which !== "node20") {
        assertEquals([code, err], [0, ""], which);
        assertMatch(out, /partial: 1 passed\n$/, which);
        return;
      }
      assertEquals([code, out], [2, ""], which);
      assertMatch(
        err,
        /^error: typed\.ts cannot be loaded: Node 20\.[\d.]+ does not read TypeScript; use Node 22\.18 or newer, name a \.js or \.mjs file, or [^\n]+\n$/,
        which,
      );
    },
  ],
  [
    "keeps what a target prints out of the report, and ends though a timer is left",
    "loud.mjs --json --only FLASH-01",
    ({ code, out, err }, which) => {
      assertEquals(code, 0, which);
      assertEquals((JSON.parse(out) as Report).target, "a", which);
      const deno = which === "deno" ? "deno\n" : "";
      assertEquals(err, `log\ntable\nraw\n${deno}`, which);
    },
  ],
  ...["exits.mjs", "exits_later.mjs", "deno_exits.mjs"].map((file) =>
    [
      `gives status 2, for a target that ends the process: ${file}`,
      file,
      ({ code, out, err }: Ended, which: string) => {
        assertEquals([code, out], [2, ""], which);
        assertEquals(
          err,
          "error: the target ended the process before the report was written\n",
          which,
        );
      },
    ] as const
  ),
  [
    "gives status 2, for a module that waits for something that never happens",
    "never.mjs",
    ({ code, out, err }, which) => {
      assertEquals([code, out], [2, ""], which);
      // Deno keeps waiting, so the time limit ends it.
      const reason = which === "deno"
        ? "never.mjs cannot be loaded: Error: it took more than 30000 ms"
        : "the target waits for something that can never happen";
      assertEquals(err, `error: ${reason}\n`, which);
    },
  ],
  [
    "gives status 2, for an open that never answers",
    "hangs.mjs --only FLASH-01 --deadline 0.2",
    ({ code, out }, which) => {
      assertEquals(code, 2, which);
      assertMatch(out, /reason +open\(\) took more than 200 ms/, which);
    },
  ],
  ...["rejects.mjs", "throws.mjs"].map((file) =>
    [
      `does not give status 0, for a module that throws outside of every call: ${file}`,
      `${file} --only FLASH`,
      ({ code, out, err }: Ended, which: string) => {
        // 2 if it throws while it is loaded, 3 if a rule was running.
        assert([2, 3].includes(code), `${which}: ${code} ${out}`);
        assertMatch(
          out + err,
          /an error was thrown outside of every call/,
          which,
        );
      },
    ] as const
  ),
  [
    "gives status 2, for an invalid target that sets an exit code",
    "code.mjs",
    ({ code, out, err }, which) => {
      assertEquals([code, out], [2, ""], which);
      assertMatch(err, /^error: .* open must be a function\n$/, which);
    },
  ],
  [
    "gives status 2, for a file that does not exist",
    "none.mjs",
    (ended, which) =>
      assertEquals(
        ended,
        { code: 2, out: "", err: "error: cannot find none.mjs\n" },
        which,
      ),
  ],
];

Deno.test("wantsColour() colours a terminal only, unless the environment says otherwise", () => {
  const rows: [Record<string, string>, terminal: boolean, boolean][] = [
    [{}, true, true],
    [{}, false, false],
    [{ NO_COLOR: "1" }, true, false],
    [{ NO_COLOR: "" }, true, true],
    [{ TERM: "dumb" }, true, false],
    [{ FORCE_COLOR: "1" }, false, true],
    [{ FORCE_COLOR: "" }, false, true],
    [{ FORCE_COLOR: "1", NO_COLOR: "1" }, false, true],
    [{ FORCE_COLOR: "0" }, true, false],
    [{ FORCE_COLOR: "false" }, true, false],
  ];
  for (const [env, terminal, expected] of rows) {
    assertEquals(
      wantsColour(env, terminal),
      expected,
      rowName({ env, terminal }),
    );
  }
});

const RUNTIMES = ["deno", "node20", "node22", "node24", "node", "bun"] as const;

Deno.test({
  name: "the command has the same output and the same status on every runtime",
  // A step's work is under way in another process while the next one begins.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    const cwd = await Deno.makeTempDir();
    for (const [file, source] of Object.entries(FILES)) {
      await Deno.writeTextFile(join(cwd, file), source);
    }
    const step = (name: string, fn: () => Promise<void>) =>
      t.step({
        name,
        fn,
        sanitizeOps: false,
        sanitizeResources: false,
        sanitizeExit: false,
      });
    const reports = new Map<string, string>();
    try {
      await Promise.all(RUNTIMES.map(async (which) => {
        const command = await start(which);
        // One after the other on each runtime, or they would be slow enough for a deadline.
        for (const [name, args, check] of cases) {
          await step(`${which} ${name}`, async () => {
            const ended = await run(command, cwd, args);
            check(ended, which);
            // How many cases there was time for depends on the machine.
            const same = ended.out.replace(/Some of the cases[^]*?\n\n/, "");
            if (args.startsWith("good")) reports.set(which, same);
          });
        }
        await step(
          `${which} takes colours and the deadline from the environment`,
          async () => {
            const { code, out } = await run(
              command,
              cwd,
              "hangs.mjs --only FLASH-01",
              { FORCE_COLOR: "1", CONFORMANCE_DEADLINE: "0.3" },
            );
            assertEquals(code, 2, which);
            assertStringIncludes(
              out,
              "\x1b[1;31m! FLASH-01 error\x1b[0m",
              which,
            );
            assertMatch(out, /took more than 300 ms/, which);
          },
        );
        if (Deno.build.os === "windows") return;
        await step(
          `${which} gives status 2, where nobody reads its output`,
          async () => {
            assertEquals(
              await runInShell(command, cwd, "good.mjs --only FLASH-01 | true"),
              {
                code: 2,
                out: "",
                err:
                  "error: standard output was closed before the report was written\n",
              },
              which,
            );
          },
        );
        if (Deno.build.os !== "linux") return;
        await step(
          `${which} gives status 2, where the disk is full`,
          async () => {
            assertEquals(
              await runInShell(
                command,
                cwd,
                "good.mjs --only FLASH-01 > /dev/full",
              ),
              {
                code: 2,
                out: "",
                err:
                  "error: the report cannot be written to standard output: ENOSPC\n",
              },
              which,
            );
          },
        );
      }));
      const texts = [...reports.values()];
      assertEquals(texts.length, RUNTIMES.length);
      assertEquals(new Set(texts).size, 1, texts.join("\n"));
    } finally {
      await Deno.remove(cwd, { recursive: true });
    }
  },
});
