/**
 * How the command was started, for the lines of a report that repeat a rule.
 *
 * @module
 */
import { realpathSync } from "node:fs";
import { basename, isAbsolute, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The name of the command in an npm package. */
const BIN = "satchel-conformance";

/**
 * Whether a module is the one that the runtime was started with.
 *
 * `import.meta.main` is undefined before Node 24.2, and the path of a package's command is a link to the module.
 *
 * @param meta The module's `import.meta`.
 */
export function isMain(meta: { readonly url: string }): boolean {
  const { main } = meta as { readonly main?: boolean };
  if (main !== undefined) return main;
  const [, script] = process.argv;
  if (script === undefined || !meta.url.startsWith("file:")) return false;
  try {
    return realpathSync(script) === realpathSync(fileURLToPath(meta.url));
  } catch {
    return false;
  }
}

/**
 * The words that start the command again, in the runtime and by the package manager that started it.
 *
 * @param url The address of the module that was started.
 */
export function commandLine(url: string): string {
  const { argv, env, execArgv, versions } = process;
  const bun = "bun" in versions;
  if ("deno" in versions) return `deno run -A ${moduleName(url)}`;
  // As it was written, with its links: pnpm keeps packages in folders that nobody names.
  const script = argv[1] ?? fileURLToPath(url);
  if (basename(script).replace(/\.(cmd|exe)$/, "") === BIN) {
    return `${packageRunner(env, bun)} ${BIN}`;
  }
  const path = near(script);
  if (bun) return `bun ${path}`;
  if (execArgv.some((arg) => /[/\\]tsx[/\\]/.test(arg))) {
    return `npx tsx ${path}`;
  }
  return ["node", ...loaders(execArgv), path].join(" ");
}

/** What runs a package's command: that of the package manager that started this one, or npm's. */
function packageRunner(
  env: Readonly<Record<string, string | undefined>>,
  bun: boolean,
): string {
  if (bun) return "bunx --bun";
  // Bun keeps the user agent of a package manager that started Bun.
  if (env["npm_lifecycle_event"] === "bunx") return "bunx";
  const [manager = ""] = env["npm_config_user_agent"]?.split("/") ?? [];
  return { bun: "bunx", pnpm: "pnpm exec", yarn: "yarn" }[manager] ?? "npx";
}

/** The flags that a target file may need to be loaded: `--import tsx`. */
function loaders(execArgv: readonly string[]): string[] {
  return execArgv.flatMap((arg, index) => {
    if (/^--(import|require|loader|conditions)=/.test(arg)) return [arg];
    if (!/^(--(import|require|loader|conditions)|-[rC])$/.test(arg)) return [];
    return [arg, execArgv[index + 1] ?? ""];
  });
}

/** The name of a module for Deno: a file, or a package of JSR. */
function moduleName(url: string): string {
  if (!url.startsWith("file:")) {
    const [, version] = new URL(url).pathname
      .match(/@satchel\/session\/(\d[^/]*)\//) ?? [];
    return `jsr:@satchel/session${
      version ? `@${version}` : ""
    }/conformance/cli`;
  }
  return near(fileURLToPath(url));
}

/** A path for a command line: from the current folder, if it is below that. */
function near(path: string): string {
  const below = relative(process.cwd(), path);
  return (below.startsWith("..") || isAbsolute(below) ? path : below)
    .replaceAll("\\", "/");
}
