/**
 * Sessions for handlers of `Request` and `Response`: `Deno.serve`, `Bun.serve`, Workers.
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { Session, SessionData } from "../core/session.ts";
import type {
  HttpSessionStorage,
  SessionStorage,
} from "../storage/contract.ts";
import {
  boundStorage,
  close,
  commitOnce,
  withSetCookie,
} from "./_lifecycle.ts";

/** A handler that is given the session of its request, and whatever else its server passes. */
export type SessionHandler<Data, FlashData, Info extends unknown[]> = (
  request: Request,
  session: Session<Data, FlashData>,
  ...info: Info
) => Response | Promise<Response>;

/** A handler as servers take it. */
export type RequestHandler<Info extends unknown[]> = (
  request: Request,
  ...info: Info
) => Promise<Response>;

/**
 * Gives a handler the session of each request, and commits it once, before the response goes out.
 *
 * - A visitor without a session costs no store operation and gets no cookie, unless the handler puts something in.
 * - When the handler throws, nothing is committed.
 * - Once the response is on its way, also while its body still streams, changes throw: `late-change`.
 * - A response that sets the cookie gets `Vary: Cookie`, and `Cache-Control: private, no-store` unless it has its own.
 * - Several sessions in one request: wrap a handler once for each, with different cookie names.
 *
 * @param storage The storage, bound to a cookie.
 * @param handler The handler.
 * @returns The handler for the server.
 * @throws {TypeError} If the storage has no cookie.
 *
 * @example
 * ```ts
 * import { createMemorySessionStorage, withSession } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage({ cookie: { name: "__session" } });
 * const handler = withSession(storage, (_request, session) => {
 *   session.set("visits", (session.get("visits") ?? 0) + 1);
 *   return new Response(`Visit ${session.get("visits")}`);
 * });
 *
 * const first = await handler(new Request("http://localhost/"));
 * const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
 * const second = await handler(
 *   new Request("http://localhost/", { headers: { cookie } }),
 * );
 * assertEquals(await second.text(), "Visit 2");
 * ```
 */
export function withSession<
  Data = SessionData,
  FlashData = Data,
  Info extends unknown[] = unknown[],
>(
  storage: HttpSessionStorage<Data, FlashData>,
  handler: SessionHandler<Data, FlashData, Info>,
): RequestHandler<Info>;
/** The same for a storage without a cookie. */
export function withSession<
  Data = SessionData,
  FlashData = Data,
  Info extends unknown[] = unknown[],
>(
  cookie: Cookie,
  storage: SessionStorage<Data, FlashData>,
  handler: SessionHandler<Data, FlashData, Info>,
): RequestHandler<Info>;
export function withSession<Data, FlashData, Info extends unknown[]>(
  ...args:
    | [SessionStorage<Data, FlashData>, SessionHandler<Data, FlashData, Info>]
    | [
      Cookie,
      SessionStorage<Data, FlashData>,
      SessionHandler<Data, FlashData, Info>,
    ]
): RequestHandler<Info> {
  const [storage, handler] = args.length === 3
    ? [boundStorage(args[1], args[0]), args[2]]
    : [boundStorage(args[0]), args[1]];
  if (typeof handler !== "function") {
    throw new TypeError("Cannot wrap handler: it must be a function");
  }
  return async (request, ...info) => {
    const session = await storage.getSession(request.headers.get("Cookie"));
    let response: Response;
    try {
      response = await handler(request, session, ...info);
    } catch (error) {
      close(session);
      throw error;
    }
    const setCookie = await commitOnce(storage, session);
    return setCookie ? withSetCookie(response, setCookie) : response;
  };
}
