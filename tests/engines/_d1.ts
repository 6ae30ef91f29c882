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

/** Starts a Worker with a database. It stops with the process of the tests. */
export async function startD1(): Promise<D1> {
  const { Miniflare } = await import("npm:miniflare@4.20260730.0");
  const workerd = new Miniflare({
    modules: true,
    script: "export default { fetch() { return new Response() } }",
    d1Databases: ["DB"],
    compatibilityDate: "2026-07-01",
  });
  await workerd.ready;
  globalThis.addEventListener("unload", () => void workerd.dispose());
  return await workerd.getD1Database("DB") as unknown as D1;
}
