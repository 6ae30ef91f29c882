// The table in README.md and the tests beside it are the same list.
import { assert, assertEquals } from "@std/assert";

const folder = new URL("./", import.meta.url);

/** The tests that the table names: by file, `Guide, Section 1: what a visitor sees`. */
function testsOfTable(table: string): Map<string, string[]> {
  const byFile = new Map<string, string[]>();
  for (const part of table.split(/^## /m).slice(1)) {
    const [, guide, file = ""] = part.match(/^(.+)\n\n\[`(\w+\.ts)`\]/) ?? [];
    const rows = part.split("\n").filter((line) => line.startsWith("| "))
      .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
    const [head, , ...body] = rows;
    assertEquals(head, ["Section", "Snippet", "What a visitor sees"]);
    byFile.set(
      file,
      body.map(([section, snippet, seen]) =>
        `${guide}, ${section} ${snippet}: ${seen}`.replace(/`/g, "")
      ),
    );
  }
  return byFile;
}

/** The tests of a file, as written: those that need a missing program are registered under another name. */
function testsOfFile(source: string): string[] {
  assertEquals(source.match(/\.(only|ignore|skip)\b|ignore:/), null);
  return [...source.matchAll(/Deno\.test\(\s*"([^"]+)"/g)]
    .map(([, name = ""]) => name);
}

Deno.test("tests/guides/README.md has a row for every test, and a test for every row", async () => {
  const table = testsOfTable(
    await Deno.readTextFile(new URL("README.md", folder)),
  );
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.endsWith("_test.ts") && name !== "table_test.ts");
  assertEquals([...table.keys()].sort(), files.sort());
  for (const [file, rows] of table) {
    const source = await Deno.readTextFile(new URL(file, folder));
    assertEquals(rows.toSorted(), testsOfFile(source).toSorted(), file);
    assert(rows.length > 0);
  }
});
