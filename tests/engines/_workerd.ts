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
  /** Its address. */
  readonly origin: string;
  /** Its KV namespace, for use by the tests. */
  readonly kv: KVNamespaceLike;
  /** The names and expirations of its keys, in seconds. */
  keys(): Promise<{ name: string; expiration?: number }[]>;
  /** Sends the Worker a request. */
  fetch(path: string, cookie?: string): Promise<Response>;
  /** Sends the Worker a text. */
  post(path: string, body: string): Promise<Response>;
  /** Stops it. */
  stop(): Promise<void>;
}

/** Options of a Worker. */
export interface WorkerOptions {
  /** Its module. @default {a Worker that sends empty answers} */
  script?: string;
  /** Cloudflare's compatibility flags. */
  flags?: string[];
  /** Its environment, besides the namespace `SESSIONS`. */
  bindings?: Record<string, unknown>;
  /** The class of the Durable Objects under the binding `OBJECTS`. @default {no binding} */
  objects?: string;
  /** The binding of a database of D1. @default {no binding} */
  d1?: string;
  /** The folder of the objects. @default {they end with the Worker} */
  dir?: string;
}

/** Starts a Worker. It stops with the process of the tests. */
export async function startWorkerd(
  options: WorkerOptions = {},
): Promise<LocalWorkerd> {
  const {
    script = "export default { fetch() { return new Response() } }",
    flags = [],
    bindings = {},
    objects,
    d1,
    dir,
  } = options;
  const { Miniflare } = await import("npm:miniflare@4.20260730.0");
  const workerd = new Miniflare({
    // It would ask Cloudflare where this machine is.
    cf: false,
    modules: [{ type: "ESModule", path: "worker.mjs", contents: script }],
    kvNamespaces: ["SESSIONS"],
    bindings: bindings as Record<string, never>,
    ...objects === undefined ? {} : {
      durableObjects: { OBJECTS: { className: objects, useSQLite: true } },
    },
    ...d1 === undefined ? {} : { d1Databases: [d1] },
    ...dir === undefined ? {} : { durableObjectsPersist: dir },
    compatibilityDate: "2026-07-01",
    compatibilityFlags: flags,
  });
  const { origin } = await workerd.ready;
  const end = () => void workerd.dispose();
  globalThis.addEventListener("unload", end);
  // Miniflare's own types need a package of Cloudflare's that declares globals in every file.
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
    // Faster than Miniflare's own `dispatchFetch`.
    post: (path, body) =>
      fetch(new URL(path, origin), { method: "POST", body }),
    async stop() {
      // It must not be disposed twice.
      globalThis.removeEventListener("unload", end);
      await workerd.dispose();
    },
  };
}
