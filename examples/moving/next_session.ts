/** Moves sessions from next-session: its cookie, and its store. */
import type {
  Cookie,
  CookieAttributes,
  FourFunctions,
  SessionData,
} from "@satchel/session";
import { oldCookie, oldSessions } from "./bridge.ts";

/** The cookie of next-session: the plain id. If it was signed by `encode`, take `expressCookie` instead. */
export function nextCookie(
  name: string,
  attributes: CookieAttributes = {},
): Cookie {
  return oldCookie(name, attributes, {
    isSigned: false,
    read: async (id) => /^[\w-]{1,128}$/.test(id) ? id : null,
    write: async (id) => id,
  });
}

/** The methods used of a store: its `MemoryStore`, or another after `promisifyStore`. */
export interface NextStore {
  get(id: string): Promise<SessionData | null | undefined>;
  set(id: string, session: never): Promise<unknown>;
  destroy(id: string): Promise<unknown>;
}

/** The sessions in a store. `attributes` are those of its cookie, which it keeps beside each session. */
export function nextSessions(
  store: NextStore,
  attributes: CookieAttributes = {},
): FourFunctions {
  return oldSessions({
    async read(id) {
      const { cookie: _cookie, ...data } = await store.get(id) ?? {};
      return Object.keys(data).length > 0 ? data : null;
    },
    async write(id, data, expires) {
      const maxAge = Math.ceil((expires.getTime() - Date.now()) / 1000);
      const { cookie = { path: "/", httpOnly: true, ...attributes, maxAge } } =
        await store.get(id) ?? {};
      const session = { ...data, cookie: { ...cookie, expires } };
      await store.set(id, session as never);
    },
    async remove(id) {
      await store.destroy(id);
    },
  });
}
