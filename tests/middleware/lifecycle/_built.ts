/**
 * Frameworks that have to be built: a small application is installed and built, and served by Node as in production.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { deno, denoBundle, readConfig, root } from "../../../tools/project.ts";
import { install, runtime } from "../../runtimes/_runtime.ts";
import type { Served } from "./_driver.ts";
import { bundle } from "./_elsewhere.ts";

/** An application to build. */
export interface Application {
  /** The folder that keeps its packages. */
  readonly name: string;
  /** Its packages from npm, with their versions. */
  readonly packages: Readonly<Record<string, string>>;
  /** The module of this folder that it imports as `./main.mjs`. */
  readonly main?: string;
  /** The entries of this package that it imports, such as `./middleware/astro`. */
  readonly entries?: readonly string[];
  /** Its files. */
  readonly files: Readonly<Record<string, string>>;
  /** What Node runs to build it. */
  readonly build: readonly string[];
  /** The file that serves it, and prints its origin. */
  readonly server: string;
  /** Variables of the environment for the build. */
  readonly env?: Readonly<Record<string, string>>;
}

const apps = fileURLToPath(
  new URL("../../../.runtimes/apps/", import.meta.url),
);

/**
 * A file that serves a handler of Node, and prints the origin.
 *
 * @param imports The statement that imports `handler`.
 */
export function nodeServer(imports: string): string {
  return `
    import { createServer } from "node:http";
    ${imports}
    const server = createServer((req, res) => handler(req, res, () => res.end()));
    server.on("upgrade", (req, socket) => upgradeLifecycle(req, socket));
    server.listen(0, "127.0.0.1", () =>
      console.log(\`http://127.0.0.1:\${server.address().port}\`));
  `;
}

/** An application that is built. */
export interface Built {
  /** Its folder. */
  readonly folder: string;
  /** What the build printed. */
  readonly printed: string;
  /** Serves it. */
  serve(): Promise<Served>;
  /** Removes its folder, but not its packages. */
  remove(): Promise<void>;
}

/**
 * Builds an application.
 *
 * @throws {Error} If its packages cannot be installed, or the build fails, with what it printed.
 */
export async function build(application: Application): Promise<Built> {
  const { name, packages, files, main, entries, server } = application;
  const home = join(apps, name);
  await install(home, packages);
  // A folder of its own, because another run may build the same application.
  const folder = await Deno.makeTempDir({ dir: home, prefix: "run-" });
  const remove = () => Deno.remove(folder, { recursive: true });
  const node = await runtime("node24");
  try {
    const all = { "package.json": '{ "type": "module" }', ...files };
    for (const [path, text] of Object.entries(all)) {
      const file = join(folder, path);
      await Deno.mkdir(dirname(file), { recursive: true });
      await Deno.writeTextFile(file, text);
    }
    if (main) await bundle(main, join(folder, "main.mjs"));
    if (entries) await addPackage(folder, entries);
    const [program = "", ...args] = application.build;
    const { success, stdout, stderr } = await new Deno.Command(node, {
      args: [join(home, "node_modules", program), ...args],
      cwd: folder,
      env: {
        NO_COLOR: "1",
        NODE_ENV: "production",
        ASTRO_TELEMETRY_DISABLED: "1",
        ...application.env,
      },
      stdin: "null",
    }).output();
    const printed = [stdout, stderr].map((each) =>
      new TextDecoder().decode(each)
    ).join("\n");
    if (!success) throw new Error(`Cannot build ${name}: ${printed}`);
    const serve = async () => await run(node, join(folder, server), folder);
    return { folder, printed, serve, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Puts this package into an application, as npm would. */
async function addPackage(
  folder: string,
  entries: readonly string[],
): Promise<void> {
  const { name, exports } = readConfig();
  const to = join(folder, "node_modules", name);
  const modules = [".", ...entries].map((entry) => exports[entry] ?? entry);
  const flags = ["--platform=browser", "--code-splitting", `--outdir=${to}`];
  await denoBundle(...flags, ...modules);
  const manifest = {
    name,
    type: "module",
    exports: Object.fromEntries(
      [".", ...entries].map((entry) => [
        entry,
        exports[entry]?.replace(/ts$/, "js"),
      ]),
    ),
  };
  await Deno.writeTextFile(join(to, "package.json"), JSON.stringify(manifest));
}

/** Builds an application and serves it. */
export async function serveBuilt(application: Application): Promise<Served> {
  const { serve, remove } = await build(application);
  const { origin, stop } = await serve();
  return {
    origin,
    async stop() {
      await stop();
      await remove();
    },
  };
}

/** Runs a server that prints its origin. */
async function run(node: string, file: string, cwd: string): Promise<Served> {
  const child = new Deno.Command(node, {
    args: [file],
    cwd,
    env: { NODE_ENV: "production" },
    stdin: "null",
    stdout: "piped",
    // Frameworks print the errors that the tests cause.
    stderr: "null",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  let origin: string | undefined;
  while (!origin) {
    const { value, done } = await lines.read();
    if (done) throw new Error(`${file} ended: ${printed}`);
    printed += value;
    [, origin] = printed.match(/^(http:\/\/\S+)$/m) ?? [];
  }
  // What the framework prints must not fill the pipe.
  const drained = (async () => {
    while (!(await lines.read()).done);
  })();
  return {
    origin,
    async stop() {
      child.kill();
      await child.status;
      await drained;
    },
  };
}

/**
 * Type-checks a module beside an application, with its framework's own types.
 *
 * @param code The module. It imports this repository's files from `repository/`.
 * @throws {Error} If the check fails, with what it printed.
 */
export async function checkTypes(
  { folder }: Built,
  code: string,
): Promise<void> {
  // Not in the application's own folder, whose package.json does not name its packages.
  const home = dirname(folder);
  const file = await Deno.makeTempFile({ dir: home, suffix: ".ts" });
  try {
    const text = code.replaceAll('"repository/', `"${root.href}`);
    await Deno.writeTextFile(file, text);
    const { ok, text: printed } = await deno(["check", file], { cwd: home });
    if (!ok) throw new Error(printed);
  } finally {
    await Deno.remove(file);
  }
}
