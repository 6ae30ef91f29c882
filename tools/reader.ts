/**
 * Readers of a guide: a machine with a runtime, its package manager and the package, but without JSR.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { install, runtime } from "../tests/runtimes/_runtime.ts";
import { bundles } from "./bundle.ts";
import { npmPackage } from "./npm.ts";
import { type Config, root } from "./project.ts";
import { stage } from "./stage.ts";
import type { Reader, ReaderRuntime } from "./walkthrough.ts";

/** The versions that the guide's outputs were printed by. */
const PINNED: Readonly<Record<string, string>> = {
  vitest: "vitest@5.1.2",
  "@electric-sql/pglite": "@electric-sql/pglite@0.5.17",
};
const NPM = "11.21.2";

/** The package on the reader's machine. */
interface Package {
  /** Replaces the command that adds it. */
  readonly replace: (command: string) => string;
  readonly remove?: () => void;
}

/** A reader, whose files are removed afterwards. */
export interface NewReader extends Reader, AsyncDisposable {}

/** Options of {@linkcode reader}. */
export interface ReaderOptions {
  /** Whether nothing may come from a cache, nor be left in one. @default {false} */
  readonly fresh?: boolean;
}

/** Makes a reader with an empty folder. */
export async function reader(
  which: ReaderRuntime,
  { fresh = false }: ReaderOptions = {},
): Promise<NewReader> {
  const machine = await Deno.realPath(await Deno.makeTempDir());
  const at = (name: string) => join(machine, name);
  for (const name of ["bin", "home", "work"]) await Deno.mkdir(at(name));
  await commands(which, at("bin"));
  const { replace, remove } = which === "deno"
    ? await linked(machine)
    : await packed(which);
  return {
    runtime: which,
    folder: at("work"),
    env: {
      PATH: `${at("bin")}:${Deno.env.get("PATH")}`,
      // Without the settings of the machine's user.
      HOME: at("home"),
      ...fresh ? {} : caches(),
    },
    replace: (command) => pinned(replace(command)),
    async [Symbol.asyncDispose]() {
      remove?.();
      await Deno.remove(machine, { recursive: true });
    },
  };
}

/** The caches of the machine's user, for commands that have another home folder. */
function caches(): Record<string, string> {
  const home = Deno.env.get("HOME") ?? "";
  return {
    npm_config_cache: join(home, ".npm"),
    BUN_INSTALL_CACHE_DIR: join(home, ".bun/install/cache"),
    DENO_DIR: Deno.env.get("DENO_DIR") ?? join(home, ".cache/deno"),
  };
}

/** Puts the commands that the reader has in a folder. */
async function commands(which: ReaderRuntime, bin: string): Promise<void> {
  const put = (name: string, ...words: string[]) =>
    Deno.writeTextFile(
      join(bin, name),
      `#!/bin/sh\nexec ${words.map((word) => `"${word}"`).join(" ")} "$@"\n`,
      { mode: 0o755 },
    );
  if (which === "deno") return await put("deno", Deno.execPath());
  const command = await runtime(which === "node" ? "node24" : "bun");
  if (which === "bun") {
    await put("bun", command);
    return await put("bunx", command, "x");
  }
  const dir = new URL(`.runtimes/npm-${NPM}/`, root);
  await install(dir.pathname, { npm: NPM });
  const npm = join(dir.pathname, "node_modules/npm/bin");
  await put("node", command);
  await put("npm", command, join(npm, "npm-cli.js"));
  await put("npx", command, join(npm, "npx-cli.js"));
}

let tarball: Promise<string> | undefined;

/** JSR's own way to npm cannot be reached from everywhere: the package comes from this repository. */
async function packed(which: "node" | "bun"): Promise<Package> {
  const file = await (tarball ??= pack());
  const add = `${which === "node" ? "npm install" : "bun add"} ${file}`;
  return {
    replace: (command) =>
      command.replace(/^(npx|bunx) jsr add @satchel\/session$/, add),
  };
}

/** Makes the package as an archive, since npm would link a folder. */
async function pack(): Promise<string> {
  await npmPackage();
  const file = fileURLToPath(new URL("session.tgz", bundles));
  const { success, stderr } = await new Deno.Command("tar", {
    args: [
      ...["-czf", file, "--transform", "s/^npm/package/"],
      ...["-C", fileURLToPath(bundles), "npm"],
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return file;
}

/** Deno takes the package from a folder in place of JSR. */
async function linked(machine: string): Promise<Package> {
  const staged = await stage();
  const { name, version, links = [] } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", staged.folder)),
  ) as Config;
  const path = join(machine, "deno.json");
  const config = {
    imports: { [name]: `jsr:${name}@^${version}` },
    links: [".", ...links].map((link) => new URL(link, staged.folder).href),
  };
  await Deno.writeTextFile(path, JSON.stringify(config));
  return {
    replace: (command) =>
      command.replace(
        /^deno add jsr:@satchel\/session /,
        `cp ${path} . && deno add `,
      ),
    remove: () => staged[Symbol.dispose](),
  };
}

function pinned(command: string): string {
  if (!/\b(install|add)\b/.test(command)) return command;
  return command.split(" ")
    .map((word) => PINNED[word.replace(/^npm:/, "")] ?? word)
    .join(" ");
}
