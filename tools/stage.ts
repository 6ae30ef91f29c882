/** A copy of what is published, away from this repository. */
import { exists } from "@std/fs";
import { cp } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { readConfig, root, substitutes, writeConfig } from "./project.ts";

/** Options of {@linkcode stage}. */
export interface StageOptions {
  /** Leaves out the substitutes for JSR's packages: something else provides them. @default {false} */
  withoutSubstitutes?: boolean;
}

/** A staged package; disposing of it removes it. */
export interface Staged extends Disposable {
  /** Its root folder. */
  readonly folder: URL;
}

/**
 * Copies what `publish.include` names, with the substitutes beside it.
 *
 * `deno publish` would publish the substitutes too, if they were in the package's folder.
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
  const folders = options.withoutSubstitutes ? [] : substitutes(config);
  for (const name of folders) {
    const from = new URL(name, root);
    await cp(from, new URL(name, parent), { recursive: true });
  }
  if (folders.length > 0) config.links = folders.map((name) => `../${name}`);
  delete config.workspace;
  writeConfig(new URL("deno.json", folder), config);
  return {
    folder,
    [Symbol.dispose]: () => Deno.removeSync(parent, { recursive: true }),
  };
}
