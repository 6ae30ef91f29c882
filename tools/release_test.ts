import { assertEquals, assertMatch } from "@std/assert";
import { root } from "./project.ts";
import { mistakes } from "./release.ts";

Deno.test("mistakes() finds none where tag, version and change log agree", () => {
  assertEquals(mistakes("v0.2.0", "0.2.0", "# Changelog\n\n## 0.2.0\n"), []);
});

Deno.test("mistakes() names a tag of another version, and a missing heading", () => {
  const found = mistakes("v0.2.0", "0.1.0", "# Changelog\n\n## Unreleased\n");
  assertEquals(found.length, 2);
  assertMatch(found[0] ?? "", /v0\.2\.0.*0\.1\.0/);
  assertMatch(found[1] ?? "", /"## 0\.1\.0"/);
});

Deno.test("the workflows name every action by its commit, and a release uses no cache", async () => {
  const folder = new URL(".github/workflows/", root);
  for await (const { name } of Deno.readDir(folder)) {
    const text = await Deno.readTextFile(new URL(name, folder));
    const uses = text.split("\n").filter((line) => line.includes("uses:"));
    for (const line of uses) {
      assertMatch(line, /uses: [\w/-]+@[0-9a-f]{40} # v[\d.]+$/, name);
    }
    if (name !== "release.yml") continue;
    const caches = text.match(/cache: .*/g) ?? [];
    assertEquals([...new Set(caches)], ["cache: false"], name);
    const denos = uses.filter((line) => line.includes("setup-deno"));
    assertEquals(caches.length, denos.length, "setup-deno caches by default");
  }
});
