/** The command on targets of each kind: engines, storages, and storages that several processes use. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { deno, root } from "../../tools/project.ts";
import { rowName } from "../_row.ts";

const CLI = "conformance/cli.ts";
const SQLITE = "examples/sqlite_target.ts";
const dir = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => {
  Deno.removeSync(dir, { recursive: true });
});

/** A module that exports an engine in memory. */
const engine = `${dir}/engine.ts`;
await Deno.writeTextFile(
  engine,
  `import { MemoryEngine } from ${
    JSON.stringify(new URL("storage/engines/memory.ts", root).href)
  };
const engines = new Map();
export default {
  name: "memory engine",
  clock: { kind: "virtual", advance() {} },
  open({ namespace, now }) {
    const engine = engines.get(namespace) ?? new MemoryEngine(1000, now, () => {});
    engines.set(namespace, engine);
    return engine;
  },
};
`,
);

async function command(...args: string[]) {
  return await deno(["run", "-A", "--no-check", CLI, ...args]);
}

Deno.test("cli tries the engine contract, on a target without capabilities", async () => {
  const badge = `${dir}/badge.svg`;
  const { ok, stdout } = await command(engine, "--seed", "1", "--badge", badge);
  assertEquals(ok, true);
  assertMatch(stdout, /^memory engine · rules 2026\.2 · seed 1\n\n {2}Engine /);
  assertMatch(stdout, /\nconformant: \d+ passed/);
  assertStringIncludes(
    await Deno.readTextFile(badge),
    "2026.2 conformant: engine contract",
  );
});

Deno.test("cli lets processes work on a storage and kills some, with --processes and --kill", async () => {
  const options = ["--processes", "2", "--kill", "--seed", "1"];
  const { ok, stdout, text } = await command(SQLITE, ...options);
  assertEquals(ok, true, text);
  assertMatch(stdout, /\n {2}Histories /);
  assertMatch(stdout, /\nconformant: \d+ passed/);
});

const misused: [readonly string[], RegExp][] = [
  [[SQLITE, "--kill"], /--kill needs --processes: --processes 4 --kill/],
  [[SQLITE, "--processes", "1"], /must be a whole number from 2 to 16/],
  [
    [SQLITE, "--processes", "4", "--only", "FLASH"],
    /--processes cannot be used with --only/,
  ],
  [
    [engine, "--processes", "4"],
    /--processes needs a storage: memory engine is a target for an engine/,
  ],
  [[engine, "--self-check"], /--self-check needs a storage/],
  [
    [engine, "--only", "FLASH"],
    /--only names no rule for .*: rules about engines need a target without/,
  ],
  [[SQLITE, "--only", "ENGINE"], /--only names no rule for/],
];

for (const [args, message] of misused) {
  Deno.test(`cli says what is wrong, for ${rowName(args.slice(1))} on ${args[0]?.split("/").at(-1)}`, async () => {
    const { ok, stdout, text } = await command(...args);
    assertEquals([ok, stdout], [false, ""], text);
    assertMatch(text, message);
  });
}
