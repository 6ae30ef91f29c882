/**
 * The command as a process: targets to run it on, and each runtime.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { bundles } from "../../tools/bundle.ts";
import { type NpmRuntime, runtime } from "../runtimes/_runtime.ts";

/** The command, as it is bundled. */
export const CLI: string = fileURLToPath(
  new URL("conformance/cli.js", bundles),
);

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
export const FILES: Readonly<Record<string, string>> = {
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

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** How a runtime starts a module. */
export type Start = readonly [command: string, ...args: string[]];

/** How one runtime starts a module. */
export async function start(which: NpmRuntime | "deno"): Promise<Start> {
  if (which === "deno") return [Deno.execPath(), "run", "-A", "--no-config"];
  const command = await runtime(which);
  return which === "bun" ? [command, "run"] : [command];
}

/** Runs the command in a folder. */
export async function run(
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
export async function runInShell(
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
