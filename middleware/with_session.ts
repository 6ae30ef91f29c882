/**
 * Sessions for handlers of `Request` and `Response`: `Deno.serve`, `Bun.serve`, Workers.
 *
 * @module
 */
import { type Cookie, isCookie } from "../core/cookie.ts";
import { SessionError } from "../core/errors.ts";
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

/** Options of {@linkcode withSession}. */
export interface WithSessionOptions {
  /**
   * Answers a request whose session could not be read or saved: the engine failed (`store-failed`), or other requests
   * kept getting in between (`conflict`). No cookie is set or cleared then.
   *
   * @default {503 Service Unavailable}
   */
  onUnavailable?:
    | ((error: SessionError, request: Request) => Response | Promise<Response>)
    | undefined;
}

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
 * - When the session cannot be read or saved, the visitor gets a 503, and keeps their cookie.
 * - Several sessions in one request: wrap a handler once for each, with different cookie names.
 *
 * @param storage The storage, bound to a cookie.
 * @param handler The handler.
 * @param options What to answer when the session's storage is down.
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
  options?: WithSessionOptions,
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
  options?: WithSessionOptions,
): RequestHandler<Info>;
export function withSession<Data, FlashData, Info extends unknown[]>(
  first: HttpSessionStorage<Data, FlashData> | Cookie,
  second:
    | SessionStorage<Data, FlashData>
    | SessionHandler<Data, FlashData, Info>,
  third?: SessionHandler<Data, FlashData, Info> | WithSessionOptions,
  fourth?: WithSessionOptions,
): RequestHandler<Info> {
  type Handler = SessionHandler<Data, FlashData, Info>;
  return isCookie(first)
    ? wrap(
      boundStorage(second as SessionStorage<Data, FlashData>, first),
      third as Handler,
      fourth,
    )
    : wrap(boundStorage(first), second as Handler, third as WithSessionOptions);
}

function wrap<Data, FlashData, Info extends unknown[]>(
  storage: HttpSessionStorage<Data, FlashData>,
  handler: SessionHandler<Data, FlashData, Info>,
  { onUnavailable = unavailable }: WithSessionOptions = {},
): RequestHandler<Info> {
  if (typeof handler !== "function") {
    throw new TypeError("Cannot wrap handler: it must be a function");
  }
  return async (request, ...info) => {
    let session: Session<Data, FlashData>;
    try {
      session = await storage.getSession(request.headers.get("Cookie"));
    } catch (error) {
      return await onUnavailable(storeError(error), request);
    }
    let response: Response;
    try {
      response = await handler(request, session, ...info);
    } catch (error) {
      close(session);
      throw error;
    }
    let setCookie: string;
    try {
      setCookie = await commitOnce(storage, session);
    } catch (error) {
      const failed = storeError(error);
      // Nobody will read it, and what feeds it must know.
      await response.body?.cancel();
      return await onUnavailable(failed, request);
    }
    return setCookie ? withSetCookie(response, setCookie) : response;
  };
}

/** The error, if it is the store's or of too many others; what the application got wrong is thrown on. */
function storeError(error: unknown): SessionError {
  if (
    error instanceof SessionError &&
    (error.code === "store-failed" || error.code === "conflict")
  ) return error;
  throw error;
}

function unavailable(): Response {
  return new Response("Service Unavailable", {
    status: 503,
    headers: { "Cache-Control": "no-store", "Retry-After": "5" },
  });
}
