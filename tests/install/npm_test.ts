// `npm install` of the package, rehearsed: packed from what JSR was sent, installed in a new project, on Node and Bun.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../../tools/project.ts";
import { install, runtime } from "../runtimes/_runtime.ts";
import { expected, program, publish } from "./_published.ts";
import { pack } from "./_tarballs.ts";

/** npm and TypeScript, whatever this machine has of its own. */
async function tool(name: "npm" | "typescript", version: string) {
  const dir = fileURLToPath(new URL(`.runtimes/${name}-${version}`, root));
  await install(dir, { [name]: version });
  const file = name === "npm" ? "npm/bin/npm-cli.js" : "typescript/bin/tsc";
  return join(dir, "node_modules", file);
}

Deno.test("a new project on Node or Bun installs the package, type-checks and keeps a session", async (t) => {
  const dir = await Deno.makeTempDir();
  const cwd = join(dir, "project");
  const run = async (command: string, ...args: string[]) => {
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args,
      cwd,
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    const text = decoder.decode(stdout);
    assert(success, text + decoder.decode(stderr));
    return text.trim();
  };
  try {
    await using published = await publish();
    const tarballs = await pack(published, dir);
    const node = await runtime("node");
    await Deno.mkdir(cwd);
    await Deno.writeTextFile(join(cwd, "package.json"), '{"type":"module"}');
    const npm = await tool("npm", "11.21.2");
    await run(
      node,
      npm,
      ...["install", "--no-audit", "--no-fund", ...tarballs.values()],
    );

    const source = program();
    await Deno.writeTextFile(join(cwd, "main.ts"), source);
    const tsc = await tool("typescript", "7.0.2");
    for (const resolution of ["nodenext", "bundler"]) {
      await t.step(`TypeScript, moduleResolution ${resolution}`, async () => {
        const module = resolution === "bundler" ? "esnext" : resolution;
        await run(
          node,
          tsc,
          ...["--noEmit", "--strict", "--target", "esnext"],
          ...["--lib", "esnext,dom,dom.iterable", "--types", ""],
          ...["--module", module, "--moduleResolution", resolution, "main.ts"],
        );
      });
    }
    for (const which of ["node20", "node", "bun"] as const) {
      await t.step(which, async () => {
        const command = await runtime(which);
        const main = which === "bun" ? "main.ts" : "main.js";
        await Deno.writeTextFile(join(cwd, "main.js"), plain(source));
        assertEquals(await run(command, main), expected());
      });
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** The program without its types, for Node 20. */
function plain(source: string): string {
  return source.replace(/<\{.*?\}>/, "")
    .replace(/^(const \w+): [\w |]+ =/gm, "$1 =")
    .replace(/^again\.set.*$/m, "");
}
