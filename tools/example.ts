/**
 * Starts an example, with this library as it stands here: `deno task example hono_bun`.
 *
 * What an example for Bun, Node or Workers would install from JSR is bundled first; npm installs the rest.
 */
// deno-lint-ignore-file no-console -- a command
import { exists } from "@std/fs";
import { fileURLToPath } from "node:url";
import { bundle, bundles } from "./bundle.ts";
import { root } from "./_project.ts";

/** The examples, by their folders. */
export const names = [
  "deno_deploy",
  "hono_bun",
  "workers_kv",
  "react_router",
  "remix",
  "express",
] as const;

/**
 * Installs what an example needs; gives the command that starts it.
 *
 * @throws {Error} If npm is missing, or cannot install.
 */
export async function prepare(name: string): Promise<Deno.Command> {
  const cwd = fileURLToPath(new URL(`examples/${name}/`, root));
  const start = (command: string, args: string[]) =>
    new Deno.Command(command, { args, cwd, stdin: "null" });
  if (await exists(`${cwd}deno.json`)) {
    return start(Deno.execPath(), ["task", "start"]);
  }
  await bundle();
  const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";
  const { success, stderr } = await new Deno.Command(npm, {
    args: [
      ...["install", "--no-save", "--no-package-lock", "--install-links"],
      ...["--no-audit", "--no-fund", "--loglevel=error"],
      fileURLToPath(bundles),
    ],
    cwd,
    stdin: "null",
    stdout: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return start(npm, ["start"]);
}

if (import.meta.main) {
  const [name = ""] = Deno.args;
  if ((names as readonly string[]).includes(name)) {
    const command = await prepare(name);
    Deno.exit((await command.spawn().status).code);
  }
  console.error(`Usage: deno task example ${names.join("|")}`);
  Deno.exit(2);
}
