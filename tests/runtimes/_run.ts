/**
 * Runs the suite on one runtime, by the runtime's own test runner, and reads its report.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundles } from "../../tools/bundle.ts";
import { startWorkerd } from "../engines/_workerd.ts";
import { CLIENTS } from "./_clients.ts";
import { parseJunit } from "./_junit.ts";
import { install, type NpmRuntime, runtime } from "./_runtime.ts";
import type { Runtime } from "./matrix.ts";
import type { Surroundings } from "./suite.ts";
import type { Outcome } from "./_worker_runner.ts";

type Here = Pick<Surroundings, "ports" | "only">;

/** The report of a runtime: every test, and whether the runner itself was content. */
export interface Ran {
  readonly outcomes: readonly Outcome[];
  readonly ok: boolean;
  /** What it printed. */
  readonly text: string;
}

/** Runs the suite on a runtime. The bundles must be there. */
export async function run(on: Runtime, here: Here): Promise<Ran> {
  if (on === "workers") return await runWorker("worker.js", [], here);
  if (on === "workersNode") {
    return await runWorker("worker_node.js", ["nodejs_compat"], here);
  }
  const dir = await Deno.makeTempDir();
  try {
    const report = join(dir, "report.xml");
    const [command, args] = on === "deno"
      ? denoTest(report)
      : await elsewhere(on, report);
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args,
      env: {
        NO_COLOR: "1",
        HERE: JSON.stringify(here),
        RUNTIME: on,
        SUITE: new URL("tests/runtimes/suite.js", bundles).href,
      },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    const text = decoder.decode(stdout) + decoder.decode(stderr);
    const xml = await Deno.readTextFile(report).catch(() => "");
    return { outcomes: parseJunit(xml), ok: success, text };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

type CommandLine = [command: string, args: string[]];

function denoTest(report: string): CommandLine {
  return [
    Deno.execPath(),
    ["test", "-A", "--no-check", `--junit-path=${report}`, path("./deno.ts")],
  ];
}

async function elsewhere(on: NpmRuntime, report: string): Promise<CommandLine> {
  const command = await runtime(on);
  await install(fileURLToPath(bundles), CLIENTS);
  return [
    command,
    on === "bun"
      ? [
        ...["test", "--timeout=60000"],
        ...["--reporter=junit", `--reporter-outfile=${report}`],
        path("./bun.mjs"),
      ]
      : [
        ...["--test", "--test-reporter=junit"],
        `--test-reporter-destination=${report}`,
        path("./node.mjs"),
      ],
  ];
}

async function runWorker(
  file: string,
  flags: string[],
  here: Here,
): Promise<Ran> {
  const script = await Deno.readTextFile(new URL(file, bundles));
  const bindings = { HERE: here };
  const workerd = await startWorkerd({
    ...{ script, flags, bindings },
    objects: "SessionObject",
    d1: "DB",
  });
  try {
    const text = await (await workerd.fetch("/")).text();
    if (!text.startsWith("[")) return { outcomes: [], ok: false, text };
    const outcomes: Outcome[] = JSON.parse(text);
    return { outcomes, ok: outcomes.every(({ error }) => !error), text: "" };
  } finally {
    await workerd.stop();
  }
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
