/**
 * Serves the application on another runtime.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { denoBundle } from "../../../tools/project.ts";
import { install, type NpmRuntime, runtime } from "../../runtimes/_runtime.ts";
import type { Served } from "./_driver.ts";

/** Bundles a module of this folder. */
export async function bundle(module: string, out: string): Promise<void> {
  const path = fileURLToPath(new URL(module, import.meta.url));
  await denoBundle("--platform=browser", "-o", out, path);
}

/**
 * Runs a module that serves the application and prints its origin.
 *
 * @param dependencies What is not bundled, but installed beside it: packages that are others on each runtime. The
 * module imports them by a name that is not a literal.
 */
export async function serveElsewhere(
  name: NpmRuntime,
  module: string,
  dependencies?: Readonly<Record<string, string>>,
): Promise<Served> {
  const dir = await Deno.makeTempDir(
    dependencies && { dir: await installed(dependencies) },
  );
  const main = `${dir}/main.mjs`;
  await bundle(module, main);
  const child = new Deno.Command(await runtime(name), {
    args: [main],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value: origin = "" } = await lines.read();
  return {
    origin: origin.trim(),
    async stop() {
      child.kill();
      await lines.cancel();
      await child.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** The folder with these packages. Modules in the folders below it find them. */
async function installed(
  dependencies: Readonly<Record<string, string>>,
): Promise<string> {
  const names = Object.entries(dependencies).map((each) => each.join("-"));
  const dir = new URL(
    `../../../.runtimes/${names.join("_").replaceAll("/", "-")}/`,
    import.meta.url,
  );
  await install(fileURLToPath(dir), dependencies);
  return fileURLToPath(dir);
}
