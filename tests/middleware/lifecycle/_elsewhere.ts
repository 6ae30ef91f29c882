/**
 * The application on another runtime: bundled here, and run there as a process of its own.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** Bundles a module of this folder; gives the bundle's text. */
export async function bundle(module: string): Promise<string> {
  const out = await Deno.makeTempFile({ suffix: ".mjs" });
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["bundle", "--quiet", "--platform=browser", "-o", out],
        fileURLToPath(new URL(module, import.meta.url)),
      ],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return await Deno.readTextFile(out);
  } finally {
    await Deno.remove(out);
  }
}
