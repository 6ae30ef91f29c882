/**
 * `deno publish --dry-run`, also where `links` stands in for JSR.
 *
 * A linked package inside this folder would count as a part of this package
 * that is left out, so the check runs in a copy that has them beside it.
 */
// deno-lint-ignore-file no-console -- a command
import { exists } from "@std/fs";
import { cp } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { deno, readConfig, root, writeConfig } from "./_project.ts";

const config = readConfig();
const folder = pathToFileURL(Deno.makeTempDirSync() + "/");
try {
  const copy = new URL("package/", folder);
  for (const name of config.publish.include) {
    const from = new URL(name, root);
    if (!await exists(from)) continue;
    await cp(from, new URL(name, copy), { recursive: true });
  }
  const links = config.links ?? [];
  for (const link of links) {
    const from = new URL(link, root);
    await cp(from, new URL(link, folder), { recursive: true });
  }
  if (links.length > 0) config.links = links.map((link) => `../${link}`);
  writeConfig(new URL("deno.json", copy), config);
  const { ok, text } = await deno(
    ["publish", "--dry-run", "--allow-dirty", "--no-lock"],
    { cwd: copy },
  );
  console.log(text);
  if (!ok) Deno.exitCode = 1;
} finally {
  Deno.removeSync(folder, { recursive: true });
}
