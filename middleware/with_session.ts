/**
 * Sessions for handlers of `Request` and `Response`: `Deno.serve`, `Bun.serve`, Workers.
 *
 * @module
 */
import { type Cookie, isCookie } from "../core/cookie.ts";
import type { SessionError } from "../core/errors.ts";
import { checkOptions, type OptionNames } from "../core/options.ts";
import type { Session, SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import { boundStorage } from "./lifecycle/lifecycle.ts";
import { respond, serviceUnavailable } from "./lifecycle/response.ts";

/**
 * A handler that is given the session of its request, and whatever else its server passes. `undefined` is for Bun,
 * which wants no response for a request that became a WebSocket.
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
export type RequestHandler<
  Info extends unknown[],
  Answer extends Response | undefined = Response,
> = (
  request: Request,
  ...info: Info
) => Promise<Answer>;

/**
 * Gives a handler the session of each request, and commits it once, before the response goes out.
 *
 * - A visitor without a session costs no store operation and gets no cookie, unless the handler puts something in.
 * - When the handler throws, nothing is committed. A thrown `Response` is an answer as a returned one is.
 * - Once the response is on its way, also while its body still streams, changes throw: `late-change`.
 * - A response that sets the cookie gets `Vary: Cookie`, and `Cache-Control: private, no-store` unless it has its own.
 * - A session that was changed, with a response that can carry no cookie, is an error: `late-change`. Such are Bun's
 *   upgrades to a WebSocket; there, pass the `Set-Cookie` of `storage.commitSession(session)` to `server.upgrade`.
 * - When the session cannot be read or saved, the visitor gets a 503, and keeps their cookie.
 * - Several sessions in one request: wrap a handler once for each, with different cookie names.
 *
 * @param storage The storage, bound to a cookie.
 * @param handler The handler.
 * @param options What to answer when the session's storage is down.
 * @returns The handler for the server. It rejects with what `handler` or `onUnavailable` throws, and with a
 * {@linkcode SessionError} if the session holds what cannot be saved (`unserializable`, `too-large`), or was changed
 * and the response can carry no cookie (`late-change`).
 * @throws {TypeError} If `storage` is no session storage, or has no cookie; or if `handler` is no function.
 *
 * @example A page that counts its visits
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
  Answer extends Response | undefined = Response,
>(
  storage: SessionHeaders<Data, FlashData>,
  handler: SessionHandler<Data, FlashData, Info, Answer>,
  options?: WithSessionOptions,
): RequestHandler<Info, Answer>;
/**
 * The same for a storage without a cookie.
 *
 * @param cookie The cookie that carries the session, or its id.
 * @param storage The storage.
 * @param handler The handler.
 * @param options What to answer when the session's storage is down.
 * @returns The handler for the server, which rejects as above.
 * @throws {TypeError} If `storage` is no session storage; if it is a cookie storage, and the cookie has no secrets; if
 * it reads an older cookie beside its own; or if `handler` is no function.
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
  first: SessionHeaders<Data, FlashData> | Cookie,
  second:
    | SessionValues<Data, FlashData>
    | SessionHandler<Data, FlashData, Info, Answer>,
  third?: SessionHandler<Data, FlashData, Info, Answer> | WithSessionOptions,
  fourth?: WithSessionOptions,
): RequestHandler<Info, Answer> {
  type Handler = SessionHandler<Data, FlashData, Info, Answer>;
  return isCookie(first)
    ? wrap(
      boundStorage(second as SessionValues<Data, FlashData>, first),
      third as Handler,
      fourth,
    )
    : wrap(boundStorage(first), second as Handler, third as WithSessionOptions);
}

const OPTIONS: OptionNames<WithSessionOptions> = { onUnavailable: true };

function wrap<
  Data,
  FlashData,
  Info extends unknown[],
  Answer extends Response | undefined,
>(
  storage: SessionHeaders<Data, FlashData>,
  handler: SessionHandler<Data, FlashData, Info, Answer>,
  options: WithSessionOptions = {},
): RequestHandler<Info, Answer> {
  checkOptions("wrap handler", options, OPTIONS);
  const { onUnavailable = serviceUnavailable } = options;
  if (typeof handler !== "function") {
    throw new TypeError(
      `Cannot wrap handler: handler must be a function, received ${typeof handler}`,
    );
  }
  return (request, ...info) =>
    respond(storage, {
      headers: request.headers,
      handle: (session) =>
        handler(request, session, ...info) as Response | undefined,
      unavailable: (error) => onUnavailable(error, request),
    }) as Promise<Answer>;
}
