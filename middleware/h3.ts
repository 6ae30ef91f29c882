/**
 * Sessions for h3, version 2: `event.context.session`.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionContext } from "@satchel/session/middleware/h3";
 * import { H3 } from "npm:h3@2.0.8";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>();
 * const app = new H3();
 * app.use(session(storage));
 * app.get("/", (event) => {
 *   const { session } = event.context as unknown as SessionContext<typeof storage>;
 *   const visits = (session.get("visits") ?? 0) + 1;
 *   session.set("visits", visits);
 *   return `Visit ${visits}`;
 * });
 * await app.request("/");
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  type Carrier,
  exchange,
  mount,
  type MountArguments,
  mustBeFree,
  mustBeKept,
  type SessionOf,
} from "./lifecycle/lifecycle.ts";
import { KEY_OPTIONS, type KeyOptions } from "./lifecycle/options.ts";
import {
  addSetCookie,
  discard,
  responseCarrier,
  serviceUnavailable,
  withHeaders,
} from "./lifecycle/response.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";

/** The parts of h3's event that the middleware uses. */
export interface H3EventLike {
  /** The request. */
  readonly req: { readonly method: string; readonly headers: Headers };
  /** The headers of a response, and those of an error. */
  readonly res: {
    readonly status?: number;
    readonly headers: Headers;
    readonly errHeaders: Headers;
  };
  /** The values that middlewares and handlers share. */
  // deno-lint-ignore no-explicit-any -- the application declares its type
  readonly context: any;
}

/** A middleware for `app.use`. */
export type H3Middleware = (
  event: H3EventLike,
  next: () => unknown,
) => Promise<unknown>;

/** The type of the context, for `event.context as unknown as SessionContext<typeof storage>`. */
export interface SessionContext<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export type H3SessionOptions = KeyOptions<
  [event: H3EventLike],
  unknown
>;

/** The value that h3 uses for a handler that wrote to Node's response itself. */
const HANDLED = Symbol.for("h3.handled");
const HTTP_RESPONSE: unique symbol = Symbol.for("h3.HTTPResponse");

/**
 * Adds a session to each request and commits it once, before the response is sent.
 *
 * If a handler throws or returns an error, nothing is committed. A thrown `Response` is sent and commits. If a handler
 * of Node (`fromNodeHandler`) has sent the response itself, a changed session is an error (`late-change`).
 *
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: H3SessionOptions,
): H3Middleware;
/**
 * The same, with a cookie that replaces the storage's own.
 *
 * @param cookie The cookie that carries the session or its id.
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` lacks `read` or `save`; if it is a cookie storage and `cookie` lacks secrets; if it
 * already reads a second cookie; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: H3SessionOptions,
): H3Middleware;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, H3SessionOptions>
): H3Middleware {
  const { storage, options } = mount(args, KEY_OPTIONS);
  const {
    key = "session",
    isFailure,
    crossOrigin,
    onUnavailable = serviceUnavailable,
  } = options;
  return async (event, next) => {
    checkVersion(event);
    return await exchange<Data, FlashData, unknown>(storage, {
      request: event.req,
      isFailure,
      crossOrigin,
      async handle(session) {
        mustBeFree(event.context[key], `event.context.${key}`);
        event.context[key] = session;
        const answer = await next();
        mustBeKept(event.context[key], session, `event.context.${key}`);
        return answer;
      },
      thrown: (error) => error instanceof Response ? error : undefined,
      statusOf: (answer) => statusOf(event, answer),
      failed: (answer) =>
        answer instanceof Error && errorStatus(answer) === undefined,
      errorStatus,
      errorCarrier: (error) => (setCookie) => {
        addErrorCookie(event, error, setCookie);
        return error;
      },
      carrier: (answer) => carrierOf(event, answer),
      discard(answer) {
        if (answer instanceof Response) discard(answer);
      },
      unavailable: (error) => onUnavailable(error, event),
    });
  };
}

/** @throws {TypeError} If the event is one of h3 1, whose requests are Node's. */
function checkVersion({ req }: H3EventLike): void {
  if (typeof req?.headers?.get === "function") return;
  throw new TypeError(
    "Cannot read session: this middleware is for h3 2; with h3 1 (Nitro 2, Nuxt 3 and 4), write session(storage)(app) with the session of @satchel/session/middleware/nitro",
  );
}

function carrierOf(
  { res }: H3EventLike,
  answer: unknown,
): Carrier<unknown> | undefined {
  if (answer instanceof Response) return responseCarrier(answer);
  if (answer === HANDLED) return undefined;
  if (isHttpResponse(answer)) {
    return (setCookie) => {
      // A handler may have made it once, for all visitors.
      const headers = new Headers(answer.headers);
      addSetCookie(headers, setCookie);
      return withHeaders(answer, headers);
    };
  }
  // h3 decides later whether its response gets the headers of answers or those of errors, so add the cookie to both.
  return (setCookie) => {
    addSetCookie(res.headers, setCookie);
    addErrorCookie({ res }, answer, setCookie);
    return answer;
  };
}

/** Adds a cookie to the answer to an error. Its headers replace the error's own, so these are completed. */
function addErrorCookie(
  { res: { errHeaders } }: Pick<H3EventLike, "res">,
  error: unknown,
  setCookie: string,
): void {
  const { headers } = Object(error) as { headers?: unknown };
  if (headers instanceof Headers) {
    for (const name of ["Vary", "Cache-Control"]) {
      const own = headers.get(name);
      if (own !== null && !errHeaders.has(name)) errHeaders.set(name, own);
    }
  }
  addSetCookie(errHeaders, setCookie);
}

function statusOf({ res }: H3EventLike, answer: unknown): number | undefined {
  if (answer instanceof Error) return errorStatus(answer) ?? 500;
  if (answer instanceof Response) return answer.status;
  return isHttpResponse(answer) ? answer.status ?? res.status : res.status;
}

/** The status of an HTTPError of h3. Any other error is a failure. */
function errorStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || error.name !== "HTTPError") return undefined;
  const { status } = error as { status?: unknown };
  return typeof status === "number" ? status : undefined;
}

/** Whether a value is an `HTTPResponse` of h3, whose headers replace those of the event. */
function isHttpResponse(
  answer: unknown,
): answer is { headers: Headers; status?: number } {
  return (Object(answer) as { [HTTP_RESPONSE]?: unknown })[HTTP_RESPONSE] ===
    true;
}
