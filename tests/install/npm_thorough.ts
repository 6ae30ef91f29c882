// What npm would be sent, in a new project on every runtime, under every resolution of modules.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { readConfig } from "../../tools/project.ts";
import { startWorkerd } from "../engines/_workerd.ts";
import { runtime } from "../runtimes/_runtime.ts";
import { Project, tool } from "./_project.ts";
import { withFrameworks } from "./_frameworks.ts";
import { expected, plainProgram, program } from "./_published.ts";

Deno.test("the npm package is whole, and made twice it is the same", async (t) => {
  await using project = await Project.create();
  const tarball = await project.pack();
  await project.install(tarball);

  await t.step("byte for byte", async () => {
    const again = await project.pack("again");
    assertEquals(await digest(again), await digest(tarball));
  });

  await t.step("its manifest", async () => {
    const path = "node_modules/@satchel/session/package.json";
    const manifest = JSON.parse(
      await Deno.readTextFile(join(project.folder, path)),
    );
    const { name, version, exports } = readConfig();
    assertEquals([manifest.name, manifest.version], [name, version]);
    assertEquals(Object.keys(manifest.exports), Object.keys(exports));
    assertEquals(manifest.type, "module");
    assertEquals(manifest.sideEffects, false);
    assertEquals(manifest.dependencies, undefined);
    assertStringIncludes(manifest.repository.url, "https://");
    assert(manifest.description && manifest.license && manifest.engines.node);
  });

  await project.write("main.ts", program());
  const RESOLUTIONS = [["node16", "node16"], ["nodenext", "nodenext"], [
    "bundler",
    "esnext",
  ]] as const;
  for (const [resolution, module] of RESOLUTIONS) {
    await t.step(
      `TypeScript, moduleResolution ${resolution}`,
      () =>
        project.check(
          "main.ts",
          ...["--module", module, "--moduleResolution", resolution],
        ),
    );
  }

  await project.write("main.js", plainProgram());
  for (const which of ["node20", "node22", "node", "bun"] as const) {
    await t.step(which, async () => {
      const printed = await project.succeed(await runtime(which), "main.js");
      assertEquals(printed, expected(), which);
    });
  }

  await withFrameworks(t, project);

  await t.step("in a Worker", async () => {
    await project.write("worker.js", WORKER);
    await project.succeed(
      ...[await tool("esbuild"), "worker.js", "--bundle"] as const,
      ...["--format=esm", "--outfile=bundle.js", "--external:node:*"],
      ...["--conditions=workerd,worker,browser"],
    );
    const bundle = join(project.folder, "bundle.js");
    const script = await Deno.readTextFile(bundle);
    const worker = await startWorkerd({ script });
    try {
      const first = await worker.fetch("/");
      assertEquals(await first.text(), "1");
      const [cookie] = first.headers.get("set-cookie")?.split(";") ?? [];
      const second = await worker.fetch("/", cookie);
      assertEquals(await second.text(), "2");
    } finally {
      await worker.stop();
    }
  });
});

const WORKER = `
import { createCookieSessionStorage, withSession } from "@satchel/session";
const storage = createCookieSessionStorage({
  cookie: { name: "session", secrets: ["s3cr3t"] },
});
export default {
  fetch: withSession(storage, (_request, session) => {
    session.set("visits", (session.get("visits") ?? 0) + 1);
    return new Response(session.get("visits"));
  }),
};
`;

/** The SHA-256 of a file. */
async function digest(path: string): Promise<string> {
  const bytes = await Deno.readFile(path);
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return new Uint8Array(hash).toHex();
}
