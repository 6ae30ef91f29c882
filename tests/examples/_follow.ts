/**
 * `docs/write-a-storage.md`, followed by a reader on each runtime.
 *
 * @module
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { reader } from "../../tools/reader.ts";
import {
  follow,
  type ReaderRuntime,
  steady,
  type Step,
  stepsOf,
} from "../../tools/walkthrough.ts";
import { WALKTHROUGH } from "../../tools/guide.ts";
import { root } from "../../tools/project.ts";

/** The guide. */
export async function guide(): Promise<string> {
  return await Deno.readTextFile(new URL(WALKTHROUGH, root));
}

/** Options of {@linkcode assertFollowed}. */
export interface FollowOptions {
  /** Whether every command is run, by a reader whose caches are empty. */
  readonly thorough: boolean;
}

/** Other tests run beside it, and a rule that is out of time is not run. */
const DEADLINE = "60";

/** Follows the guide, and throws if a command prints something else than the guide says. */
export async function assertFollowed(
  runtime: ReaderRuntime,
  { thorough }: FollowOptions,
): Promise<void> {
  await using person = await reader(runtime, { fresh: thorough });
  const { replace = (command) => command } = person;
  const all = stepsOf(await guide());
  const differing: string[] = [];
  const printed = await follow(thorough ? all : withoutLong(all), {
    ...person,
    env: { ...person.env, CONFORMANCE_DEADLINE: DEADLINE },
    replace: (command) => replace(thorough ? command : shortened(command)),
  }, (step, printed) => {
    const { commands } = printed;
    // The line that repeats a rule names the deadline, which the guide's reader did not set.
    const text = printed.text.replaceAll(` --deadline ${DEADLINE}`, "");
    if (steady(step.text) === steady(text)) return;
    differing.push(`${commands}\nThe guide:\n${step.text}\nNow:\n${text}`);
  });
  assertEquals(differing.join("\n\n"), "", `${runtime}: run tools/guide.ts`);
  const last = printed.at(-1);
  assertEquals(last?.code, 0, `${runtime}: ${last?.text}`);
  if (runtime === "node") return;
  // Every runtime prints the same report of the finished target.
  const report = all.filter(({ text }) => text.startsWith("pglite · rules"))
    .findLast(({ text }) => text.includes("\nconformant: "))?.text ?? "?";
  const part = runtime === "bun" && !thorough
    ? report.match(/ +Flash .*passed$/m)?.[0].replace(/  +(?=\d)/, "  ") ?? "?"
    : report;
  assertStringIncludes(steady(last?.text ?? ""), steady(part), runtime);
}

/** A command of a runtime other than Node, or of the package, that takes less time. */
function shortened(command: string): string {
  return command.replace(/^(deno|bun) test\b.*/, "true")
    .replace(/^bun node_modules\/.*/, "$& --only FLASH");
}

/** The steps without those that take long, and find little that others do not. */
function withoutLong(steps: readonly Step[]): Step[] {
  const runs = steps.filter(({ kind }) => kind === "run");
  const isLong = (step: Step) => {
    const same = runs.filter(({ text }) => text === step.text);
    // The tests are run while they fail. A reader with Deno compares the report.
    return step.runtime === "node" && (step !== same[0] ||
      /--self-check|--junit|\/target\.ts --seed 1$/.test(step.text));
  };
  return steps.filter((step, i) => {
    const of = step.kind === "output" ? steps[i - 1] : step;
    return of?.kind !== "run" || !isLong(of);
  });
}
