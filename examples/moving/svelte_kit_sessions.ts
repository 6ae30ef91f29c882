/** Moves sessions from svelte-kit-sessions: its signed cookie, and its store. */
import type {
  Cookie,
  CookieAttributes,
  FourFunctions,
  SessionData,
} from "@satchel/session";
import { Buffer } from "node:buffer";
import { oldCookie, oldSessions, signedId } from "./bridge.ts";

/** The cookie of svelte-kit-sessions, `ID.SIGNATURE`. */
export function svelteKitCookie(
  name: string,
  secrets: readonly string[],
  attributes: CookieAttributes = {},
): Cookie {
  // It signs with the low byte of each character.
  const keys = secrets.map((secret) => Buffer.from(secret, "latin1"));
  return oldCookie(name, attributes, signedId(keys));
}

/** The methods used of a store: its `MemoryStore`, svelte-kit-connect-redis or another. */
export interface SvelteKitStore {
  get(id: string): Promise<{ data: object; cookie: object } | null>;
  set(id: string, session: never, ttl: number): Promise<unknown>;
  destroy(id: string): Promise<unknown>;
}

/** The sessions in a store. `attributes` are those of its cookie, which it keeps beside each session. */
export function svelteKitSessions(
  store: SvelteKitStore,
  attributes: CookieAttributes = {},
): FourFunctions {
  return oldSessions({
    async read(id) {
      return (await store.get(id))?.data as SessionData ?? null;
    },
    async write(id, data, expires) {
      const ttl = Math.max(1, expires.getTime() - Date.now());
      const { cookie } = await store.get(id) ??
        { cookie: { path: "/", ...attributes } };
      await store.set(id, { data, cookie } as never, ttl);
    },
    async remove(id) {
      await store.destroy(id);
    },
  });
}
