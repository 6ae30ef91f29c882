/**
 * Bundles the library, and what runs its tests on Bun, Node and Workers, into `.bundle/`.
 *
 * `deno task bundle`.
 */
import { walk } from "@std/fs";
import { dirname, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { denoBundle, readConfig, root, substitutes } from "./project.ts";

/** Where it goes. */
export const bundles: URL = new URL(".bundle/", root);

/** What Bun and Node import, beside the library's entries. */
const SUITE = "tests/runtimes/suite.ts";
/** Workers: one file each. */
const WORKERS = ["tests/runtimes/worker.ts", "tests/runtimes/kv_worker.ts"];
/** A Worker that brings packages made for Node. */
const NODE_WORKER = "tests/runtimes/worker_node.ts";

/**
 * Makes them anew.
 *
 * @throws {Error} If something cannot be bundled, with what Deno says.
 */
export async function bundle(): Promise<void> {
  const config = readConfig();
  const lock = substitutes(config).length > 0
    ? ["--lock=deno.lock"]
    : ["--no-lock"];
  const made = pathToFileURL(Deno.makeTempDirSync() + "/");
  const outdir = `--outdir=${fileURLToPath(made)}`;
  const portable = "--platform=browser";
  try {
    const entries = [...Object.values(config.exports), SUITE];
    await denoBundle(portable, "--code-splitting", outdir, ...entries);
    await denoBundle(portable, outdir, ...WORKERS);
    const nodeWorker = new URL("worker_node.js", made);
    const output = fileURLToPath(nodeWorker);
    await denoBundle("--platform=deno", ...lock, "-o", output, NODE_WORKER);
    const code = await Deno.readTextFile(nodeWorker);
    await Deno.writeTextFile(nodeWorker, forWorkers(code));
    await publish(made);
  } finally {
    await Deno.remove(made, { recursive: true });
  }
}

/** CommonJS packages ask for Node's modules by `require`, which a Worker can do without being a file. */
function forWorkers(code: string): string {
  return code.replace(
    /= \w+\(import\.meta\.url\);/,
    "= (name) => process.getBuiltinModule(name);",
  );
}

/** Puts files in their places one by one, each as a whole: another process may be reading. */
async function publish(made: URL): Promise<void> {
  for await (const { path } of walk(made, { includeDirs: false })) {
    const place = new URL(relative(fileURLToPath(made), path), bundles);
    await Deno.mkdir(dirname(fileURLToPath(place)), { recursive: true });
    const next = new URL(`${place}.${crypto.randomUUID()}`);
    await Deno.copyFile(path, next);
    await Deno.rename(next, place);
  }
}

if (import.meta.main) await bundle();
