// Runs the middlewares' examples with the real frameworks. `deno test --doc` leaves them out, so that checking this
// package does not need every framework.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withPackages } from "../engines/_packages.ts";

const root = new URL("../../", import.meta.url);
const config = new URL("deno.json", root);

/**
 * The examples of a file that `deno test --doc` skips. An application need not annotate what it exports, as this package
 * must.
 */
function examplesOf(source: string): string[] {
  return [...source.matchAll(/^( \* )?```ts ignore\n([^]*?)^( \* )?```$/gm)]
    .map(([, , code = ""]) =>
      code.replaceAll(/^ \* ?/gm, "").replaceAll(
        /^export (default )?(?=const |type |session\()/gm,
        "",
      )
    );
}

const examples: Record<string, string> = {};
const files = ["docs/middleware.md"];
for await (const entry of Deno.readDir(new URL("middleware/", root))) {
  if (entry.isFile) files.push(`middleware/${entry.name}`);
}
for (const file of files) {
  const source = await Deno.readTextFile(new URL(file, root));
  examplesOf(source).forEach((code, index) =>
    examples[`${file.replaceAll(/[/.]/g, "_")}_${index}.ts`] = code
  );
}

await withPackages(
  "the middlewares' examples",
  [...new Set(Object.values(examples).join().match(/npm:(?!@types)[^"]+/g))],
  () => Promise.resolve(),
  () => {
    Deno.test("the middlewares' examples type-check and run", async () => {
      assert(Object.keys(examples).length > 10);
      const dir = await Deno.makeTempDir();
      try {
        for (const [name, code] of Object.entries(examples)) {
          await Deno.writeTextFile(join(dir, name), code);
        }
        // In one process, because each type check takes seconds.
        const all = Object.keys(examples).map((name) => `import "./${name}";`);
        await Deno.writeTextFile(join(dir, "all.ts"), all.join("\n"));
        const { code, stderr } = await new Deno.Command(Deno.execPath(), {
          args: [
            ...["run", "-A", "--check", "--quiet", "--no-lock"],
            ...["--config", fileURLToPath(config), join(dir, "all.ts")],
          ],
          env: { NO_COLOR: "1" },
        }).output();
        assertEquals(code, 0, new TextDecoder().decode(stderr));
      } finally {
        await Deno.remove(dir, { recursive: true });
      }
    });
  },
);
