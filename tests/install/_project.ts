/**
 * A new project on this machine, with npm and TypeScript that are not of this machine.
 *
 * @module
 */
import { assert } from "@std/assert";
import { delimiter as DELIMITER, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { npmPackage } from "../../tools/npm.ts";
import { root } from "../../tools/project.ts";
import { install, runtime } from "../runtimes/_runtime.ts";

const TOOLS = {
  npm: ["npm", "11.21.2", "npm/bin/npm-cli.js"],
  npx: ["npm", "11.21.2", "npm/bin/npx-cli.js"],
  tsc: ["typescript", "7.0.2", "typescript/bin/tsc"],
  esbuild: ["esbuild", "0.28.1", "esbuild/bin/esbuild"],
} as const;

/** npm and other tools, whatever this machine has of its own. */
export async function tool(name: keyof typeof TOOLS): Promise<string> {
  const [packed, version, file] = TOOLS[name];
  const dir = fileURLToPath(new URL(`.runtimes/${packed}-${version}`, root));
  await install(dir, { [packed]: version });
  return join(dir, "node_modules", file);
}

/** What a command printed, and its exit status. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A folder with a `package.json`. */
export class Project implements AsyncDisposable {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Makes an empty project. */
  static async create(): Promise<Project> {
    const project = new Project(await Deno.makeTempDir());
    await Deno.mkdir(project.folder);
    await project.write("package.json", '{"type":"module"}');
    return project;
  }

  /** The project's folder. */
  get folder(): string {
    return join(this.#dir, "project");
  }

  /** A path beside the project. */
  beside(name: string): string {
    return join(this.#dir, name);
  }

  /** Writes a file of the project. */
  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(join(this.folder, name), text);
  }

  /** Runs a command in the project. */
  async run(
    [command, ...args]: readonly [string, ...string[]],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Ran> {
    const path = `${dirname(command)}${DELIMITER}${Deno.env.get("PATH")}`;
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args,
      cwd: this.folder,
      env: { NO_COLOR: "1", PATH: path, ...env },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  }

  /** Runs a command that succeeds. Returns what it printed. */
  async succeed(...command: readonly [string, ...string[]]): Promise<string> {
    const { code, out, err } = await this.run(command);
    assert(code === 0, out + err);
    return out.trim();
  }

  /** Installs packages: their names, or paths of tarballs. */
  async install(...packages: readonly string[]): Promise<void> {
    const npm = [await runtime("node"), await tool("npm")] as const;
    await this.succeed(
      ...npm,
      ...["install", "--no-audit", "--no-fund", ...packages],
    );
  }

  /** Checks the types of a file, with those of the packages. */
  async check(file: string, ...options: readonly string[]): Promise<void> {
    await this.succeed(
      ...[await runtime("node"), await tool("tsc"), "--noEmit"] as const,
      ...["--strict", "--skipLibCheck", "false", "--target", "esnext"],
      ...["--lib", "esnext,dom,dom.iterable", "--types", "", ...options, file],
    );
  }

  /** Makes the npm package. Returns the path of its tarball. */
  async pack(name: string = "package"): Promise<string> {
    const folder = this.beside(name);
    await npmPackage(pathToFileURL(`${folder}/`));
    const to = this.beside(`${name}-packed`);
    await Deno.mkdir(to);
    const node = await runtime("node");
    const npm = await tool("npm");
    await this.succeed(
      ...[node, npm, "pack", folder, "--json", "--pack-destination", to],
    );
    const [tarball] = await Array.fromAsync(Deno.readDir(to));
    return join(to, tarball?.name ?? "");
  }

  /** Removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#dir, { recursive: true });
  }
}
