/**
 * The documentation of the public API, as JSR shows it.
 *
 * `deno task doc` writes `.doc/index.html`; `--check` writes nothing, and fails where an entry lacks its page, its
 * module documentation or an example.
 */
// deno-lint-ignore-file no-console -- a command
import { exists } from "@std/fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { deno, readConfig, root } from "./project.ts";

/** The part of `deno doc --json` that is read. */
export interface Docs {
  /** What is said of each module. */
  nodes: Record<string, { module_doc?: ModuleDoc }>;
}

interface ModuleDoc {
  doc?: string;
  tags?: { kind: string; doc?: string }[];
}

const FENCE = /^```\w/m;

/** What an entry's documentation lacks; `undefined` where it has all. */
export function lacks(module: ModuleDoc | undefined): string | undefined {
  const { doc = "", tags = [] } = module ?? {};
  if (doc.trim() === "") return "has no module documentation";
  const examples = tags.filter(({ kind }) => kind === "example");
  const texts = [doc, ...examples.map(({ doc = "" }) => doc)];
  return texts.some((text) => FENCE.test(text)) ? undefined : "has no example";
}

async function check(exports: Record<string, string>, site: URL) {
  const files = Object.values(exports);
  const { ok, stdout, text } = await deno(["doc", "--json", ...files]);
  if (!ok) throw new Error(text);
  const { nodes }: Docs = JSON.parse(stdout);
  const problems: string[] = [];
  for (const [entry, file] of Object.entries(exports)) {
    const problem = lacks(nodes[new URL(file, root).href]?.module_doc);
    if (problem) problems.push(`${file} ${problem}`);
    const page = new URL(`${entry}/index.html`, site);
    if (!await exists(page)) problems.push(`${file} has no page`);
  }
  return problems;
}

async function write(exports: Record<string, string>, site: URL) {
  const { name } = readConfig();
  const output = `--output=${fileURLToPath(site)}`;
  const { ok, text } = await deno(
    ["doc", "--html", `--name=${name}`, output, ...Object.values(exports)],
  );
  if (!ok) throw new Error(text);
}

if (import.meta.main) {
  const { exports } = readConfig();
  if (!Deno.args.includes("--check")) {
    const site = new URL(".doc/", root);
    await write(exports, site);
    console.log(fileURLToPath(new URL("index.html", site)));
  } else {
    const site = pathToFileURL(Deno.makeTempDirSync() + "/");
    try {
      await write(exports, site);
      const problems = await check(exports, site);
      for (const problem of problems) console.error(problem);
      if (problems.length > 0) Deno.exitCode = 1;
    } finally {
      Deno.removeSync(site, { recursive: true });
    }
  }
}
