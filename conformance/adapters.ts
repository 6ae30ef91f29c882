/**
 * Other libraries' storages as the suite takes them.
 *
 * @module
 */
import type { SessionLike, StorageLike } from "./types.ts";

/** A session of Remix 3, as far as the adapter needs it. */
export interface RemixSession extends Omit<SessionLike, "regenerateId"> {
  /** Gives the session a new id; `true` lets the old one die. */
  regenerateId(deleteOldSession?: boolean): void;
}

/** A storage of Remix 3. */
export interface RemixStorage {
  /** Reads a session by its cookie's value. */
  // deno-lint-ignore no-explicit-any -- the session is of another library's class
  read(cookie: string | null): Promise<any>;
  /** Saves it. */
  // deno-lint-ignore no-explicit-any -- the session is of another library's class
  save(session: any): Promise<string | null>;
}

/** A storage of React Router or Remix 1–2. */
export interface ReactRouterStorage {
  /** Reads a session by a `Cookie` header. */
  // deno-lint-ignore no-explicit-any -- the session is of another library's class
  getSession(cookieHeader?: string | null): Promise<any>;
  /** Saves it. */
  // deno-lint-ignore no-explicit-any -- the session is of another library's class
  commitSession(session: any, options?: { maxAge?: number }): Promise<string>;
  /** Destroys it. */
  // deno-lint-ignore no-explicit-any -- the session is of another library's class
  destroySession(session: any): Promise<string>;
}

/** Options of {@linkcode fromRemix}. */
export interface FromRemixOptions {
  /**
   * Whether a new id lets the old one die, as `regenerateId(true)` does there. A storage that keeps sessions in the
   * cookie cannot do that, and warns of it.
   *
   * @default {true}
   */
  readonly deleteOldSession?: boolean;
}

/**
 * A storage of Remix 3. Its sessions let an old id die where the suite regenerates one: there, that takes an argument.
 *
 * @param storage The storage.
 * @param options How its sessions are used.
 * @returns The storage for {@linkcode Opened}; give the target the profile `remix`.
 *
 * @example
 * ```ts
 * import { createMemorySessionStorage } from "@remix-run/session/memory-storage";
 * import { fromRemix, type Target } from "@satchel/session/conformance";
 *
 * const target: Target = {
 *   name: "Remix 3 memory",
 *   profile: "remix",
 *   capabilities: ["revoke"],
 *   open: () => ({ storage: fromRemix(createMemorySessionStorage()) }),
 * };
 * ```
 */
export function fromRemix(
  storage: RemixStorage,
  options: FromRemixOptions = {},
): StorageLike {
  const { deleteOldSession = true } = options;
  const inner = new WeakMap<object, RemixSession>();
  return {
    async read(value) {
      const session: RemixSession = await storage.read(value);
      const outer = new Proxy(session, {
        get(_, name) {
          if (name === "regenerateId") {
            return () => session.regenerateId(deleteOldSession);
          }
          // Private fields are reached through the session itself, not through its proxy.
          const value = Reflect.get(session, name, session);
          return typeof value === "function" ? value.bind(session) : value;
        },
      });
      inner.set(outer, session);
      return outer;
    },
    save: (session) => storage.save(inner.get(session) ?? session),
  };
}

/**
 * A storage of React Router or Remix 1–2.
 *
 * @param storage The storage.
 * @returns The storage for {@linkcode Opened}; give the target the profile `react-router`.
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
    // Its commit passes all options on to the cookie.
    commitSession: (session, { maxAge } = {}) =>
      storage.commitSession(session, maxAge === undefined ? {} : { maxAge }),
    destroySession: (session) => storage.destroySession(session),
  };
}
