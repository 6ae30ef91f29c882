// Sessions in D1, in a Worker: parallel requests are merged, and a logout holds at once.
import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { denoBundle } from "../../tools/project.ts";
import { PACKAGES, startWorker } from "./_d1.ts";
import { withPackages } from "./_packages.ts";

async function start() {
  const file = await Deno.makeTempFile({ suffix: ".js" });
  const main = fileURLToPath(new URL("_sql_worker.ts", import.meta.url));
  await denoBundle("--platform=browser", "-o", file, main);
  const script = await Deno.readTextFile(file);
  await Deno.remove(file);
  return await startWorker(script);
}

await withPackages("D1 (workerd)", PACKAGES, start, ({ fetch }) => {
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
