/**
 * Serves the answers on Node.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { denoBundle } from "../../../tools/project.ts";
import { type NpmRuntime, runtime } from "../../runtimes/_runtime.ts";
import { HOSTS } from "./_server.ts";

/** Starts all hosts. Returns their ports, in the order of {@linkcode HOSTS}. */
export async function serveOnNode(
  name: NpmRuntime,
): Promise<{ ports: number[]; stop(): Promise<void> }> {
  const dir = await Deno.makeTempDir();
  const main = `${dir}/main.mjs`;
  const path = fileURLToPath(new URL("_node_main.ts", import.meta.url));
  await denoBundle("--platform=deno", "--lock=deno.lock", "-o", main, path);
  const child = new Deno.Command(await runtime(name), {
    args: [main],
    env: { TMPDIR: dir },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await lines.read();
  const ports = value.trim().split(" ").map(Number);
  if (ports.length !== HOSTS.length) throw new Error(`no ports: ${value}`);
  return {
    ports,
    async stop() {
      child.kill();
      await lines.cancel();
      await child.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}
