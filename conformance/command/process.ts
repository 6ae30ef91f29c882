/**
 * The command as a process: what it needs of Deno, Node or Bun, and an exit status that a script can trust.
 *
 * `node:` modules exist on all three, so their differences are in this file only.
 *
 * @module
 */
import { writeSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { setTimeout as startTimer } from "node:timers";
import { isatty } from "node:tty";
import { pathToFileURL } from "node:url";
import { UsageError } from "./args.ts";
import { type CliHost, runCli } from "./command.ts";
import { commandLine } from "./command_line.ts";
import { printable } from "../formats/common.ts";
import { describe } from "../trial/port.ts";

/** How long a target file may take to load, in milliseconds. */
const LOAD_MS = 30_000;

/** File descriptors. */
const STDOUT = 1;
const STDERR = 2;

/** The exit status for everything that is not a result of the suite. */
const FAILED = 2;

/** The report cannot be written: the reader of a pipe left, or a disk is full. */
class OutputError extends Error {
  override readonly name = "OutputError";
}

/**
 * Runs the command with the arguments of this process, and ends the process.
 *
 * The status is 0 only if the report was written. If a target ends the process, or waits for something that never
 * happens, the status is 2.
 *
 * @param url The address of the module that was started.
 */
export async function main(url: string): Promise<void> {
  const args = process.argv.slice(2);
  const finish = guard();
  let status = FAILED;
  try {
    keepOutOfReports();
    status = await runCli(args, hostOf(url));
  } catch (error) {
    complain(
      error instanceof OutputError
        ? `error: ${error.message}\n`
        : `error: the suite failed: ${printable(describe(error))}\n${
          printable((error as Error)?.stack ?? "").replaceAll("\\u000a", "\n")
        }\n`,
    );
  }
  finish();
  // A timer or a socket that a target left must not keep the process alive.
  process.exit(status);
}

/** Until the returned function is called, the end of the process is a failure, with a line that explains it. */
function guard(): () => void {
  let ended = false;
  const fail = (message: string) => {
    if (ended) return;
    ended = true;
    complain(`error: ${message}\n`);
  };
  const onEmpty = () => {
    if (ended) return;
    fail("the target waits for something that can never happen");
    process.exit(FAILED);
  };
  const onExit = () => {
    if (ended) return;
    fail("the target ended the process before the report was written");
    process.exitCode = FAILED;
  };
  process.exitCode = FAILED;
  process.on("beforeExit", onEmpty);
  process.on("exit", onExit);
  // Deno.exit() does not emit "exit".
  const { addEventListener } = globalThis as {
    addEventListener?: (type: string, listener: () => void) => void;
  };
  addEventListener?.("unload", onExit);
  return () => void (ended = true);
}

/** Sends what a target prints to standard error, so that it is not mixed into a report. */
function keepOutOfReports(): void {
  // deno-lint-ignore no-console -- it is redirected, not used
  console.log = console.info = console.debug = console.error;
  // deno-lint-ignore no-console -- it is redirected, not used
  console.table = console.dir = (value) => console.error(value);
  process.stdout.write = process.stderr.write.bind(
    process.stderr,
  ) as typeof process.stdout.write;
  const { Deno: deno } = globalThis as {
    Deno?: Record<"stdout" | "stderr", Record<"write" | "writeSync", Writer>>;
  };
  if (!deno) return;
  const { stdout, stderr } = deno;
  stdout.write = stderr.write.bind(stderr);
  stdout.writeSync = stderr.writeSync.bind(stderr);
}

type Writer = (bytes: Uint8Array) => unknown;

function hostOf(url: string): CliHost {
  const { env } = process;
  const terminal = isatty(STDOUT);
  return {
    command: commandLine(url),
    deadline: env["CONFORMANCE_DEADLINE"],
    colour: wantsColour(env, terminal),
    ...terminal
      ? {
        columns: Math.min(100, Math.max(40, process.stdout.columns || 80)),
      }
      : {},
    ...terminal && isatty(STDERR)
      ? { progress: (text) => complain(`\r\x1b[2K${text}`) }
      : {},
    write(text) {
      try {
        writeAll(STDOUT, text);
      } catch (error) {
        const { code = "" } = error as { code?: string };
        throw new OutputError(
          code === "EPIPE"
            ? "standard output was closed before the report was written"
            : `the report cannot be written to standard output: ${code}`,
        );
      }
    },
    complain,
    read: (file) => readFile(file, "utf8"),
    async save(file, text) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    },
    load,
    address,
  };
}

/**
 * Whether to colour text: on a terminal, unless `NO_COLOR` is set; `FORCE_COLOR` decides before both.
 *
 * @param env The environment.
 * @param terminal Whether standard output is a terminal.
 */
export function wantsColour(
  env: Readonly<Record<string, string | undefined>>,
  terminal: boolean,
): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = env;
  if (force !== undefined) return force !== "0" && force !== "false";
  return terminal && !no && term !== "dumb";
}

/** Writes a text, and returns when all of it was taken. */
function writeAll(fd: number, text: string): void {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      // The pipe is full, and a process that shares it, as npx does, made it non-blocking.
      if ((error as { code?: string }).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function complain(text: string): void {
  try {
    writeAll(STDERR, text);
  } catch {
    // Nobody reads it; the exit status remains.
  }
}

function isRemote(specifier: string): boolean {
  return /^(https?|jsr|npm|data|file|node):/.test(specifier);
}

/** The address of a module, as `import` needs it. */
function address(specifier: string): string {
  return isRemote(specifier)
    ? specifier
    : pathToFileURL(resolve(specifier)).href;
}

/** Loads a target file, or any module that the runtime can load. */
async function load(specifier: string): Promise<Record<string, unknown>> {
  if (!isRemote(specifier) && !await isFile(specifier)) {
    throw new UsageError(`cannot find ${specifier}`);
  }
  const url = address(specifier);
  let timer: ReturnType<typeof startTimer> | undefined;
  try {
    return await Promise.race([
      import(url),
      new Promise<never>((_, reject) => {
        timer = startTimer(
          () => reject(new Error(`it took more than ${LOAD_MS} ms`)),
          LOAD_MS,
        );
        // So Node and Bun notice at once if the file waits for something that can never happen.
        timer.unref();
      }),
    ]);
  } catch (error) {
    throw new UsageError(`${specifier} cannot be loaded: ${whyNot(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Why a module cannot be loaded, in one line. */
function whyNot(error: unknown): string {
  const [line = ""] = describe(error).split("\n");
  const { code } = (error ?? {}) as { code?: unknown };
  return code === "ERR_UNKNOWN_FILE_EXTENSION" && /\.[cm]?tsx?\b/.test(line)
    ? `Node ${process.versions.node} does not read TypeScript; use Node 22.18 or newer, name a .js or .mjs file, or start the command with: node --import tsx`
    : line;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
