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

const PACKAGES: Record<"bun" | "node", string> = {
  bun: `@oven/bun-${os}-${arm ? "aarch64" : "x64"}`,
  node: `node-${os === "windows" ? "win" : os}-${arm ? "arm64" : "x64"}`,
};

/**
 * The path of a runtime's executable, installed on first use.
 *
 * @throws {Error} If npm cannot be reached.
 */
export async function runtime(
  name: "bun" | "node",
  version: string,
): Promise<string> {
  const dir = join(root, `${name}-${version}`);
  const file = Deno.build.os === "windows" ? `${name}.exe` : name;
  const path = join(dir, "node_modules", PACKAGES[name], "bin", file);
  if (await exists(path)) return path;
  await Deno.mkdir(dir, { recursive: true });
  const dependencies = { [PACKAGES[name]]: version };
  await Deno.writeTextFile(
    join(dir, "package.json"),
    JSON.stringify({ dependencies }),
  );
  await Deno.writeTextFile(
    join(dir, "deno.json"),
    '{ "nodeModulesDir": "auto" }',
  );
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", "--node-modules-dir=auto"],
    cwd: dir,
  }).output();
  if (code !== 0 || !await exists(path)) {
    throw new Error(
      `Cannot install ${name}: ${new TextDecoder().decode(stderr)}`,
    );
  }
  // npm's packages for single platforms do not always mark their file as executable.
  if (Deno.build.os !== "windows") await Deno.chmod(path, 0o755);
  return path;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
