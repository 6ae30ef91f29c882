/** A copy of what is published, away from this repository. */
import { exists } from "@std/fs";
import { cp } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { readConfig, root, writeConfig } from "./project.ts";

/** Options of {@linkcode stage}. */
export interface StageOptions {
  /** Leaves out the stand-ins for JSR's packages: something else provides them. @default {false} */
  withoutLinks?: boolean;
}

/** A staged package; disposing of it removes it. */
export interface Staged extends Disposable {
  /** Its root folder. */
  readonly folder: URL;
}

/**
 * Copies what `publish.include` names, with the stand-ins beside it.
 *
 * `deno publish` takes a linked package inside its folder for a part of the package that is left out.
 */
export async function stage(options: StageOptions = {}): Promise<Staged> {
  const config = readConfig();
  const parent = pathToFileURL(Deno.makeTempDirSync() + "/");
  const folder = new URL("package/", parent);
  for (const name of config.publish.include) {
    const from = new URL(name, root);
    if (!await exists(from)) continue;
    await cp(from, new URL(name, folder), { recursive: true });
  }
  const links = options.withoutLinks ? [] : config.links ?? [];
  for (const link of links) {
    const from = new URL(link, root);
    await cp(from, new URL(link, parent), { recursive: true });
  }
  if (links.length > 0) config.links = links.map((link) => `../${link}`);
  else delete config.links;
  writeConfig(new URL("deno.json", folder), config);
  return {
    folder,
    [Symbol.dispose]: () => Deno.removeSync(parent, { recursive: true }),
  };
}
