/**
 * Processes that take orders: lines of JSON over standard input and output, the same on Deno, Node and Bun.
 *
 * @module
 */
import type { ChildProcess } from "node:child_process";
import { node } from "./node.ts";
import { wordsOf } from "./work.ts";

/** Begins a line that is meant for the other process; a target may print lines of its own. */
const MARK = "\x1e";
/** Where a process that was started to take orders finds which module takes them. */
const STARTED: unique symbol = Symbol.for("@satchel/session: takes orders");
/** Flags of a runner, which make no sense in a process that it did not start. */
const NOT_INHERITED = /^(-e|-p|--eval|--print|--test|--inspect|--input-type)/;

/** A process ended by itself, did not start, or took too long: nothing that the storage did. */
export class WorkerError extends Error {
  override readonly name = "WorkerError";
}

/** Options of a process. */
export interface WorkerOptions {
  /** Its name in messages. */
  readonly name: string;
  /** The module that takes the orders, by {@linkcode serve}. */
  readonly module: string;
  /** Arguments for the runtime, before the script. @default {those of this process} */
  readonly execArgv?: readonly string[] | undefined;
  /** Receives what it reports without being asked. */
  readonly onReport?: (report: unknown) => void;
}

/** A process that takes orders. */
export class OtherProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #onReport: (report: unknown) => void;
  #answer: Waiting | undefined;
  #rest = "";
  #stderr = "";
  #gone: WorkerError | undefined;
  #killed = false;

  constructor({ name, module, execArgv, onReport }: WorkerOptions) {
    this.name = name;
    this.#onReport = onReport ?? (() => {});
    const code = `globalThis[Symbol.for(${
      JSON.stringify(STARTED.description)
    })] = ${JSON.stringify(module)}; import(${
      JSON.stringify(module)
    }).catch((error) => { console.error(error); process.exit(1); })`;
    const process = node("process");
    const args = process.versions["deno"]
      // Its permissions are those of a program that may start others: all.
      ? ["eval", ...execArgv ?? [], code]
      : [...execArgv ?? inherited(), "-e", code];
    this.#child = node("child_process").spawn(process.execPath, args, {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const { stdin, stdout, stderr } = this.#child;
    // Its end is noticed by `close`.
    stdin?.on("error", () => {});
    stdout?.setEncoding("utf8").on("data", (text) => this.#hear(`${text}`));
    stderr?.setEncoding("utf8").on("data", (text) => {
      this.#stderr = (this.#stderr + text).slice(0, 10_000);
    });
    const gone = (how: string) => {
      this.#gone ??= new WorkerError(`process ${name} ${how}`);
      this.#answer?.reject(this.#gone);
    };
    this.#exited = new Promise((exited) => {
      this.#child.on("error", ({ message }) => {
        gone(`did not start: ${message}`);
        exited();
      });
      this.#child.on("close", (code, signal) => {
        const line = firstLine(this.#stderr);
        gone(
          `ended by itself (${signal ?? `exit code ${code}`})${
            line ? `: ${line}` : ""
          }`,
        );
        exited();
      });
    });
  }

  /** Whether it was killed. */
  get killed(): boolean {
    return this.#killed;
  }

  /**
   * Gives an order, and waits until it was carried out.
   *
   * @returns What the process answered.
   * @throws {WorkerError} If the process could not carry it out, or has ended.
   */
  async ask(order: unknown): Promise<unknown> {
    if (this.#gone) throw this.#gone;
    return await new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
      this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    });
  }

  /** Says something that is not answered. */
  tell(order: unknown): void {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Kills it as a crash would, in the middle of anything. Everything that it reported before has arrived when this returns. */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  /** Ends it, at once and without a word. */
  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  #hear(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (!line.startsWith(MARK)) continue;
      const said = JSON.parse(line.slice(MARK.length)) as Said;
      if ("report" in said) this.#onReport(said.report);
      else if ("killed" in said) void this.kill();
      else if ("failed" in said) {
        this.#answer?.reject(
          new WorkerError(`process ${this.name} failed: ${said.failed}`),
        );
      } else this.#answer?.resolve(said.answer);
    }
  }
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: WorkerError): void;
}

type Said =
  | { report: unknown }
  | { failed: string }
  | { killed: true }
  | { answer?: unknown };

/** Whether this process was started to take orders: by this module, or by any. */
export function takesOrders(module?: string): boolean {
  const { [STARTED]: started } = globalThis as { [STARTED]?: string };
  return module === undefined ? started !== undefined : started === module;
}

/**
 * Takes orders until standard input ends.
 *
 * @param obey Carries out one order, and returns what to answer.
 * @param hear Receives what is said and not answered, at once; returns whether it was meant for it.
 */
export function serve(
  obey: (order: unknown) => Promise<unknown>,
  hear: (order: unknown) => boolean = () => false,
): void {
  let last = Promise.resolve();
  const process = node("process");
  const lines = node("readline").createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const order: unknown = JSON.parse(line);
    if (hear(order)) return;
    last = last.then(async () => {
      try {
        say({ answer: await obey(order) });
      } catch (error) {
        say({ failed: wordsOf(error) });
      }
    });
  });
  // The process that started this one has ended.
  lines.on("close", () => process.exit(0));
}

/** Reports something without being asked. It has left this process when the function returns. */
export function report(what: unknown): void {
  say({ report: what });
}

/** Kills this process as a crash would. It has told the other process so. */
export function killSelf(): void {
  say({ killed: true });
  const process = node("process");
  process.kill(process.pid, "SIGKILL");
}

function say(what: Said): void {
  let bytes = new TextEncoder().encode(`\n${MARK}${JSON.stringify(what)}\n`);
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(node("fs").writeSync(1, bytes));
    } catch (error) {
      // A pipe that is full, and does not wait.
      if ((error as { code?: unknown }).code !== "EAGAIN") {
        node("process").exit(0);
      }
    }
  }
}

/** The arguments that this process has for its runtime: loaders of TypeScript, for example. */
function inherited(): string[] {
  const { execArgv } = node("process");
  const code = execArgv.findIndex((arg) => NOT_INHERITED.test(arg));
  return execArgv.slice(0, code < 0 ? undefined : code);
}

/** The first line of an error's output that says something. */
function firstLine(text: string): string | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  return lines.find((line) => /error|cannot/i.test(line)) ??
    lines.find((line) => line !== "");
}
