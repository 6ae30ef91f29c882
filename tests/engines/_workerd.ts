/**
 * Workers KV on this machine: Miniflare, with Cloudflare's runtime workerd behind it.
 *
 * @module
 */
import type { KVNamespaceLike } from "../../mod.ts";

/** The packages that {@linkcode startWorkerd} needs. */
export const PACKAGES = ["npm:miniflare@4.20260730.0"] as const;

/** A running Worker. */
export interface LocalWorkerd {
  /** Where it listens. */
  readonly origin: string;
  /** Its KV namespace, from outside. */
  readonly kv: KVNamespaceLike;
  /** The names of its keys, and when each is removed, in seconds. */
  keys(): Promise<{ name: string; expiration?: number }[]>;
  /** Sends the Worker a request. */
  fetch(path: string, cookie?: string): Promise<Response>;
  /** Stops it. */
  stop(): Promise<void>;
}

/** What a Worker is given. */
export interface WorkerOptions {
  /** Its one module. @default {a Worker that answers nothing} */
  script?: string;
  /** Cloudflare's compatibility flags. */
  flags?: string[];
  /** What it finds in its environment, beside the namespace `SESSIONS`. */
  bindings?: Record<string, unknown>;
}

/** Starts one; it ends with the process that runs the tests. */
export async function startWorkerd(
  options: WorkerOptions = {},
): Promise<LocalWorkerd> {
  const {
    script = "export default { fetch() { return new Response() } }",
    flags = [],
    bindings = {},
  } = options;
  const { Miniflare } = await import("npm:miniflare@4.20260730.0");
  const workerd = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents: script }],
    kvNamespaces: ["SESSIONS"],
    bindings: bindings as Record<string, never>,
    compatibilityDate: "2026-07-01",
    compatibilityFlags: flags,
  });
  const { origin } = await workerd.ready;
  const end = () => void workerd.dispose();
  globalThis.addEventListener("unload", end);
  // Miniflare's own types need a package of Cloudflare's that declares globals, for every file.
  const kv = await workerd.getKVNamespace("SESSIONS") as unknown as
    & KVNamespaceLike
    & { list(): Promise<{ keys: { name: string; expiration?: number }[] }> };
  return {
    origin,
    kv,
    keys: async () => (await kv.list()).keys,
    fetch: async (path, cookie) =>
      await workerd.dispatchFetch(`http://localhost${path}`, {
        headers: cookie ? { cookie } : {},
      }) as unknown as Response,
    async stop() {
      // Nothing may be disposed of twice.
      globalThis.removeEventListener("unload", end);
      await workerd.dispose();
    },
  };
}
