/**
 * The adapter for unstorage, and for key-value storages with its methods.
 *
 * @module
 */
import { isId, plainData, PlainSession, randomId } from "./plain_session.ts";
import type { StorageLike } from "../types.ts";

/** A storage of unstorage, as far as the adapter needs it. */
export interface UnstorageLike {
  /** Reads a value. */
  getItem(key: string): Promise<unknown>;
  /** Stores a value. */
  // deno-lint-ignore no-explicit-any -- a value of another library
  setItem(key: string, value: any, options?: any): Promise<void>;
  /** Removes a value. */
  removeItem(key: string): Promise<void>;
}

/** Options of {@linkcode fromUnstorage}. */
export interface FromUnstorageOptions {
  /** The `ttl` for drivers that support it, in seconds. @default {none} */
  readonly ttl?: number | undefined;
}

/**
 * Adapts unstorage: a session is an item, its key is the id, and the adapter creates the ids.
 *
 * The session is the adapter's own. Cookies are bare ids; a text that cannot be an id is never used as a key, as if
 * cookies were signed.
 *
 * @param storage The storage.
 * @param options How long an item lasts.
 * @returns The storage for {@linkcode Opened}.
 *
 * @example
 * ```ts
 * import { createStorage } from "npm:unstorage@1.17.6";
 * import { checkStorage, fromUnstorage } from "@satchel/session/conformance";
 * import { assertEquals } from "@std/assert";
 *
 * const report = await checkStorage({
 *   name: "unstorage",
 *   capabilities: ["revoke"],
 *   open: () => ({ storage: fromUnstorage(createStorage()) }),
 * }, { only: ["PERSIST"] });
 * assertEquals(report.verdict, "partial");
 * ```
 */
export function fromUnstorage(
  storage: UnstorageLike,
  options: FromUnstorageOptions = {},
): StorageLike {
  const { ttl } = options;
  return {
    async read(id: string | null): Promise<PlainSession> {
      if (!isId(id)) return new PlainSession(randomId());
      const item = await storage.getItem(id);
      const own = (item as { id?: unknown } | null)?.id === id;
      const data = own ? plainData(item) : undefined;
      return new PlainSession(data ? id : randomId(), data);
    },
    async save(session: PlainSession): Promise<string | null> {
      const { id, changed, destroyed, replaced, stored } = session;
      if (destroyed) {
        for (const old of [...replaced, id]) await storage.removeItem(old);
        session.settle();
        return "";
      }
      if (!changed) return null;
      const isNew = !stored || replaced.length > 0;
      // The id shows that a record belongs under its key.
      const item = { id, ...session.data };
      await storage.setItem(id, item, ttl === undefined ? {} : { ttl });
      for (const old of replaced) await storage.removeItem(old);
      session.settle();
      return isNew ? id : null;
    },
  };
}
