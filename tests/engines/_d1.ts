/**
 * Cloudflare D1 on this machine: Miniflare.
 *
 * @module
 */
import type { D1Like } from "../../mod.ts";

/** The packages that {@linkcode startD1} needs. */
export const PACKAGES = ["npm:miniflare@4.20260730.0"] as const;

/** A database of D1, with its `withSession()`. */
export type D1 = D1Like & { withSession(constraint?: string): D1Like };

/** Sends the Worker a request. */
export type Fetch = (path: string, cookie?: string) => Promise<Response>;

/** Starts a Worker with a database `DB`. It stops with the process of the tests. */
export async function startWorker(
  script: string,
): Promise<{ db: D1; fetch: Fetch }> {
  const { Miniflare } = await import("npm:miniflare@4.20260730.0");
  const workerd = new Miniflare({
    cf: false,
    modules: [{ type: "ESModule", path: "worker.mjs", contents: script }],
    d1Databases: ["DB"],
    compatibilityDate: "2026-07-01",
  });
  await workerd.ready;
  globalThis.addEventListener("unload", () => void workerd.dispose());
  return {
    db: await workerd.getD1Database("DB") as unknown as D1,
    fetch: async (path, cookie) =>
      await workerd.dispatchFetch(`http://localhost${path}`, {
        headers: cookie ? { cookie } : {},
      }) as unknown as Response,
  };
}

/** Starts a database. */
export async function startD1(): Promise<D1> {
  const idle = "export default { fetch() { return new Response() } }";
  return (await startWorker(idle)).db;
}
