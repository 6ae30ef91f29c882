/**
 * What npm installs: `deno pack` of the files that JSR has been sent, under the names that JSR's npm registry gives.
 *
 * @module
 */
import { assert } from "@std/assert";
import { cp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { deno, readConfig } from "../../tools/project.ts";
import { type Published, substitute, SUBSTITUTES } from "./_published.ts";

/** Packs the package and what it takes from JSR, and gives the tarballs' paths by the packages' names. */
export async function pack(
  { files, env }: Published,
  dir: string,
): Promise<Map<string, string>> {
  const tarballs = new Map<string, string>();
  const run = async (name: string, cwd: string, ...args: string[]) => {
    const path = join(dir, `${name.replace(/.*\//, "")}.tgz`);
    const { ok, text } = await deno(
      ["pack", "--allow-dirty", ...args, `--output=${path}`],
      { cwd, env },
    );
    assert(ok, text);
    tarballs.set(name, path);
  };

  const own = join(dir, "own");
  for (const [path, bytes] of files) {
    await Deno.mkdir(join(own, dirname(path)), { recursive: true });
    await Deno.writeFile(join(own, path), bytes);
  }
  await withoutImportMap(own);
  await run(readConfig().name, own);

  for (const name of SUBSTITUTES) {
    const copy = join(dir, name);
    await cp(substitute(name), copy, { recursive: true });
    const manifest = join(copy, "deno.json");
    const config = JSON.parse(await Deno.readTextFile(manifest));
    config.name = `@jsr/std__${name}`;
    await Deno.writeTextFile(manifest, JSON.stringify(config));
    // Their types are beside them, which the tool takes for slow ones.
    await run(config.name, copy, "--allow-slow-types");
  }
  return tarballs;
}

/** What was sent names its packages in full, and so has no use for the map any more. */
async function withoutImportMap(dir: string): Promise<void> {
  const path = join(dir, "deno.json");
  const config = JSON.parse(await Deno.readTextFile(path));
  delete config.imports;
  await Deno.writeTextFile(path, JSON.stringify(config));
}
