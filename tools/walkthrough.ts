/**
 * Follows a guide from an empty folder, as its reader does: writes its files, runs its commands, notes what they print.
 *
 * The comment above a fence says what the reader does with it:
 *
 * - `<!-- code: PATH as FILE -->`: save it as FILE. It is the file PATH of this repository, from its first import on.
 * - `<!-- change: FILE -->`: replace the lines that begin with `-` by those that begin with `+`.
 * - `<!-- run -->`: run the commands.
 * - `<!-- output -->`: what the last of them printed.
 *
 * `<!-- run on bun -->` is for readers who use Bun, and likewise for `change` and `deno`. Those on Node skip it.
 */
import { join } from "node:path";
import { codeOf } from "./guide_code.ts";

/** The runtimes that a reader may have. */
export type ReaderRuntime = "node" | "deno" | "bun";

/** One fence of a guide. */
export interface Step {
  /** What the reader does with it. */
  readonly kind: "code" | "change" | "run" | "output";
  /** The file in the reader's folder; `""` for `run` and `output`. */
  readonly file: string;
  /** The file of this repository; `""` for others than `code`. */
  readonly path: string;
  /** Who does it; readers on any runtime save code. */
  readonly runtime: ReaderRuntime;
  /** What is between the fences. */
  readonly text: string;
  /** Where that begins in the guide, and where it ends. */
  readonly range: readonly [number, number];
}

const FENCE =
  /<!-- (?:(code): (\S+) as (\S+)|(change): (\S+?)|(run)|(output))(?: on (deno|bun))? -->\n\n```[^\n]*\n([^]*?)\n```\n/dg;

/** The steps of a guide, in its order. */
export function stepsOf(guide: string): Step[] {
  return [...guide.matchAll(FENCE)].map((match) => {
    const [, code, path = "", file, change, changed, run] = match;
    return {
      kind: (code ?? change ?? run ?? "output") as Step["kind"],
      file: file ?? changed ?? "",
      path,
      runtime: (match[8] ?? "node") as ReaderRuntime,
      text: match[9] ?? "",
      range: match.indices?.[9] ?? [0, 0],
    };
  });
}

/** What a reader needs to have. */
export interface Reader {
  readonly runtime: ReaderRuntime;
  /** An empty folder. */
  readonly folder: string;
  /** What the shell gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Replaces a command that needs what this machine cannot reach. */
  readonly replace?: (command: string) => string;
}

/** What commands printed, and their status. */
export interface Printed {
  readonly commands: string;
  readonly text: string;
  readonly code: number;
}

/**
 * Follows the steps.
 *
 * @param steps The steps of a guide.
 * @param reader Who follows them.
 * @param seen Called with what the last commands printed, for each `output`.
 * @returns What each `run` printed.
 * @throws {Error} If a command cannot be started, or a change does not fit its file.
 */
export async function follow(
  steps: readonly Step[],
  { runtime, folder, env, replace = (command) => command }: Reader,
  seen: (step: Step, printed: Printed) => void = () => {},
): Promise<Printed[]> {
  const all: Printed[] = [];
  let cwd = folder;
  for (const step of stepsFor(runtime, steps)) {
    const { kind, file, text } = step;
    const path = join(cwd, file);
    if (kind === "code") {
      await Deno.writeTextFile(path, `${await codeOf(step.path)}\n`);
    } else if (kind === "change") {
      await Deno.writeTextFile(
        path,
        changed(await Deno.readTextFile(path), step),
      );
    } else if (kind === "run") {
      // A command may continue on the next line.
      const script = text.split(/(?<!\\)\n/).map(replace).join("\n");
      all.push({ ...await shell(script, { cwd, env }), commands: text });
      const [, below] = text.match(/^cd (\S+)$/m) ?? [];
      if (below) cwd = join(cwd, below);
    } else {
      const last = all.at(-1);
      if (last) seen(step, last);
    }
  }
  return all;
}

/** The steps of a reader. Those who are not on Node begin with their own first commands, which stand near the end. */
function stepsFor(runtime: ReaderRuntime, steps: readonly Step[]): Step[] {
  if (runtime === "node") {
    return steps.filter((step) => step.runtime === "node");
  }
  const own = steps.filter(({ kind, runtime: whose }) =>
    whose === runtime || kind === "code" ||
    kind === "change" && whose === "node"
  );
  const [first, ...rest] = own.filter(({ kind }) => kind === "run");
  return first
    ? [first, ...own.filter(({ kind }) => kind !== "run"), ...rest]
    : own;
}

/** A file after a change. */
export function changed(source: string, { file, text }: Step): string {
  const lines = text.split("\n");
  const part = (sign: string) =>
    lines.filter((line) => line.startsWith(sign))
      .map((line) => line.slice(1)).join("\n");
  const [before, ...more] = source.split(part("-"));
  if (before === undefined || more.length !== 1) {
    throw new Error(`The change does not fit ${file} once:\n${text}`);
  }
  return before + part("+") + more[0];
}

/** Runs a script in a shell that ends at the first failure. */
async function shell(
  script: string,
  { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> },
): Promise<Omit<Printed, "commands">> {
  const { code, stdout } = await new Deno.Command("sh", {
    args: ["-ec", `exec 2>&1\n${script}`],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  return { code, text: readable(new TextDecoder().decode(stdout), cwd) };
}

/** A reader's folder has another path. */
function readable(text: string, cwd: string): string {
  return text.replaceAll(cwd, "~/pglite-sessions").trim();
}

/**
 * A text without what depends on how fast the machine is: times, how many of a rule's cases ran, and the address of a
 * line in bundled code.
 */
export function steady(text: string): string {
  return text.replace(/\nSome of the cases[^]*?\n\n/, "\n")
    .replace(/^( +Start at +)[\d:]+$/m, "$1…")
    .replace(/^( +Duration +).*$/m, "$1…")
    .replace(/\b\d+(\.\d+)?m?s$/gm, "…")
    .replace(/\.js:\d+:\d+$/gm, ".js:…");
}
