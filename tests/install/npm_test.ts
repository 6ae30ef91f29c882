// `npm install` of the package, rehearsed: packed from what JSR was sent, installed in a new project, on Node and Bun.
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { delimiter as DELIMITER, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { root } from "../../tools/project.ts";
import { install, runtime } from "../runtimes/_runtime.ts";
import { npmPackage } from "../../tools/npm.ts";
import { expected, program, publish } from "./_published.ts";
import { pack } from "./_tarballs.ts";

const TOOLS = {
  npm: ["npm", "11.21.2", "npm/bin/npm-cli.js"],
  npx: ["npm", "11.21.2", "npm/bin/npx-cli.js"],
  tsc: ["typescript", "7.0.2", "typescript/bin/tsc"],
} as const;

/** npm and TypeScript, whatever this machine has of its own. */
async function tool(name: "npm" | "npx" | "tsc"): Promise<string> {
  const [packed, version, file] = TOOLS[name];
  const dir = fileURLToPath(new URL(`.runtimes/${packed}-${version}`, root));
  await install(dir, { [packed]: version });
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
    const npm = await tool("npm");
    await run(
      node,
      npm,
      ...["install", "--no-audit", "--no-fund", ...tarballs.values()],
    );

    const source = program();
    await Deno.writeTextFile(join(cwd, "main.ts"), source);
    const tsc = await tool("tsc");
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
        await Deno.writeTextFile(join(cwd, "target.mjs"), TARGET);
        const cli = "node_modules/@satchel/session/conformance/cli.js";
        assertMatch(
          await run(command, cli, "./target.mjs", "--only", "FLASH"),
          /\npartial: 13 passed$/,
        );
      });
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** A target that is conformant, or keeps nothing where the environment asks for that. */
const TARGET = `import process from "node:process";
import { createMemorySessionStorage } from "@satchel/session";
export default {
  name: "memory",
  capabilities: ["revoke", "merge"],
  open({ namespace: _, ...options }) {
    const storage = createMemorySessionStorage(options);
    if (!process.env.BROKEN) return { storage };
    return { storage: { read: () => storage.read(null), save: (session) => storage.save(session) } };
  },
};
`;

Deno.test("a project that installs the npm package runs its command with npx and bunx", async (t) => {
  const dir = await Deno.makeTempDir();
  const cwd = join(dir, "project");
  const node20 = await runtime("node20");
  const node = await runtime("node");
  const bun = await runtime("bun");
  const npm = await tool("npm");
  const npx = await tool("npx");
  const run = async (
    [command, ...args]: readonly [string, ...string[]],
    env: Record<string, string> = {},
  ) => {
    const path = `${dirname(command)}${DELIMITER}${Deno.env.get("PATH")}`;
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args,
      cwd,
      env: { NO_COLOR: "1", PATH: path, ...env },
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  };
  try {
    await Deno.mkdir(cwd);
    await Deno.writeTextFile(join(cwd, "package.json"), '{"type":"module"}');
    await Deno.writeTextFile(join(cwd, "target.mjs"), TARGET);
    const folder = join(dir, "package");
    await npmPackage(pathToFileURL(`${folder}/`));
    const packed = await run(
      [node, npm, "pack", folder, "--json", "--pack-destination", dir],
    );
    assertEquals(packed.code, 0, packed.err);
    const tarball = (await Array.fromAsync(Deno.readDir(dir)))
      .find(({ name }) => name.endsWith(".tgz"))?.name ?? "";
    const installed = await run(
      [node, npm, "install", "--no-audit", "--no-fund", join(dir, tarball)],
    );
    assertEquals(installed.code, 0, installed.err);
    // It depends on nothing.
    assertEquals(
      (await Array.fromAsync(Deno.readDir(join(cwd, "node_modules"))))
        .filter(({ name }) => !name.startsWith(".")).map(({ name }) => name),
      ["@satchel"],
    );
    await t.step("types", async () => {
      await Deno.writeTextFile(join(cwd, "main.ts"), program());
      const checked = await run([
        ...[node, await tool("tsc"), "--noEmit", "--strict"] as const,
        ...["--target", "esnext", "--lib", "esnext,dom,dom.iterable"],
        ...["--types", "", "--module", "nodenext", "main.ts"],
      ]);
      assertEquals(checked, { code: 0, out: "", err: "" });
    });
    const link = join(cwd, "node_modules/.bin/satchel-conformance");
    const ways: [name: string, start: [string, ...string[]], again: string][] =
      [
        ["npx on Node 20", [node20, npx, "satchel-conformance"], "npx"],
        ["npx on Node", [node, npx, "satchel-conformance"], "npx"],
        ["a link on Node 20", [node20, link], "npx"],
        ["bunx", [bun, "x", "--no-install", "satchel-conformance"], "bunx"],
        [
          "bunx --bun",
          [bun, "x", "--bun", "--no-install", "satchel-conformance"],
          "bunx --bun",
        ],
      ];
    for (const [name, start, again] of ways) {
      await t.step(name, async () => {
        const rest = ["./target.mjs", "--only", "FLASH", "--seed", "1"];
        const good = await run([...start, ...rest]);
        assertEquals(good.code, 0, name + good.err);
        assertMatch(good.out, /\npartial: 13 passed\n$/, name);
        const broken = await run([...start, ...rest], { BROKEN: "1" });
        assertEquals(broken.code, 1, name + broken.err);
        assertStringIncludes(
          broken.out,
          `  again   ${again} satchel-conformance ./target.mjs --only FLASH-01 --seed 1\n`,
          name,
        );
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
