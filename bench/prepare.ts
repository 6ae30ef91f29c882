/**
 * Makes what runs inside the measured runtimes: this library and the benchmark in one folder, `.bench/`, with the peers
 * from npm beside it. Every runtime runs the same files.
 *
 * @module
 */
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import {
  install,
  type NpmRuntime,
  runtime,
} from "../tests/runtimes/_runtime.ts";
import { denoBundle, root } from "../tools/project.ts";

/** A measured runtime. */
export type Runtime = "deno" | Extract<NpmRuntime, "node20" | "node24" | "bun">;

/** The measured runtimes. */
export const RUNTIMES: readonly Runtime[] = ["deno", "node20", "node24", "bun"];

/** A program that runs inside them. */
export type Program = "inside" | "http_server";

const PROGRAMS: readonly Program[] = ["inside", "http_server"];
const dir = fileURLToPath(new URL(".bench/", root));
/** An import of a peer. */
const IMPORT = /"npm:((?:@[^/"]+\/)?[^@/"]+)@([^/"]+)(\/[^"]*)?"/g;

/**
 * Bundles the programs and installs the peers.
 *
 * @returns The peers' versions.
 * @throws {Error} If something cannot be bundled, or npm cannot be reached.
 */
export async function prepare(): Promise<Record<string, string>> {
  const source = await Deno.readTextFile(new URL("bench/peers.ts", root));
  const versions: Record<string, string> = {};
  const imports = new Map<string, string>();
  for (
    const [quoted, name = "", version = "", entry = ""] of source.matchAll(
      IMPORT,
    )
  ) {
    versions[name] = version;
    imports.set(quoted, `"${name}${entry}"`);
  }
  await denoBundle(
    ...["--platform=deno", `--outdir=${dir}`],
    ...[...imports.keys()].map((quoted) => `--external=${JSON.parse(quoted)}`),
    ...PROGRAMS.map((name) => `bench/${name}.ts`),
  );
  for (const name of PROGRAMS) {
    const code = await Deno.readTextFile(`${dir}${name}.js`);
    // Node and Bun look for packages by their names.
    await Deno.writeTextFile(
      `${dir}${name}.mjs`,
      code.replace(IMPORT, (quoted) => imports.get(quoted) ?? quoted),
    );
  }
  await install(dir, versions);
  return versions;
}

/** Threads of V8's collector use more or less CPU time as they wait for one another. */
const GC = "--single-threaded-gc";
const DENO_FLAGS = ["-A", "--no-check", "--quiet", "--unstable-kv"];

/**
 * Keeps a process on the last core, where the system can: what it costs to wake a thread on another core varies, and
 * libraries that use Web Crypto do it at each request.
 */
async function pin(): Promise<readonly string[]> {
  const [taskset, ...args] = ["taskset", "--cpu-list", `${cpus().length - 1}`];
  try {
    const tried = new Deno.Command(taskset, { args: [...args, "true"] });
    return (await tried.output()).success ? [taskset, ...args] : [];
  } catch {
    return [];
  }
}

/** The command that runs a program inside a runtime. */
export async function command(
  on: Runtime,
  program: Program,
  ...args: string[]
): Promise<Deno.Command> {
  const file = `${dir}${program}.mjs`;
  const [path, first] = on === "deno"
    ? [Deno.execPath(), ["run", ...DENO_FLAGS, `--v8-flags=${GC}`]]
    : [await runtime(on), on === "bun" ? ["run"] : [GC]];
  const all = [...await pin(), path, ...first, file, ...args];
  const [start = path, ...rest] = all;
  return new Deno.Command(start, {
    args: rest,
    cwd: dir,
    env: { NODE_ENV: "production", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
}

/** A runtime's name and version. */
export async function versionOf(on: Runtime): Promise<string> {
  if (on === "deno") return `Deno ${Deno.version.deno}`;
  const { stdout } = await new Deno.Command(await runtime(on), {
    args: ["--version"],
  }).output();
  const version = new TextDecoder().decode(stdout).trim().replace("v", "");
  return `${on === "bun" ? "Bun" : "Node"} ${version}`;
}
