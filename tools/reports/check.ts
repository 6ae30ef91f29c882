/** Checks all targets. */
// deno-lint-ignore-file no-console -- a part of a command
import { fileURLToPath } from "node:url";
import { root } from "../project.ts";
import { type Index, readIndex, type Summary } from "./index.ts";
import { flagsOf, type Subject, subjects } from "./storages.ts";

/** How many targets are checked at the same time. */
const LANES = 2;

/** Checks all targets. If an engine is not installed, the result is the one that is already published. */
export async function checkAll(): Promise<Record<string, Summary>> {
  const published = readIndex();
  const dir = Deno.makeTempDirSync();
  const found = new Map<string, Summary>();
  const queue = [...subjects()];
  const lane = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const out = `${dir}/${next.file}.json`;
      found.set(next.file, await checkOne(next, out, published));
    }
  };
  try {
    await Promise.all(Array.from({ length: LANES }, lane));
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
  return Object.fromEntries(
    subjects().map(({ file }) => [file, found.get(file) as Summary]),
  );
}

async function checkOne(
  subject: Subject,
  out: string,
  { storages }: Index,
): Promise<Summary> {
  const { file: name } = subject;
  const before = storages[name];
  const program = fileURLToPath(new URL("tools/reports/run_target.ts", root));
  const args = [
    ...["run", "-A", ...flagsOf(subject)],
    ...[program, name, out, ...before?.failed ?? []],
  ];
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
  }).output();
  const text = new TextDecoder().decode(stderr).slice(-2000);
  if (code === 0) return JSON.parse(Deno.readTextFileSync(out));
  const isMissing = code === 3 && Deno.env.get("CI") !== "true";
  if (!isMissing || !before) throw new Error(`${name}: ${text}`);
  console.error(`${name} was not checked: ${text}`);
  return before;
}
