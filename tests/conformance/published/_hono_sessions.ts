/** What the targets of hono-sessions have in common. */
import { Hono } from "npm:hono@4.13.19";
import {
  type CookieStore,
  encrypt,
  MemoryStore,
  sessionMiddleware,
} from "npm:hono-sessions@0.8.1";
import {
  fromHonoSessions,
  type Opened,
  type OpenOptions,
} from "../../../conformance/mod.ts";
import { follow } from "./_clock.ts";

const KEY = "password_at_least_32_characters_long";

/** An open storage: an application that uses the middleware as its documentation shows. */
export function opened(
  store: CookieStore | MemoryStore,
  { namespace, idleTimeout, now }: OpenOptions,
): Opened {
  const app = new Hono();
  // Otherwise Hono logs every error.
  app.onError(() => new Response(null, { status: 500 }));
  app.use(sessionMiddleware({
    store,
    sessionCookieName: namespace,
    encryptionKey: KEY,
    ...idleTimeout === undefined ? {} : { expireAfterSeconds: idleTimeout },
    cookieOptions: { sameSite: "Lax", path: "/", httpOnly: true },
  }));
  const hasIds = store instanceof MemoryStore;
  const cookieFor = async (id: string) =>
    `${namespace}=${encodeURIComponent(await encrypt(KEY, id))}`;
  return {
    storage: fromHonoSessions(app, { rotation: hasIds }),
    ...hasIds ? { cookieFor } : {},
    close: follow(now),
  };
}
