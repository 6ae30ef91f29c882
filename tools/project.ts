/** What the tools need to know of this repository. */
import { exists, walk } from "@std/fs";
import { pathToFileURL } from "node:url";

/** The part of deno.json that the tools read. */
export interface Config {
  /** The package. */
  name: string;
  /** Its version. */
  version: string;
  /** Entry name to file, as published. */
  exports: Record<string, string>;
  /** Folders with a deno.json of their own, `./` at the start: examples, and substitutes for JSR packages. */
  workspace?: string[];
  /** Other packages as `links`, for a copy outside this repository. */
  links?: string[];
  /** What `deno task` runs. */
  tasks: Record<string, { command: string }>;
  /** What a published package holds. */
  publish: { include: string[]; exclude: string[] };
  /** The compiler's options. */
  compilerOptions: Record<string, unknown>;
}

/** The root folder of the repository, with a slash at its end. */
export const root: URL = new URL("../", import.meta.url);

/** The configuration's own path. */
export const configPath: URL = new URL("deno.json", root);

/** Reads deno.json. */
export function readConfig(): Config {
  return JSON.parse(Deno.readTextFileSync(configPath));
}

/** The workspace's substitutes for JSR packages; none after `tools/use_jsr.ts`. */
export function substitutes({ workspace = [] }: Config): string[] {
  return workspace.filter((folder) => folder.startsWith("./tools/std/"));
}

/** Writes deno.json's successor to a path. */
export function writeConfig(path: URL | string, config: Config): void {
  Deno.writeTextFileSync(path, JSON.stringify(config, null, 2) + "\n");
}

/** The source files, tests aside, that are in these folders or are named. */
export async function filesIn(names: string[]): Promise<URL[]> {
  const files: URL[] = [];
  for (const name of names) {
    const url = new URL(name, root);
    if (!await exists(url)) continue;
    if (name.endsWith(".ts")) files.push(url);
    else {
      const found = walk(url, { includeDirs: false, exts: [".ts", ".tsx"] });
      for await (const { path } of found) files.push(pathToFileURL(path));
    }
  }
  return files.filter((url) => !/_test\.tsx?$/.test(url.pathname));
}

/** What a command printed, and whether it went well. */
export interface Outcome {
  /** Whether it ended with status 0. */
  ok: boolean;
  /** What it printed on standard output. */
  stdout: string;
  /** All that it printed, standard error after standard output. */
  text: string;
}

/** Runs `deno` with arguments, in the root folder unless told otherwise. */
export async function deno(
  args: string[],
  options: { cwd?: string | URL; env?: Record<string, string> } = {},
): Promise<Outcome> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: options.cwd ?? root,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  const out = decoder.decode(stdout);
  return { ok: success, stdout: out, text: out + decoder.decode(stderr) };
}

/**
 * Bundles with Deno, which alone resolves `jsr:` and TypeScript by itself.
 *
 * @throws {Error} If something cannot be bundled, with what Deno says.
 */
export async function denoBundle(...args: string[]): Promise<void> {
  const { ok, text } = await deno(["bundle", "--quiet", ...args]);
  if (!ok) throw new Error(`Cannot bundle ${args.join(" ")}: ${text}`);
}
