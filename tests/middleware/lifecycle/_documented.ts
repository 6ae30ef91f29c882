/**
 * The examples of docs/middleware.md that consist of files.
 *
 * @module
 */
import { PAGE } from "./_table.ts";

/**
 * The files of a section, by the path in their first comment.
 *
 * @throws {Error} If there are none.
 */
export async function documentedFiles(
  section: string,
): Promise<Record<string, string>> {
  const page = await Deno.readTextFile(PAGE);
  const [, text = ""] = page.split(`\n## ${section}\n`);
  const fences = text.split("\n## ")[0]?.matchAll(/^```.*\n([^]*?)^```$/gm);
  const files: Record<string, string> = {};
  for (const [, code = ""] of fences ?? []) {
    const [, path] = code.match(/^(?:---\n)?(?:\/\/|<!--) (\S+)/) ?? [];
    if (path) files[path] = code;
  }
  if (Object.keys(files).length === 0) {
    throw new Error(`The section "${section}" does not have files`);
  }
  return files;
}
