/**
 * Starts an example, with this library as it stands here: `deno task example hono_bun`.
 *
 * What an example for Bun, Node or Workers would install from JSR is bundled first; npm installs the rest.
 */
// deno-lint-ignore-file no-console -- a command
import { exists } from "@std/fs";
import { fileURLToPath } from "node:url";
import { denoBundle, readConfig, root } from "./project.ts";

/** The examples, by their folders. */
export const names = [
  "deno_deploy",
  "hono_bun",
  "workers_kv",
  "react_router",
  "remix",
  "express",
] as const;

/** What starts an example. */
export interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/**
 * Installs what an example needs; gives the command that starts it.
 *
 * @throws {Error} If npm is missing, or cannot install.
 */
export async function prepare(name: string): Promise<Start> {
  const cwd = fileURLToPath(new URL(`examples/${name}/`, root));
  if (await exists(`${cwd}deno.json`)) {
    return { command: Deno.execPath(), args: ["task", "start"], cwd };
  }
  const library = await pack();
  const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";
  const { success, stderr } = await new Deno.Command(npm, {
    args: [
      ...["install", "--no-save", "--no-package-lock", "--install-links"],
      ...["--no-audit", "--no-fund", "--loglevel=error"],
      library,
    ],
    cwd,
    stdin: "null",
    stdout: "null",
  }).output();
  await Deno.remove(library, { recursive: true });
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return { command: npm, args: ["start", "--"], cwd };
}

/** Makes a package for npm of the library as it stands here; gives its folder. */
async function pack(): Promise<string> {
  const { name, version, exports } = readConfig();
  const folder = await Deno.makeTempDir();
  await denoBundle(
    ...["--platform=browser", "--code-splitting", `--outdir=${folder}`],
    ...Object.values(exports),
  );
  const entries = Object.entries(exports)
    .map(([entry, file]) => [entry, file.replace(/ts$/, "js")]);
  await Deno.writeTextFile(
    `${folder}/package.json`,
    JSON.stringify({
      name,
      version,
      type: "module",
      exports: Object.fromEntries(entries),
    }),
  );
  return folder;
}

if (import.meta.main) {
  const [name = ""] = Deno.args;
  if ((names as readonly string[]).includes(name)) {
    const { command, args, cwd } = await prepare(name);
    const more = Deno.args.slice(1);
    const child = new Deno.Command(command, { args: [...args, ...more], cwd });
    Deno.exit((await child.spawn().status).code);
  }
  console.error(`Usage: deno task example ${names.join("|")} [ARGUMENTS]`);
  Deno.exit(2);
}
