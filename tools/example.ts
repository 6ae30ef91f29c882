/**
 * Starts an example with this checkout of the library: `deno task example hono_bun`.
 *
 * For Bun, Node and Workers, the library is bundled here and npm installs the other packages.
 */
// deno-lint-ignore-file no-console -- a command
import { exists } from "@std/fs";
import { fileURLToPath } from "node:url";
import { denoBundle, readConfig, root } from "./project.ts";

/** The examples, by their folders. */
export const names = [
  "deno_deploy",
  "hono_bun",
  "workers",
  "react_router",
  "remix",
  "express",
] as const;

const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";

/** The command that starts an example. */
export interface Start {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** Options of {@linkcode prepare}. */
export interface PrepareOptions {
  /** Prints nothing, neither here nor from npm. @default {false} */
  quiet?: boolean;
}

/**
 * Installs the packages of an example, and returns the command that starts it.
 *
 * @throws {Error} If npm is missing or cannot install the packages.
 */
export async function prepare(
  name: string,
  { quiet = false }: PrepareOptions = {},
): Promise<Start> {
  const cwd = fileURLToPath(new URL(`examples/${name}/`, root));
  if (await exists(`${cwd}deno.json`)) {
    return { command: Deno.execPath(), args: ["task", "start"], cwd };
  }
  if (!quiet) console.log("Packing this checkout of @satchel/session for npm.");
  const library = await pack();
  try {
    if (!quiet) {
      console.log(`Installing the packages of examples/${name} with npm.`);
      console.log("The first time, this takes up to a minute.");
    }
    const { success } = await new Deno.Command(npm, {
      args: [
        ...["install", "--no-save", "--no-package-lock", "--install-links"],
        ...["--no-audit", "--no-fund", "--no-update-notifier"],
        "--loglevel=error",
        library,
      ],
      cwd,
      stdin: "null",
      stdout: quiet ? "null" : "inherit",
      // npm shows its progress and its errors here.
      stderr: "inherit",
    }).spawn().status;
    if (!success) throw new Error(`npm cannot install what ${name} needs`);
  } finally {
    await Deno.remove(library, { recursive: true });
  }
  return { command: npm, args: ["start", "--"], cwd };
}

/** Makes a package for npm of this checkout, and returns its folder. */
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
  const [name = "", ...more] = Deno.args;
  if (!(names as readonly string[]).includes(name)) {
    console.error(`Usage: deno task example ${names.join("|")} [ARGUMENTS]`);
    Deno.exit(2);
  }
  try {
    const { command, args, cwd } = await prepare(name);
    const child = new Deno.Command(command, { args: [...args, ...more], cwd });
    Deno.exit((await child.spawn().status).code);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    console.error(missing ? `${npm} is missing: install Node.js` : error);
    Deno.exit(1);
  }
}
