/** The code in guides, from the files of this repository. */
import { root } from "./project.ts";

/** A file as a guide shows it: from its first import on, since the comment above is for readers of the folder. */
export async function codeOf(path: string): Promise<string> {
  const source = await Deno.readTextFile(new URL(path, root));
  return source.slice(path.endsWith(".ts") ? source.indexOf("import ") : 0)
    .trim();
}
