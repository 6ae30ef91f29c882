// `deno add jsr:@satchel/session`, rehearsed: published for real to a registry on this machine, added to a new project.
import { assert, assertEquals } from "@std/assert";
import { deno, readConfig } from "../../tools/project.ts";
import { rowName } from "../_row.ts";
import { expected, program, publish } from "./_published.ts";

Deno.test("a new project on Deno adds the package from JSR, type-checks and keeps a session", async () => {
  await using published = await publish();
  const { env, files } = published;
  const { name, exports } = readConfig();

  for (const file of Object.values(exports)) {
    assert(files.has(file.slice(1)), rowName(file));
  }
  for (
    const path of ["/README.md", "/LICENSE", "/CHANGELOG.md", "/docs/guide.md"]
  ) {
    assert(files.has(path), path);
  }
  const foreign = [...files.keys()].filter((path) =>
    /_test\.ts$|^\/(tests|tools|examples|bench|docs\/decisions)\//.test(path)
  );
  assertEquals(foreign, []);

  const cwd = await Deno.makeTempDir();
  try {
    const run = async (...args: string[]) => {
      const { ok, stdout, text } = await deno(args, { cwd, env });
      assert(ok, text);
      return stdout.trim();
    };
    await Deno.writeTextFile(`${cwd}/deno.json`, "{}");
    await run("add", "--quiet", `jsr:${name}`);
    await Deno.writeTextFile(`${cwd}/main.ts`, program());
    await run("check", "main.ts");
    assertEquals(await run("run", "--quiet", "main.ts"), expected());
  } finally {
    await Deno.remove(cwd, { recursive: true });
  }
});
