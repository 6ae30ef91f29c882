/**
 * The adapter for storages of React Router and Remix 1–2.
 *
 * @module
 */
import type { StorageLike } from "../types.ts";

/** A storage of React Router or Remix 1–2. */
export interface ReactRouterStorage {
  /** Reads a session by a `Cookie` header. */
  // deno-lint-ignore no-explicit-any -- a class of another library
  getSession(cookieHeader?: string | null): Promise<any>;
  /** Saves it. */
  // deno-lint-ignore no-explicit-any -- a class of another library
  commitSession(session: any, options?: { maxAge?: number }): Promise<string>;
  /** Destroys it. */
  // deno-lint-ignore no-explicit-any -- a class of another library
  destroySession(session: any): Promise<string>;
}

/**
 * Adapts a storage of React Router or Remix 1–2: its `commitSession` gets `maxAge` only.
 *
 * @param storage The storage.
 * @returns The storage for {@linkcode Opened}. The target needs the profile `react-router`.
 *
 * @example
 * ```ts
 * import { createMemorySessionStorage } from "react-router";
 * import { fromReactRouter, type Target } from "@satchel/session/conformance";
 *
 * const target: Target = {
 *   name: "React Router memory",
 *   profile: "react-router",
 *   capabilities: ["revoke"],
 *   open: () => ({
 *     storage: fromReactRouter(createMemorySessionStorage({ cookie: { name: "s", secrets: ["s3cr3t"] } })),
 *   }),
 * };
 * ```
 */
export function fromReactRouter(storage: ReactRouterStorage): StorageLike {
  return {
    getSession: (cookieHeader) => storage.getSession(cookieHeader),
    // It passes all options to the cookie.
    commitSession: (session, { maxAge } = {}) =>
      storage.commitSession(session, maxAge === undefined ? {} : { maxAge }),
    destroySession: (session) => storage.destroySession(session),
  };
}
