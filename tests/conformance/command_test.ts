// The command as a process of its own, on every runtime: what it prints, and with which status it ends.
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { join } from "node:path";
import type { Report } from "../../conformance/mod.ts";
import { wantsColour } from "../../conformance/command/process.ts";
import { bundle } from "../../tools/bundle.ts";
import { rowName } from "../_row.ts";
import { CLI, type Ended, FILES, run, runInShell, start } from "./_command.ts";

await bundle();

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
