/**
 * Versions for reports.
 *
 * @module
 */

/** The version of this package. */
export const VERSION = "0.1.0";

/** The used part of a runtime's globals. */
interface Runtime {
  readonly navigator?: { readonly userAgent?: string };
  readonly process?: { readonly version?: string };
}

/** The runtime and its version, such as `Deno 2.9.6`. */
export function runtimeName(): string {
  const { navigator, process } = globalThis as Runtime;
  // Node 20 has no navigator. Deno and Bun have process.version too, with the version of Node that they resemble.
  const agent = navigator?.userAgent ?? `Node.js/${process?.version ?? "?"}`;
  return agent.replace("/", " ").replace(" v", " ");
}
