// The table in README.md and the tests are the same list, and every snippet is in it.
import { assert, assertEquals } from "@std/assert";
import { rowName } from "../_row.ts";

const folder = new URL("./", import.meta.url);

interface Row {
  section: string;
  /** `1`, or `1, 2`; or `table`, or `entry` and its number. */
  snippet: string;
  seen: string;
}

interface Guide {
  name: string;
  file: string;
  /** The number of its snippets. */
  total: number;
  rows: Row[];
}

/** The guides of README.md, each with its table. */
function guidesOf(readme: string): Guide[] {
  const guides: Guide[] = [];
  for (const part of readme.split(/^## /m).slice(1)) {
    const [, name = "", file = "", total] = part.match(
      /^(.+)\n\n\[`(\w+\.ts)`\]\(\2\), of (\d+) snippets\n/,
    ) ?? [];
    const [head, , ...body] = part.split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
    if (head === undefined) continue;
    assertEquals(
      head,
      ["Section", "Snippet", "What a visitor sees"],
      rowName(part),
    );
    const rows = body.map(([section = "", snippet = "", seen = ""]) => ({
      section,
      snippet,
      seen: seen.replaceAll("`", ""),
    }));
    guides.push({ name, file, total: Number(total), rows });
  }
  return guides;
}

/** The errors in the numbers of a guide's snippets. */
function faults({ name, total, rows }: Guide): string[] {
  const sections = new Map<string, Set<number>>();
  const found: string[] = [];
  for (const { section, snippet } of rows) {
    if (/^(table|entry \d+)$/.test(snippet)) continue;
    const numbers = sections.get(section) ?? new Set();
    sections.set(section, numbers);
    for (const number of snippet.split(", ")) {
      if (/^[1-9]\d*$/.test(number)) numbers.add(Number(number));
      else {found.push(
          `${name}, ${section}: not a snippet's number: ${snippet}`,
        );}
    }
  }
  let count = 0;
  for (const [section, numbers] of sections) {
    count += numbers.size;
    for (let number = 1; number < Math.max(...numbers); number++) {
      if (numbers.has(number)) continue;
      found.push(`${name}, ${section}: snippet ${number} is missing`);
    }
  }
  if (count !== total) found.push(`${name}: ${count} of ${total} snippets`);
  return found;
}

/** The tests in a file's source: a test that needs a missing program is registered under another name. */
function testsOfFile(source: string): string[] {
  assertEquals(source.match(/\.(only|ignore|skip)\b|ignore:/), null);
  return [...source.matchAll(/Deno\.test\(\s*"([^"]+)"/g)]
    .map(([, name = ""]) => name);
}

const guides = guidesOf(
  await Deno.readTextFile(new URL("README.md", folder)),
);

Deno.test("tests/guides/README.md has a row for every test, and a test for every row", async () => {
  const files = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.endsWith("_test.ts") && name !== "table_test.ts");
  assertEquals(guides.map(({ file }) => file).sort(), files.sort());
  for (const { name, file, rows } of guides) {
    const source = await Deno.readTextFile(new URL(file, folder));
    assertEquals(
      rows.map(({ section, snippet, seen }) =>
        `${name}, ${section} ${snippet}: ${seen}`
      ).sort(),
      testsOfFile(source).sort(),
      file,
    );
    assert(rows.length > 0, name);
  }
});

Deno.test("tests/guides/README.md has every snippet of every guide", () => {
  assertEquals(guides.flatMap(faults), []);
});

Deno.test("a snippet without a row is an error", () => {
  const row = (section: string, snippet: string) => ({
    section,
    snippet,
    seen: "",
  });
  const guide = { name: "Old", file: "", total: 4 };
  const login = [row("Login", "1"), row("Login", "2, 3"), row("API", "table")];
  assertEquals(faults({ ...guide, rows: [...login, row("Logout", "1")] }), []);
  assertEquals(faults({ ...guide, rows: login }), ["Old: 3 of 4 snippets"]);
  assertEquals(
    faults({ ...guide, total: 2, rows: login.slice(1) }),
    ["Old, Login: snippet 1 is missing"],
  );
  assertEquals(
    faults({ ...guide, total: 0, rows: [row("Login", "one")] }),
    ["Old, Login: not a snippet's number: one"],
  );
});
