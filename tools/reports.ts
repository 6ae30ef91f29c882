/**
 * Checks the built-in storages and those of other libraries, and writes `conformance/reports/` from the results.
 *
 * - `deno run -A tools/reports.ts` writes; with `--check`, it only compares.
 * - `deno run --allow-read tools/reports.ts --check FILE…` checks reports from others.
 */
// deno-lint-ignore-file no-console -- a command
import { exists, walk } from "@std/fs";
import { fileURLToPath } from "node:url";
import { checkAll } from "./reports/check.ts";
import { folder, formatIndex } from "./reports/index.ts";
import { problemsOf, readSent, type Sent } from "./reports/others.ts";
import { makePages } from "./reports/pages.ts";
import { deno } from "./project.ts";

/** All files to write, by name. */
async function makeReports(): Promise<Map<string, string>> {
  const storages = await checkAll();
  const pages = await makePages(storages, await readOthers());
  return new Map([
    ...await formatted(pages),
    ["index.json", formatIndex(storages)],
  ]);
}

/** The reports from others, by the names of their files. */
async function readOthers(): Promise<Sent[]> {
  const sent: Sent[] = [];
  const files = walk(new URL("others/", folder), { exts: [".json"] });
  for (const path of (await Array.fromAsync(files, (f) => f.path)).sort()) {
    try {
      sent.push(readSent(await Deno.readFile(path), Date.now()));
    } catch (error) {
      throw new Error(`${path}: ${(error as Error).message}`);
    }
  }
  return sent;
}

async function formatted(
  files: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const dir = Deno.makeTempDirSync();
  try {
    for (const [name, text] of files) {
      Deno.writeTextFileSync(`${dir}/${name}`, text);
    }
    const answer = await deno(["fmt", "--no-config", "--ext", "md", dir]);
    if (!answer.ok) throw new Error(answer.text);
    return new Map(
      Array.from(
        files.keys(),
        (name) => [name, Deno.readTextFileSync(`${dir}/${name}`)],
      ),
    );
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
}

/** The lines of a text that are new: they show in a CI log what has changed. */
function added(before = "", after = ""): string[] {
  const had = new Set(before.split("\n"));
  return after.split("\n").filter((line) => !had.has(line));
}

/** The existing reports, by name. */
async function readReports(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (!await exists(folder)) return found;
  for await (const { name, path } of walk(folder, { maxDepth: 1 })) {
    if (!/\.(md|json|svg)$/.test(name)) continue;
    found.set(name, await Deno.readTextFile(path));
  }
  return found;
}

/** Checks reports from others. Returns whether all can be published. */
async function checkFiles(files: readonly string[]): Promise<boolean> {
  let ok = true;
  for (const file of files) {
    const problems = problemsOf(await Deno.readFile(file), Date.now());
    for (const problem of problems) console.error(`${file}: ${problem}`);
    if (problems.length > 0) ok = false;
    else console.log(`${file}: ok`);
  }
  return ok;
}

/** Writes the reports, or only compares them. Returns whether they are as they should be. */
async function update(isOnlyCheck: boolean): Promise<boolean> {
  const made = await makeReports();
  const there = await readReports();
  const names = new Set([...made.keys(), ...there.keys()]);
  const drifted = [...names].filter((n) => made.get(n) !== there.get(n));
  if (!isOnlyCheck) {
    for (const name of drifted) {
      const path = fileURLToPath(new URL(name, folder));
      const text = made.get(name);
      if (text === undefined) Deno.removeSync(path);
      else Deno.writeTextFileSync(path, text);
    }
    return true;
  }
  if (drifted.length === 0) return true;
  const list = drifted.join(", ");
  console.error(
    `conformance/reports/ (${list}): run \`deno run -A tools/reports.ts\``,
  );
  for (const name of drifted.filter((name) => !name.endsWith(".svg"))) {
    for (const line of added(there.get(name), made.get(name))) {
      console.error(`${name}: ${line}`);
    }
  }
  return false;
}

if (import.meta.main) {
  const isOnlyCheck = Deno.args[0] === "--check";
  const files = Deno.args.slice(isOnlyCheck ? 1 : 0);
  if (files.length > 0 && !isOnlyCheck) {
    console.error("usage: deno run -A tools/reports.ts [--check [FILE…]]");
    Deno.exit(1);
  }
  const ok = files.length > 0
    ? await checkFiles(files)
    : await update(isOnlyCheck);
  // Reproductions that were loaded may keep connections open.
  Deno.exit(ok ? 0 : 1);
}
