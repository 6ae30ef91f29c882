// `npm install` of the package, rehearsed: packed from what JSR was sent, installed in a new project, on Node and Bun.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { runtime } from "../runtimes/_runtime.ts";
import { Project, tool } from "./_project.ts";
import { expected, plainProgram, program, publish } from "./_published.ts";
import { pack } from "./_tarballs.ts";

Deno.test("a new project on Node or Bun installs the package, type-checks and keeps a session", async (t) => {
  await using project = await Project.create();
  await using published = await publish();
  const tarballs = await pack(published, project.beside(""));
  await project.install(...tarballs.values());

  const source = program();
  await project.write("main.ts", source);
  for (const resolution of ["nodenext", "bundler"]) {
    await t.step(`TypeScript, moduleResolution ${resolution}`, async () => {
      const module = resolution === "bundler" ? "esnext" : resolution;
      await project.check(
        "main.ts",
        ...["--module", module, "--moduleResolution", resolution],
      );
    });
  }
  for (const which of ["node20", "node", "bun"] as const) {
    await t.step(which, async () => {
      const command = await runtime(which);
      const main = which === "bun" ? "main.ts" : "main.js";
      await project.write("main.js", plainProgram());
      assertEquals(await project.succeed(command, main), expected(), which);
      await project.write("target.mjs", TARGET);
      const cli = "node_modules/@satchel/session/conformance/cli.js";
      assertMatch(
        await project.succeed(command, cli, "./target.mjs", "--only", "FLASH"),
        /\npartial: 13 passed$/,
        which,
      );
    });
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
  const node20 = await runtime("node20");
  const node = await runtime("node");
  const bun = await runtime("bun");
  const npx = await tool("npx");
  await using project = await Project.create();
  await project.write("target.mjs", TARGET);
  await project.install(await project.pack());
  // It depends on nothing.
  const modules = join(project.folder, "node_modules");
  assertEquals(
    (await Array.fromAsync(Deno.readDir(modules)))
      .filter(({ name }) => !name.startsWith(".")).map(({ name }) => name),
    ["@satchel"],
  );
  const link = join(modules, ".bin/satchel-conformance");
  const ways: [name: string, start: [string, ...string[]], again: string][] = [
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
      const good = await project.run([...start, ...rest]);
      assertEquals(good.code, 0, name + good.err);
      assertMatch(good.out, /\npartial: 13 passed\n$/, name);
      const broken = await project.run([...start, ...rest], { BROKEN: "1" });
      assertEquals(broken.code, 1, name + broken.err);
      assertStringIncludes(
        broken.out,
        `  again   ${again} satchel-conformance ./target.mjs --only FLASH-01 --seed 1\n`,
        name,
      );
    });
  }
});
