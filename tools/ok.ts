/**
 * Every check of this repository, one line each.
 *
 * `deno task ok`, or `deno task ok --static` for all but the tests.
 */
// deno-lint-ignore-file no-console -- a command
import { deno, readConfig, root, substitutes } from "./project.ts";

interface Step {
  name: string;
  /** Arguments of `deno`, one command after the other. */
  commands: string[][];
  /** Whether it runs the tests, or needs what they left. */
  tests?: boolean;
}

const config = readConfig();
const entries = Object.values(config.exports);
// The lock file was written for the substitutes.
const lock = substitutes(config).length > 0 ? ["--lock=deno.lock"] : [];
const coverage = ".coverage";
/** Checked like the README: what they show has to compile. */
const guides = [
  "docs/coming-from.md",
  "docs/guide.md",
  "docs/operate.md",
  "docs/recipes.md",
  "docs/runtimes.md",
  "docs/storages.md",
];

const steps: Step[] = [
  { name: "format", commands: [["fmt", "--check"]] },
  { name: "lint", commands: [["lint"]] },
  {
    name: "API docs",
    // One at a time: together, an entry may lean on types that only another exports.
    commands: [
      ...entries.map((entry) => ["doc", "--lint", entry]),
      tool("doc", "--check"),
    ],
  },
  { name: "types", commands: [["check", "--doc", ...lock]] },
  { name: "types without Deno", commands: [tool("portable")] },
  { name: "imports", commands: [tool("imports")] },
  { name: "words", commands: [tool("words")] },
  { name: "SPEC", commands: [tool("spec", "--check")] },
  {
    name: "guides",
    commands: [
      tool("runtimes", "--check"),
      tool("readme", "README.md", "CONTRIBUTING.md", ...guides),
      ["check", "--doc-only", "README.md", ...guides],
    ],
  },
  {
    name: "tests",
    commands: [["test", "-A", "--doc", `--coverage=${coverage}`, ...lock]],
    tests: true,
  },
  { name: "coverage", commands: [tool("coverage", coverage)], tests: true },
  { name: "publish", commands: [tool("publish")] },
];

function tool(name: string, ...args: string[]): string[] {
  return ["run", "-A", `tools/${name}.ts`, ...args];
}

async function runStep({ name, commands }: Step): Promise<boolean> {
  const start = performance.now();
  for (const command of commands) {
    const { ok, text } = await deno(command);
    if (ok) continue;
    report(name, "failed", start);
    console.log(text);
    return false;
  }
  report(name, "ok", start);
  return true;
}

function report(name: string, outcome: string, start: number): void {
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${name.padEnd(20)} ${outcome.padEnd(6)} ${seconds} s`);
}

async function forgetCoverage(): Promise<void> {
  try {
    await Deno.remove(new URL(coverage, root), { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

const onlyStatic = Deno.args.includes("--static");
const failed: string[] = [];
await forgetCoverage();
for (const step of steps) {
  if (onlyStatic && step.tests) continue;
  if (!await runStep(step)) failed.push(step.name);
}
console.log(failed.length > 0 ? `failed: ${failed.join(", ")}` : "all ok");
if (failed.length > 0) Deno.exit(1);
