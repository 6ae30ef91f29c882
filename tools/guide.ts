/**
 * Writes the code and the outputs in the guides of `docs/`.
 *
 * `deno run -A tools/guide.ts` writes them; `--check` fails if they differ. `<!-- code: PATH -->` above a fence fills it
 * with the file from its first import on. `tools/walkthrough.ts` describes what else the guide has that is followed from
 * an empty folder; its outputs are those of Node.
 */
// deno-lint-ignore-file no-console -- a command
import { codeOf } from "./guide_code.ts";
import { root } from "./project.ts";
import { reader } from "./reader.ts";
import {
  follow,
  type Reader,
  steady,
  type Step,
  stepsOf,
} from "./walkthrough.ts";

/** The guide that is followed. */
export const WALKTHROUGH = "docs/write-a-storage.md";
const GUIDES = [WALKTHROUGH, "docs/coming-from/code.md", "docs/storages.md"];

const CODE = /(<!-- code: (\S+)[^\n]*? -->\n\n```[^\n]+\n)[^]*?(\n```\n)/g;

/** The guide with the code of every fence. */
export async function fillCode(guide: string): Promise<string> {
  const matches = [...guide.matchAll(CODE)];
  const codes = await Promise.all(
    matches.map(([, , path = ""]) => codeOf(path)),
  );
  return guide.replace(
    CODE,
    (_, before, _path, after) => before + codes.shift() + after,
  );
}

/**
 * The guide with what its commands print.
 *
 * An output stays as it is if it differs in nothing but how fast the machine was.
 */
export async function fillOutputs(
  guide: string,
  reader: Reader,
): Promise<string> {
  const outputs: [Step, string][] = [];
  await follow(stepsOf(guide), reader, (step, { text }) => {
    if (steady(text) !== steady(step.text)) outputs.push([step, text]);
  });
  return outputs.reduceRight(
    (filled, [{ range: [from, to] }, text]) =>
      filled.slice(0, from) + text + filled.slice(to),
    guide,
  );
}

async function fill(path: string, guide: string): Promise<string> {
  const filled = await fillCode(guide);
  if (path !== WALKTHROUGH) return filled;
  await using node = await reader("node");
  return await fillOutputs(filled, node);
}

if (import.meta.main) {
  for (const path of GUIDES) {
    const file = new URL(path, root);
    const guide = await Deno.readTextFile(file);
    const filled = await fill(path, guide);
    if (!Deno.args.includes("--check")) await Deno.writeTextFile(file, filled);
    else if (filled !== guide) {
      console.error(`${path} has drifted: run deno run -A tools/guide.ts`);
      Deno.exitCode = 1;
    }
  }
}
