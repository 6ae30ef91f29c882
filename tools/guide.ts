/**
 * Writes the code and the outputs in the guides of `docs/`.
 *
 * `deno run -A tools/guide.ts` writes them; `--check` fails if they differ. The comment above a fence says how to fill it:
 * `<!-- code: PATH -->` with the file from its first import on, `<!-- output: PATH ARGUMENTS -->` with the output of the
 * conformance command for the target.
 */
// deno-lint-ignore-file no-console -- a command
import { root } from "./project.ts";

const GUIDES = [
  "docs/write-a-storage.md",
  "docs/coming-from.md",
  "docs/storages.md",
];
const CLI = "conformance/cli.ts";
const PUBLISHED = "jsr:@satchel/session/conformance/cli ./target.ts";

const FENCE =
  /<!-- (code|output): (\S+)([^\n]*?) -->\n\n```([^\n]+)\n[^]*?\n```\n/g;

/** The guide with every fence filled. */
export async function fillGuide(guide: string): Promise<string> {
  let filled = "";
  let at = 0;
  for (const match of guide.matchAll(FENCE)) {
    const [whole, kind, path = "", rest = "", language] = match;
    const text = kind === "code"
      ? await codeOf(path)
      : await outputOf(path, rest.trim().split(" ").filter(Boolean));
    filled += guide.slice(at, match.index) +
      `<!-- ${kind}: ${path}${rest} -->\n\n\`\`\`${language}\n${text}\n\`\`\`\n`;
    at = match.index + whole.length;
  }
  return filled + guide.slice(at);
}

async function codeOf(path: string): Promise<string> {
  const source = await Deno.readTextFile(new URL(path, root));
  // Its first comment is for readers of the folder.
  return source.slice(path.endsWith(".ts") ? source.indexOf("import ") : 0)
    .trim()
    .replace(/"\.\/\w+?_storage\.ts"/, '"./storage.ts"');
}

async function outputOf(path: string, args: string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", CLI, path, ...args.map((arg) => beside(path, arg))],
    cwd: root,
    env: { NO_COLOR: "1" },
  });
  const { stdout } = await command.output();
  // The reader uses the published command, and their own target.
  return new TextDecoder().decode(stdout).trim()
    .replaceAll(`${CLI} ${path}`, PUBLISHED);
}

/** A file in the same folder as the target. */
function beside(path: string, arg: string): string {
  return arg.endsWith(".json") ? path.replace(/[^/]+$/, arg) : arg;
}

if (import.meta.main) {
  for (const path of GUIDES) {
    const file = new URL(path, root);
    const guide = await Deno.readTextFile(file);
    const filled = await fillGuide(guide);
    if (!Deno.args.includes("--check")) await Deno.writeTextFile(file, filled);
    else if (filled !== guide) {
      console.error(`${path} has drifted: run deno run -A tools/guide.ts`);
      Deno.exitCode = 1;
    }
  }
}
