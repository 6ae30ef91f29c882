/**
 * The life of a session within one request, the same under every framework: read, let the handler work, commit once,
 * send the cookie, refuse late changes.
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import { type Session, stateOf } from "../core/session.ts";
import { bind, isBound } from "../storage/_http.ts";
import type {
  HttpSessionStorage,
  SessionStorage,
} from "../storage/contract.ts";

/**
 * A storage bound to a cookie, however it was given.
 *
 * @throws {TypeError} If there is no cookie, or one that cannot carry the storage's sessions safely.
 */
export function boundStorage<Data, FlashData>(
  storage: SessionStorage<Data, FlashData>,
  cookie?: Cookie,
): HttpSessionStorage<Data, FlashData> {
  if (cookie) return bind(storage, cookie);
  if (isBound(storage)) return storage;
  throw new TypeError(
    "Cannot use storage: it has no cookie; create it with one, or pass one before it",
  );
}

/**
 * Closes a session whose handler has finished to changes, and commits it.
 *
 * @returns The `Set-Cookie` header, or `""` where there is none to send.
 */
export async function commitOnce<Data, FlashData>(
  storage: HttpSessionStorage<Data, FlashData>,
  session: Session<Data, FlashData>,
): Promise<string> {
  // First, because a change made while the save runs would be in no save, and nobody would hear of it.
  close(session);
  return await storage.commitSession(session, { renew: false });
}

/** Closes a session to changes: nothing would save them. */
export function close(session: unknown): void {
  const state = stateOf(session);
  if (state) state.closed = true;
}

/** Puts a session's cookie on a response, and keeps caches from handing it to somebody else (RFC 9111, section 7.3). */
export function withSetCookie(response: Response, setCookie: string): Response {
  let sent = response;
  try {
    sent.headers.append("Set-Cookie", setCookie);
  } catch {
    // Immutable headers: those of Response.redirect() and of fetch().
    sent = new Response(response.body, response);
    sent.headers.append("Set-Cookie", setCookie);
  }
  const { headers } = sent;
  const vary = headers.get("Vary");
  if (!vary?.split(",").some((name) => /^\s*(\*|cookie)\s*$/i.test(name))) {
    headers.append("Vary", "Cookie");
  }
  if (!headers.has("Cache-Control")) {
    headers.set("Cache-Control", "private, no-store");
  }
  return sent;
}
