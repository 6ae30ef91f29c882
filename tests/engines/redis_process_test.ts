// Programs that read a session and end, each in a process of its own: with Redis and Memcached, by url.
import { assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import {
  createMemcacheSessionStorage,
  createRedisSessionStorage,
} from "../../mod.ts";
import { bundle, bundles } from "../../tools/bundle.ts";
import { CLIENTS } from "../runtimes/_clients.ts";
import { install, type NpmRuntime, runtime } from "../runtimes/_runtime.ts";
import { installed, startMemcached, startRedis } from "./_servers.ts";

const script = fileURLToPath(new URL("_read_once.mjs", import.meta.url));

interface Engine {
  readonly create: "createRedisSessionStorage" | "createMemcacheSessionStorage";
  readonly url: string;
  /** A session of Ann's. */
  readonly id: string | null;
}

const engines: Record<string, Engine> = {};

if (installed("redis")) {
  const url = `redis://127.0.0.1:${(await startRedis()).port}`;
  const storage = createRedisSessionStorage({ url });
  const session = await storage.read(null);
  session.set("user", "ann");
  const id = await storage.save(session);
  await storage.close?.();
  engines["Redis"] = { create: "createRedisSessionStorage", url, id };
}
if (installed("memcached")) {
  const url = `127.0.0.1:${(await startMemcached()).port}`;
  const storage = createMemcacheSessionStorage({ url });
  const session = await storage.read(null);
  session.set("user", "ann");
  const id = await storage.save(session);
  await storage.close?.();
  engines["Memcached"] = { create: "createMemcacheSessionStorage", url, id };
}

type Start = () => Promise<[command: string, args: string[], module: string]>;

/** How to start the script on each runtime, and the library for it. */
const RUNTIMES: Record<string, Start> = {
  async deno() {
    const module = new URL("../../mod.ts", import.meta.url).href;
    return [Deno.execPath(), ["run", "-A", "--no-check", script], module];
  },
  node20: () => elsewhere("node20"),
  node: () => elsewhere("node"),
  bun: () => elsewhere("bun"),
};

async function elsewhere(on: NpmRuntime): ReturnType<Start> {
  await bundle();
  await install(fileURLToPath(bundles), CLIENTS);
  const module = new URL("mod.js", bundles).href;
  return [await runtime(on), [script], module];
}

for (const [name, engine] of Object.entries(engines)) {
  for (const [on, start] of Object.entries(RUNTIMES)) {
    Deno.test(`${name} by url keeps a process alive until it has answered, and no longer: ${on}`, async () => {
      const [command, args, module] = await start();
      const { code, stdout, stderr } = await new Deno.Command(command, {
        args,
        env: { READ: JSON.stringify({ ...engine, module }) },
        stdin: "null",
        // A process that does not end is a failure.
        signal: AbortSignal.timeout(60_000),
      }).output();
      const decoder = new TextDecoder();
      assertEquals(
        [decoder.decode(stdout), code],
        ["ann\n", 0],
        decoder.decode(stderr),
      );
    });
  }
}
