// What an application ships, as its bundler leaves it.
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { denoBundle, root } from "../../tools/project.ts";

/** What is imported from `mod.ts`, and the most bytes that it may take, minified and with gzip. */
const SIZES: [imported: string[], most: number][] = [
  [["createCookieSessionStorage", "withSession"], 21_800],
  [["createCookie"], 7_900],
];

for (const [imported, most] of SIZES) {
  const names = imported.join(" and ");
  Deno.test(`a bundle of ${names} takes at most ${most} bytes`, async () => {
    const code = await bundle(imported);
    const size = await zippedSize(code);
    assert(size <= most, `${size} bytes`);
    // A much smaller one is to be written down.
    assert(size >= most * 0.9, `${size} bytes`);
  });
}

Deno.test("a bundle that imports nothing of mod.ts is empty", async () => {
  assertEquals((await bundle([])).trim(), "");
});

/** Bundles a module that uses some exports. */
async function bundle(names: string[]): Promise<string> {
  const dir = fileURLToPath(new URL(".bundle/", root));
  await Deno.mkdir(dir, { recursive: true });
  const folder = await Deno.makeTempDir({ dir, prefix: "size-" });
  try {
    await Deno.writeTextFile(
      `${folder}/entry.ts`,
      `import { ${names.join(", ")} } from "../../mod.ts";
${
        names.map((name) => `Reflect.set(globalThis, "${name}", ${name});`)
          .join("\n")
      }`,
    );
    const output = `${folder}/bundle.js`;
    const options = ["--minify", "--no-lock", "--platform=browser"];
    await denoBundle(...options, "-o", output, `${folder}/entry.ts`);
    return await Deno.readTextFile(output);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function zippedSize(text: string): Promise<number> {
  const zipped = new Blob([text]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return (await new Response(zipped).bytes()).length;
}
