/**
 * Durable Objects on this machine: Miniflare, with Cloudflare's runtime workerd behind it.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { DurableObjectNamespaceLike } from "../../mod.ts";
import { denoBundle, root } from "../../tools/project.ts";
import { startWorkerd } from "./_workerd.ts";

/** Running Durable Objects. */
export interface LocalObjects {
  /** The address of their Worker. */
  readonly origin: string;
  /** Their namespace. */
  readonly namespace: DurableObjectNamespaceLike;
  /** What an object holds: how many entries, and when its alarm is due. With `alarm`, the alarm rings before. */
  look(
    name: string,
    alarm?: "alarm",
  ): Promise<{ entries: number; alarm: number | null }>;
  /** From now on, as many answers are lost: the objects answer and are then stopped. */
  lose(answers: number): Promise<void>;
  /** Stops them. */
  stop(): Promise<void>;
}

/** Options of {@linkcode startObjects}. */
export interface ObjectsOptions {
  /** Their folder. @default {they end with the runtime} */
  dir?: string;
  /** Their class. @default {"TestObject"} */
  objects?: string;
}

/** Starts Durable Objects. They stop with the process of the tests. */
export async function startObjects(
  { objects = "TestObject", ...options }: ObjectsOptions = {},
): Promise<LocalObjects> {
  bundling ??= bundleWorker();
  const workerd = await startWorkerd({
    script: await bundling,
    objects,
    ...options,
  });
  return {
    origin: workerd.origin,
    namespace: namespaceAt(workerd.origin),
    look: async (name, alarm) => {
      const path = `/${encodeURIComponent(name)}/${alarm ?? "look"}`;
      const looked = await workerd.post(path, "");
      return await looked.json();
    },
    lose: async (answers) => {
      const answer = await workerd.post(`/none/look?lose=${answers}`, "");
      await answer.body?.cancel();
    },
    stop: () => workerd.stop(),
  };
}

/** The namespace behind a Worker, from any process. */
export function namespaceAt(origin: string): DurableObjectNamespaceLike {
  return {
    idFromName: (name) => name,
    get: (name: string) => ({
      async fetch(_url, { method, body }) {
        const url = `${origin}/${encodeURIComponent(name)}`;
        const response = await fetch(url, { method, body });
        if (response.status !== 500) return response;
        const { message, ...rest }: { message: string } = await response.json();
        throw Object.assign(new Error(message), rest);
      },
    }),
  };
}

let bundling: Promise<string> | undefined;

async function bundleWorker(): Promise<string> {
  const script = await Deno.makeTempFile({ suffix: ".js" });
  try {
    const entry = new URL("tests/engines/object_worker.ts", root);
    const output = ["-o", script, fileURLToPath(entry)];
    await denoBundle("--platform=browser", ...output);
    return await Deno.readTextFile(script);
  } finally {
    await Deno.remove(script);
  }
}
