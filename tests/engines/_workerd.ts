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

/** Starts one; it ends with the process that runs the tests. */
export async function startWorkerd(
  script = "export default { fetch() { return new Response() } }",
  compatibilityFlags: string[] = [],
): Promise<LocalWorkerd> {
  const { Miniflare } = await import("npm:miniflare@4.20260730.0");
  const workerd = new Miniflare({
    modules: true,
    script,
    kvNamespaces: ["SESSIONS"],
    compatibilityDate: "2026-07-01",
    compatibilityFlags,
  });
  const { origin } = await workerd.ready;
  globalThis.addEventListener("unload", () => {
    workerd.dispose();
  });
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
    stop: () => workerd.dispose(),
  };
}
