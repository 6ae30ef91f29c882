/**
 * The adapter for storages of Remix 3.
 *
 * @module
 */
import type { SessionLike, StorageLike } from "../types.ts";

/** A session of Remix 3, as far as the adapter needs it. */
export interface RemixSession extends Omit<SessionLike, "regenerateId"> {
  /** Regenerates the id; `true` ends the old one. */
  regenerateId(deleteOldSession?: boolean): void;
}

/** A storage of Remix 3. */
export interface RemixStorage {
  /** Reads a session by its cookie's value. */
  // deno-lint-ignore no-explicit-any -- a class of another library
  read(cookie: string | null): Promise<any>;
  /** Saves it. */
  // deno-lint-ignore no-explicit-any -- a class of another library
  save(session: any): Promise<string | null>;
}

/** Options of {@linkcode fromRemix}. */
export interface FromRemixOptions {
  /**
   * Whether a new id ends the old one, as `regenerateId(true)` does in Remix. A storage that keeps sessions in the cookie
   * does not support it, and warns.
   *
   * @default {true}
   */
  readonly deleteOldSession?: boolean;
}

/**
 * Adapts a storage of Remix 3: its `regenerateId` needs an argument to end the old id.
 *
 * @param storage The storage.
 * @param options Whether a new id ends the old one.
 * @returns The storage for {@linkcode Opened}. The target needs the profile `remix`.
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
          // Private fields need the session itself as `this`, not its proxy.
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
