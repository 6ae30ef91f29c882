/** Moves sessions from express-session: its cookie, and its store. */
import type {
  Cookie,
  CookieAttributes,
  FourFunctions,
  SessionData,
} from "@satchel/session";
import { oldCookie, oldSessions, signedId } from "./bridge.ts";

/** The cookie of express-session, `s:ID.SIGNATURE`. */
export function expressCookie(
  name: string,
  secrets: readonly string[],
  attributes: CookieAttributes = {},
): Cookie {
  return oldCookie(name, attributes, signedId(secrets, "s:"));
}

/** The methods used of an express-session `Store`: its `MemoryStore`, connect-redis or another. */
export interface ExpressStore {
  get(
    id: string,
    done: (error: unknown, session?: SessionData | null) => void,
  ): unknown;
  set(id: string, session: never, done: (error?: unknown) => void): unknown;
  destroy(id: string, done: (error?: unknown) => void): unknown;
}

/** The sessions in an express-session `Store`, without its own `cookie` field. */
export function expressSessions(
  store: ExpressStore,
  attributes: CookieAttributes = {},
): FourFunctions {
  const call = <T>(run: (done: (error: unknown, value?: T) => void) => void) =>
    new Promise<T | undefined>((resolve, reject) =>
      run((error, value) => error ? reject(error) : resolve(value))
    );
  const get = (id: string) =>
    call<SessionData | null>((done) => store.get(id, done));
  return oldSessions({
    async read(id) {
      const session = await get(id);
      if (!session) return null;
      const kept = Object.entries(session).filter(([key]) => key !== "cookie");
      // The first Remix keeps flashes under separate names.
      return Object.fromEntries(kept.map(([key, value]) => [
        key.replace(/^__flash__:(.*)$/s, "__flash_$1__"),
        value,
      ]));
    },
    async write(id, data, expires) {
      const values = Object.entries(data).map(([key, value]) => [
        key.replace(/^__flash_(.*)__$/s, "__flash__:$1"),
        value,
      ]);
      const { cookie = newCookie(attributes, expires) } = await get(id) ?? {};
      const session = {
        ...Object.fromEntries(values),
        cookie: { ...cookie, expires },
      };
      await call((done) => store.set(id, session as never, done));
    },
    async remove(id) {
      await call((done) => store.destroy(id, done));
    },
  });
}

/** The `cookie` of a new session, by which express-session sends it again. */
function newCookie(attributes: CookieAttributes, expires: Date): object {
  const { maxAge: _maxAge, ...kept } = attributes;
  const originalMaxAge = expires.getTime() - Date.now();
  return { path: "/", httpOnly: true, ...kept, originalMaxAge };
}
