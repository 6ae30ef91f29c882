// Every page of the documentation is found from the README, and from llms.txt.
import { assertEquals } from "@std/assert";
import { root } from "../../tools/project.ts";

const pages = (await Array.fromAsync(Deno.readDir(new URL("docs/", root))))
  .filter(({ name }) => name.endsWith(".md"))
  .map(({ name }) => `docs/${name}`).sort();

for (const file of ["README.md", "llms.txt"]) {
  Deno.test(`${file} leads to every page of docs/`, async () => {
    const text = await Deno.readTextFile(new URL(file, root));
    const links = [...text.matchAll(/\]\((docs\/[\w-]+\.md)/g)]
      .map(([, link]) => link);
    assertEquals([...new Set(links)].sort(), pages, file);
  });
}

Deno.test("the links of llms.txt lead to files", async () => {
  const text = await Deno.readTextFile(new URL("llms.txt", root));
  for (const [, link = ""] of text.matchAll(/\]\(([^)]+)\)/g)) {
    const { isFile } = await Deno.stat(new URL(link, root));
    assertEquals(isFile, true, link);
  }
});
