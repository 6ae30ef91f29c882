/**
 * Checks the code fences and the links of Markdown files.
 *
 * Each fence must name its language, and no TypeScript may hide from `deno check --doc` and `deno test --doc` behind
 * `ignore`. Each relative link must lead to a file and, from a published file, to a published one: JSR shows the README
 * and resolves its links inside the package.
 *
 * `deno run -A tools/readme.ts FILE…` checks the fences and links of these files, and the links of every guide in
 * `docs/` and `docs/coming-from/`.
 */
// deno-lint-ignore-file no-console -- a command
import { existsSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { type Config, readConfig, root } from "./project.ts";

/** What is wrong with the fences of a text, one line each. */
export function fenceProblems(markdown: string): string[] {
  const problems: string[] = [];
  let open: string | undefined;
  markdown.split(/\r?\n/).forEach((row, index) => {
    const [, mark = "", info = ""] = row.match(/^ *(`{3,}|~{3,})(.*)$/) ?? [];
    if (!mark) return;
    if (open !== undefined) {
      if (mark.startsWith(open) && info.trim() === "") open = undefined;
      return;
    }
    open = mark;
    const [language, ...words] = info.trim().split(/[\s,]+/);
    const at = `line ${index + 1}`;
    if (!language) problems.push(`${at}: the fence names no language`);
    else if (/^(js|jsx|javascript)$/.test(language)) {
      problems.push(`${at}: ${language} is not type-checked, write ts`);
    } else if (/^(ts|tsx|typescript)$/.test(language)) {
      if (words.includes("ignore")) problems.push(`${at}: it is ignored`);
    }
  });
  if (open !== undefined) problems.push("the last fence is not closed");
  return problems;
}

/** Whether a file is in the published package. */
export function isPublished(
  path: string,
  { include, exclude }: Config["publish"],
): boolean {
  const isIn = (name: string) =>
    name.startsWith("**/*")
      ? path.endsWith(name.slice("**/*".length))
      : path === name || path.startsWith(name.replace(/\/?$/, "/"));
  return include.some(isIn) && !exclude.some(isIn);
}

/** What a Markdown file links to. */
export interface Linked {
  /** Whether a path, relative to the repository, is a file. */
  exists(path: string): boolean;
  /** The text of a Markdown file. */
  read(path: string): string;
  /** What a published package holds. */
  publish: Config["publish"];
}

/** The links of a Markdown file that lead nowhere, one line each. */
export function linkProblems(path: string, linked: Linked): string[] {
  const problems: string[] = [];
  const text = withoutCode(linked.read(path));
  for (const [, target = ""] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z][a-z\d+.-]*:/i.test(target)) continue;
    const [, file = "", heading] = target.match(/^([^#]*)(?:#(.*))?$/) ?? [];
    const to = file ? join(dirname(path), file) : path;
    if (!linked.exists(to)) {
      problems.push(`${target} is not a file of this repository`);
    } else if (
      isPublished(path, linked.publish) && !isPublished(to, linked.publish)
    ) {
      problems.push(`${target} is not published: write an absolute link`);
    } else if (heading && !headings(linked.read(to)).includes(heading)) {
      problems.push(`${target} is not a heading of ${to}`);
    }
  }
  return problems;
}

/** The anchors of a text's headings, as GitHub and JSR make them. */
function headings(markdown: string): string[] {
  return [...withoutFences(markdown).matchAll(/^#+ (.+)$/gm)].map((
    [, title = ""],
  ) =>
    title.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-")
  );
}

function withoutFences(markdown: string): string {
  return markdown.replaceAll(/^ *(`{3,}|~{3,})[^]*?^ *\1 *$/gm, "");
}

function withoutCode(markdown: string): string {
  return withoutFences(markdown).replaceAll(/`[^`\n]*`/g, "");
}

if (import.meta.main) {
  const guides = ["docs/", "docs/coming-from/"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(folder, root))]
      .filter(({ name }) => name.endsWith(".md"))
      .map(({ name }) => folder + name)
  );
  const linked: Linked = {
    exists: (path) => existsSync(new URL(path, root)),
    read: (path) => Deno.readTextFileSync(new URL(path, root)),
    publish: readConfig().publish,
  };
  const problems = [
    ...Deno.args.flatMap((file) =>
      fenceProblems(linked.read(file)).map((problem) => `${file}: ${problem}`)
    ),
    ...[...new Set([...Deno.args, ...guides])].flatMap((file) =>
      linkProblems(file, linked).map((problem) => `${file}: ${problem}`)
    ),
  ];
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) Deno.exitCode = 1;
}
