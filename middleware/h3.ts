/**
 * Sessions for h3, version 2: `event.context.session`.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionContext } from "@satchel/session/middleware/h3";
 * import { H3 } from "npm:h3@2.0.8";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>({ cookie: {} });
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
import type { SessionError } from "../core/errors.ts";
import type { OptionNames } from "../core/options.ts";
import type { SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  type Carrier,
  exchange,
  mount,
  mustBeFree,
  type SessionOf,
} from "./lifecycle/lifecycle.ts";
import {
  addSetCookie,
  discard,
  responseCarrier,
  serviceUnavailable,
} from "./lifecycle/response.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";

/** What is used of h3's event. */
export interface H3EventLike {
  /** The request. */
  readonly req: { readonly headers: Headers };
  /** The response's headers: of an answer, and of an error. */
  readonly res: { readonly headers: Headers; readonly errHeaders: Headers };
  /** What middlewares share. */
  // deno-lint-ignore no-explicit-any -- h3 lets the application declare what is in it
  readonly context: any;
}

/** A middleware, as `app.use` takes it. */
export type H3Middleware = (
  event: H3EventLike,
  next: () => unknown,
) => Promise<unknown>;

/** The context of a request with a session. */
export interface SessionContext<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export interface H3SessionOptions {
  /** The property of the context; give each session of a request its own. @default {"session"} */
  key?: string | undefined;
  /** Answers a request whose session could not be read or saved. @default {503 Service Unavailable} */
  onUnavailable?:
    | ((error: SessionError, event: H3EventLike) => unknown)
    | undefined;
}

/** What h3 takes for the value of a handler that has written to Node's response by itself. */
const HANDLED = Symbol.for("h3.handled");
const HTTP_RESPONSE: unique symbol = Symbol.for("h3.HTTPResponse");

const OPTIONS: OptionNames<H3SessionOptions> = {
  key: true,
  onUnavailable: true,
};

/**
 * Gives each request its session, and commits it once, before the response goes out.
 *
 * An error commits nothing, thrown or returned; a thrown `Response` is an answer. A session that was changed where one
 * of Node's handlers has answered (`fromNodeHandler`) is an error, `late-change`: by then the response has left.
 *
 * @param storage The storage, bound to a cookie.
 * @param options The property's name, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage, or has no cookie.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: H3SessionOptions,
): H3Middleware;
/**
 * The same for a storage without a cookie.
 *
 * @param cookie The cookie that carries the session, or its id.
 * @param storage The storage.
 * @param options The property's name, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage; if it is a cookie storage, and the cookie has no secrets; or
 * if it reads an older cookie beside its own.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: H3SessionOptions,
): H3Middleware;
export function session<Data, FlashData>(
  first: SessionHeaders<Data, FlashData> | Cookie,
  second?: SessionValues<Data, FlashData> | H3SessionOptions,
  third?: H3SessionOptions,
): H3Middleware {
  const { storage, options } = mount(first, second, third, OPTIONS);
  const { key = "session", onUnavailable = serviceUnavailable } = options;
  return (event, next) =>
    exchange<Data, FlashData, unknown>(storage, {
      cookieHeader: event.req.headers.get("Cookie"),
      handle(session) {
        mustBeFree(event.context[key], `event.context.${key}`);
        event.context[key] = session;
        return next();
      },
      thrown: (error) => error instanceof Response ? error : undefined,
      failed: (answer) => answer instanceof Error,
      carrier: (answer) => carrierOf(event, answer),
      discard(answer) {
        if (answer instanceof Response) discard(answer);
      },
      unavailable: (error) => onUnavailable(error, event),
    });
}

function carrierOf(
  { res }: H3EventLike,
  answer: unknown,
): Carrier<unknown> | undefined {
  if (answer instanceof Response) return responseCarrier(answer);
  if (answer === HANDLED) return undefined;
  // What h3 makes of a value has either the headers of answers or those of errors; which, it decides later.
  const places = isHttpResponse(answer)
    ? [answer.headers]
    : [res.headers, res.errHeaders];
  return (setCookie) => {
    for (const headers of places) addSetCookie(headers, setCookie);
    return answer;
  };
}

/** Whether a value is h3's own kind of response, whose headers win over those of the event. */
function isHttpResponse(answer: unknown): answer is { headers: Headers } {
  return (Object(answer) as { [HTTP_RESPONSE]?: unknown })[HTTP_RESPONSE] ===
    true;
}
