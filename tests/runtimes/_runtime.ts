/**
 * Other runtimes' executables, from npm by way of Deno: nothing needs to be installed, and nothing is left behind
 * outside `.runtimes`.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../.runtimes/", import.meta.url));
const os = { darwin: "darwin", windows: "windows", linux: "linux" }[
  Deno.build.os as "linux"
];
const arm = Deno.build.arch === "aarch64";

/** The oldest Node that is looked after, the newest there is, and Bun. */
const VERSIONS = {
  bun: "1.4.5",
  node20: "20.20.2",
  node22: "22.23.5",
  node24: "24.22.3",
  node: "26.10.0",
} as const;

/** A runtime that comes from npm. */
export type NpmRuntime = keyof typeof VERSIONS;

const PACKAGES = {
  bun: `@oven/bun-${os}-${arm ? "aarch64" : "x64"}`,
  node: `node-${os === "windows" ? "win" : os}-${arm ? "arm64" : "x64"}`,
};

/**
 * The path of a runtime's executable, installed on first use.
 *
 * @throws {Error} If npm cannot be reached.
 */
export async function runtime(which: NpmRuntime): Promise<string> {
  const name = which === "bun" ? "bun" : "node";
  const version = VERSIONS[which];
  const dir = join(root, `${name}-${version}`);
  const file = Deno.build.os === "windows" ? `${name}.exe` : name;
  const path = join(dir, "node_modules", PACKAGES[name], "bin", file);
  if (await exists(path)) return path;
  await install(dir, { [PACKAGES[name]]: version });
  // npm's packages for single platforms do not always mark their file as executable.
  if (Deno.build.os !== "windows") await Deno.chmod(path, 0o755);
  return path;
}

/**
 * Installs packages from npm below a folder, unless they are there.
 *
 * @throws {Error} If npm cannot be reached.
 */
export async function install(
  dir: string,
  dependencies: Readonly<Record<string, string>>,
): Promise<void> {
  // What is bundled into the folder is ES modules.
  const manifest = JSON.stringify({ type: "module", dependencies });
  const done = join(dir, "node_modules", ".installed");
  if (await Deno.readTextFile(done).catch(() => "") === manifest) return;
  await Deno.mkdir(dir, { recursive: true });
  await Deno.writeTextFile(join(dir, "package.json"), manifest);
  await Deno.writeTextFile(
    join(dir, "deno.json"),
    '{ "nodeModulesDir": "auto" }',
  );
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", "--node-modules-dir=auto"],
    cwd: dir,
  }).output();
  if (code !== 0) {
    const names = Object.keys(dependencies).join(", ");
    throw new Error(
      `Cannot install ${names}: ${new TextDecoder().decode(stderr)}`,
    );
  }
  await Deno.writeTextFile(done, manifest);
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
