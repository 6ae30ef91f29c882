/**
 * The conformance suite as a command.
 *
 * ```sh
 * deno run -A jsr:@satchel/session/conformance/cli ./target.ts
 * ```
 *
 * The file exports a target as its default, several as a list, or some by name. `--help` shows the options. The exit
 * status is 0 for a conformant or partial result, 1 if a rule is broken or an expected failure does not happen, 2 if the
 * suite or the target failed or the command was misused, and 3 if a rule could not be tried.
 *
 * @example A target file
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import type { Target } from "@satchel/session/conformance";
 *
 * export const target: Target = {
 *   name: "memory",
 *   capabilities: ["revoke", "expiry", "touch", "absolute", "merge"],
 *   clock: { kind: "virtual", advance() {} },
 *   open: ({ namespace: _, ...options }) => ({
 *     storage: createMemorySessionStorage(options),
 *   }),
 * };
 * ```
 *
 * @module
 */
import { ensureDir, exists } from "@std/fs";
import { UsageError } from "./command/args.ts";
import { runCli } from "./command/command.ts";
import { describe } from "./trial/port.ts";

/** How long a target file may take to load, in milliseconds. */
const LOAD_MS = 30_000;

/** The name of this module for a command line. */
function ownName(): string {
  const { protocol, pathname, href } = new URL(import.meta.url);
  if (protocol !== "file:") {
    const [, version] = pathname.match(/@satchel\/session\/(\d[^/]*)\//) ?? [];
    return `jsr:@satchel/session${
      version ? `@${version}` : ""
    }/conformance/cli`;
  }
  const here = folder().href;
  return decodeURIComponent(
    href.startsWith(here) ? href.slice(here.length) : pathname,
  );
}

/** The current folder. */
function folder(): URL {
  const path = Deno.cwd().replaceAll("\\", "/");
  return new URL(
    `file://${path.startsWith("/") ? "" : "/"}${
      path.split("/").map(encodeURIComponent).join("/").replace("%3A", ":")
    }/`,
  );
}

/** Loads a target file, or any module that Deno can load. */
async function load(specifier: string): Promise<Record<string, unknown>> {
  const remote = /^(https?|jsr|npm|data|file):/.test(specifier);
  const url = remote
    ? specifier
    : new URL(specifier.split("/").map(encodeURIComponent).join("/"), folder())
      .href;
  if (!remote && !await exists(specifier)) {
    throw new UsageError(`cannot find ${specifier}`);
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await Promise.race([
      import(url),
      new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`it took more than ${LOAD_MS} ms`)),
          LOAD_MS,
        );
      }),
    ]);
  } catch (error) {
    const [line = ""] = describe(error).split("\n");
    throw new UsageError(`${specifier} cannot be loaded: ${line}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Writes a whole text synchronously, so that it is complete if the process exits afterwards. */
function writer(
  stream: { writeSync(bytes: Uint8Array): number },
): (text: string) => void {
  return (text) => {
    let bytes = new TextEncoder().encode(text);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(stream.writeSync(bytes));
    } catch (error) {
      // The reader has closed the pipe, as `head` does.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  };
}

if (import.meta.main) {
  const terminal = Deno.stdout.isTerminal();
  const complain = writer(Deno.stderr);
  // A target's own output must not be mixed into a report on standard output.
  // deno-lint-ignore no-console -- it is redirected, not used
  console.log = console.info = console.debug = console.error;
  const status = await runCli(Deno.args, {
    command: `deno run -A ${ownName()}`,
    colour: terminal && !Deno.env.get("NO_COLOR"),
    ...terminal
      ? {
        columns: Math.min(100, Math.max(40, Deno.consoleSize().columns)),
        progress: (text) => complain(`\r\x1b[2K${text}`),
      }
      : {},
    write: writer(Deno.stdout),
    complain,
    read: Deno.readTextFile,
    async save(file, text) {
      const [, parent] = file.match(/^(.+)[/\\][^/\\]*$/) ?? [];
      if (parent) await ensureDir(parent);
      await Deno.writeTextFile(file, text);
    },
    load,
  });
  // A timer or a socket that a target left must not keep the process alive.
  Deno.exit(status);
}
