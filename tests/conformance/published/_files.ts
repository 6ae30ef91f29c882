/** Folders for storages that keep files, one for each namespace, and a look at what is in them. */
import { exists, walk } from "@std/fs";
import type { Inspect } from "../../../conformance/mod.ts";

const root = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => {
  Deno.removeSync(root, { recursive: true });
});

/** The folder of a namespace. */
export function folder(namespace: string): string {
  return `${root}/${namespace}`;
}

/** Each file is a record, by its path below the folder. */
export function inspectFiles(namespace: string): Inspect {
  const dir = folder(namespace);
  return {
    async records() {
      const records = new Map<string, string>();
      if (!await exists(dir)) return records;
      for await (const { path } of walk(dir, { includeDirs: false })) {
        records.set(path.slice(dir.length + 1), await Deno.readTextFile(path));
      }
      return records;
    },
    write: (key, text) => Deno.writeTextFile(`${dir}/${key}`, text),
  };
}
