/**
 * Node's own modules, asked for only when they are used: the suite also runs where there are none.
 *
 * @module
 */
import type * as childProcess from "node:child_process";
import type * as fs from "node:fs";
import type * as os from "node:os";
import type * as path from "node:path";
import type * as process from "node:process";
import type * as readline from "node:readline";

interface Modules {
  readonly "child_process": typeof childProcess;
  readonly "fs": typeof fs;
  readonly "os": typeof os;
  readonly "path": typeof path;
  readonly "process": typeof process;
  readonly "readline": typeof readline;
}

/**
 * One of Node's own modules.
 *
 * @throws {TypeError} If the runtime does not have it.
 */
export function node<Name extends keyof Modules>(name: Name): Modules[Name] {
  const runtime = globalThis as {
    process?: { getBuiltinModule?(name: string): Modules[Name] | undefined };
  };
  const found = runtime.process?.getBuiltinModule?.(`node:${name}`);
  if (found) return found;
  throw new TypeError(
    "Cannot check histories: this runtime cannot start processes; use Deno, Bun, or Node from 20.16 on",
  );
}
