/**
 * Sessions for handlers of `Request` and `Response`: `Deno.serve`, `Bun.serve`, Workers.
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { Session, SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import { type MountArguments, mountHandler } from "./lifecycle/lifecycle.ts";
import {
  MIDDLEWARE_OPTIONS,
  type MiddlewareOptions,
} from "./lifecycle/options.ts";
import { respond, serviceUnavailable } from "./lifecycle/response.ts";

/**
 * A handler that receives the session of its request, and the server's other arguments. In Bun it may return
 * `undefined` for a request that became a WebSocket.
 */
export type SessionHandler<
  Data,
  FlashData,
  Info extends unknown[],
  Answer extends Response | undefined = Response,
> = (
  request: Request,
  session: Session<Data, FlashData>,
  ...info: Info
) => Answer | Promise<Answer>;

/** Options of {@linkcode withSession}. */
export type WithSessionOptions = MiddlewareOptions<
  [request: Request],
  Response | Promise<Response>
>;

/** A handler for a server. */
export type RequestHandler<
  Info extends unknown[],
  Answer extends Response | undefined = Response,
> = (
  request: Request,
  ...info: Info
) => Promise<Answer>;

/**
 * Adds a session to each request of a handler and commits it once, before the response is sent.
 *
 * - If the handler never writes to the session, no cookie is set. A request without the cookie does not call the
 *   engine.
 * - If the handler throws an error, nothing is committed. A thrown `Response` is sent and commits.
 * - After the handler has returned, a change throws `late-change`, even while the response's body still streams.
 * - A response that sets the cookie gets `Vary: Cookie`, and `Cache-Control: private, no-store` unless it has its own.
 * - If the session was changed and the response cannot carry a cookie, that is an error (`late-change`). One such
 *   response is Bun's upgrade to a WebSocket: pass the `Set-Cookie` of `storage.commitSession(session)` to
 *   `server.upgrade`.
 * - If the session cannot be read or saved, the answer is a 503, and the visitor keeps the cookie.
 * - For several sessions in one request, wrap the handler once for each, with different cookie names.
 *
 * @param storage The session storage.
 * @param handler The handler.
 * @param options The answer if the engine fails.
 * @returns The handler for the server. It rejects with the errors of `handler` and `onUnavailable`, and with a
 * {@linkcode SessionError} if the session cannot be saved because of its values (`unserializable`, `too-large`), or was
 * changed and the response cannot carry a cookie (`late-change`).
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; if `handler` is not a function; or if an option is unknown.
 *
 * @example A page that counts its visits
 * ```ts
 * import { createMemorySessionStorage, withSession } from "@satchel/session";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage();
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
  Answer extends Response | undefined = Response,
>(
  storage: SessionHeaders<Data, FlashData>,
  handler: SessionHandler<Data, FlashData, Info, Answer>,
  options?: WithSessionOptions,
): RequestHandler<Info, Answer>;
/**
 * The same, with a cookie that replaces the storage's own.
 *
 * @param cookie The cookie that carries the session or its id.
 * @param storage The session storage.
 * @param handler The handler.
 * @param options The answer if the engine fails.
 * @returns The handler for the server. It rejects with the same errors.
 * @throws {TypeError} If `storage` lacks `read` or `save`; if it is a cookie storage and `cookie` lacks secrets; if it
 * already reads a second cookie; if `handler` is not a function; or if an option is unknown.
 */
export function withSession<
  Data = SessionData,
  FlashData = Data,
  Info extends unknown[] = unknown[],
  Answer extends Response | undefined = Response,
>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  handler: SessionHandler<Data, FlashData, Info, Answer>,
  options?: WithSessionOptions,
): RequestHandler<Info, Answer>;
export function withSession<
  Data,
  FlashData,
  Info extends unknown[],
  Answer extends Response | undefined,
>(
  ...args: MountArguments<
    Data,
    FlashData,
    WithSessionOptions,
    [handler: SessionHandler<Data, FlashData, Info, Answer>]
  >
): RequestHandler<Info, Answer> {
  const { storage, handler, options } = mountHandler(args, MIDDLEWARE_OPTIONS);
  const { isFailure, crossOrigin, onUnavailable = serviceUnavailable } =
    options;
  return (request, ...info) =>
    respond(storage, {
      request,
      isFailure,
      crossOrigin,
      handle: (session) =>
        handler(request, session, ...info) as Response | undefined,
      unavailable: (error) => onUnavailable(error, request),
    }) as Promise<Answer>;
}
