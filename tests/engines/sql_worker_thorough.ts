// Sessions in D1, in a Worker: parallel requests are merged, and a logout holds at once.
import { assertEquals, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { denoBundle } from "../../tools/project.ts";
import { PACKAGES, startWorker } from "./_d1.ts";
import { withPackages } from "./_packages.ts";
import { engineOn } from "./_sql.ts";

async function start() {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  const main = fileURLToPath(new URL("_sql_worker.ts", import.meta.url));
  await denoBundle("--platform=browser", "-o", file, main);
  const script = await Deno.readTextFile(file);
  await Deno.remove(file);
  return await startWorker(script);
}

await withPackages("D1 (workerd)", PACKAGES, start, ({ db, fetch }) => {
  Deno.test("D1 takes a record of the largest size, and a sweep of more records than a statement can have parameters", async () => {
    const engine = engineOn(db, { table: "limits" });
    const maxBytes = engine.guarantees.maxBytes ?? 0;
    const key = "k".repeat(43);
    const value = "v".repeat(maxBytes);
    const expires = Date.now() + 1e9;
    await engine.write(key, value, { expires, owner: "o".repeat(43) });
    assertEquals((await engine.read(key))?.value.length, maxBytes);
    // Here D1 allows a tenth more than at Cloudflare.
    await assertRejects(
      () => engine.write(key, value + "v".repeat(200_300), { expires }),
      Error,
      "SQLITE_TOOBIG",
    );
    const all = Array.from({ length: 101 }, (_, i) => `${i}`);
    await Promise.all(
      all.map((key) => engine.write(key, "[1]", { expires: 1 })),
    );
    assertEquals(await engine.sweep(2), 101);
    for (const key of ["0", "100"]) {
      assertEquals(await engine.read(key), null, key);
    }
    assertEquals((await engine.read(key))?.expires, expires);
  });

  for (const place of ["/own", "/shared"]) {
    Deno.test(`a Worker with D1 keeps every change, and a logout holds at once (${place})`, async () => {
      // Some requests find that there is no table yet.
      const firsts = await Promise.all(
        Array.from({ length: 5 }, () => fetch(`${place}/first`)),
      );
      assertEquals(firsts.map(({ status }) => status), Array(5).fill(200));
      for (const first of firsts) await first.text();
      const [cookie = ""] = firsts[0]?.headers.get("set-cookie")?.split(";") ??
        [];
      const all = await Promise.all(
        Array.from({ length: 12 }, (_, i) => fetch(`${place}/${i}`, cookie)),
      );
      assertEquals(all.map(({ status }) => status), Array(12).fill(200));
      for (const answer of all) await answer.text();
      const read = async (path: string): Promise<object> =>
        await (await fetch(path, cookie)).json() as object;
      const seen = await read(`${place}/last`);
      assertEquals(Object.keys(seen).length, 14);
      await (await fetch(`${place}/logout`, cookie)).text();
      const after = await read(`${place}/after`);
      assertEquals(Object.keys(after).length, 1);
    });
  }
});
