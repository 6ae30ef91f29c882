// The first `deno task start` in a fresh clone: it downloads what the shop needs, and nothing that only tests need.
import { assert, assertEquals } from "@std/assert";
import { deno } from "../../tools/project.ts";

Deno.test("deno task start downloads nothing, and prints no warning", async () => {
  const empty = await Deno.makeTempDir();
  try {
    const { text } = await deno(["task", "start"], {
      env: {
        HOME: empty,
        DENO_DIR: `${empty}/deno`,
        DENO_NO_UPDATE_CHECK: "1",
        // With an unknown storage, the shop exits once it is loaded.
        STORAGE: "none",
      },
    });
    assert(text.includes('There is no storage "none"'), text);
    const names = [...text.matchAll(/^Download (?!https:\/\/jsr\.io)(\S+)$/gm)]
      .map(([, url = ""]) => decodeURIComponent(url).replace(/\/-\/.*/, ""))
      .map((url) => /(@[^/]+\/)?[^/]+$/.exec(url)?.[0] ?? url);
    assertEquals(names, [], text);
    assert(!/^Warning/m.test(text), text);
  } finally {
    await Deno.remove(empty, { recursive: true });
  }
});
