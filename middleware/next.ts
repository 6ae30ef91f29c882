/**
 * Sessions for the App Router of Next 15 and 16: route handlers, server actions and components.
 *
 * @example A route that counts its visits
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session } from "@satchel/session/middleware/next";
 * import { assertEquals } from "@std/assert";
 *
 * // In Next: import { cookies, headers } from "next/headers";
 * const jar = { getAll: () => [] };
 * const cookies = async () => jar;
 * const headers = async () => new Headers({ Host: "localhost" });
 *
 * const storage = createMemorySessionStorage<{ visits: number }>();
 * const { route } = session(storage, { cookies, headers });
 *
 * // In app/visits/route.ts: export const GET = …
 * const GET = route((_request, session) => {
 *   const visits = (session.get("visits") ?? 0) + 1;
 *   session.set("visits", visits);
 *   return new Response(`Visit ${visits}`);
 * });
 *
 * const response = await GET(new Request("http://localhost/visits"), {});
 * assertEquals(await response.text(), "Visit 1");
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { OptionNames } from "../core/options.ts";
import type { Session, SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  exchange,
  mount,
  type MountArguments,
  openSession,
} from "./lifecycle/lifecycle.ts";
import {
  MIDDLEWARE_OPTIONS,
  type MiddlewareOptions,
} from "./lifecycle/options.ts";
import { readOnly } from "./lifecycle/next_component.ts";
import {
  answerOf,
  carrierOf,
  errorStatus,
  type NextCookiesLike,
  type NextFunctions,
  requestOf,
} from "./lifecycle/next_request.ts";
import { respond } from "./lifecycle/response.ts";

export type {
  NextCookiesLike,
  NextFunctions,
  NextHeadersLike,
} from "./lifecycle/next_request.ts";
export type * from "./lifecycle/types.ts";

/** Options of {@linkcode session}. */
export interface NextSessionOptions
  extends
    NextFunctions,
    MiddlewareOptions<[request: Request], Response | Promise<Response>> {
  /**
   * `after` of `next/server`. On serverless platforms, it keeps the function alive until the flash that a component has
   * shown is consumed.
   */
  after?: ((task: Promise<unknown>) => void) | undefined;
}

/** The functions that {@linkcode session} returns. */
export interface NextSessions<Data, FlashData> {
  /**
   * The session of the request.
   *
   * In a server action or a route handler made by `action` or `route`, it is the session that those received. Elsewhere,
   * as in a component, it can only be read: a change throws a `TypeError`, and a flash that is read is consumed at once.
   *
   * @throws {TypeError} If the route is static, so that there is no visitor; or if this is Next 14 or older.
   * @throws {SessionError} If the engine fails: `store-failed`.
   */
  getSession(): Promise<Session<Data, FlashData>>;
  /**
   * Makes a server action that receives the session before its other arguments. The session is committed once, before
   * the page is rendered again. `redirect()`, `notFound()` and the like commit; another error commits nothing but a
   * logout.
   */
  action<Args extends unknown[], Result>(
    run: (
      session: Session<Data, FlashData>,
      ...args: Args
    ) => Result | Promise<Result>,
  ): (...args: Args) => Promise<Result>;
  /**
   * Makes a route handler that receives the session after the request. The session is committed once, before the
   * response is sent. A thrown `Response`, `redirect()`, `notFound()` and the like commit.
   */
  route<Req extends Request = Request, Context = unknown>(
    run: (
      request: Req,
      session: Session<Data, FlashData>,
      context: Context,
    ) => Response | Promise<Response>,
  ): (request: Req, context: Context) => Promise<Response>;
}

const OPTIONS: OptionNames<NextSessionOptions> = {
  ...MIDDLEWARE_OPTIONS,
  cookies: true,
  headers: true,
  after: true,
};

/**
 * Connects a storage to Next.
 *
 * Next does not run anything around its handlers, so each one that changes the session is made by `route` or `action`.
 *
 * - `crossOrigin` guards route handlers. Next itself refuses server actions of other origins.
 * - An action that calls another one, or `getSession`, shares its session. It is committed once.
 * - After an action, the page that Next renders in the same request reads the new session.
 * - Next also renders layouts for prefetches of `Link`, and does not say so. So show a flash in a page, or disable the
 *   prefetch.
 * - With a cookie storage, a component cannot consume a flash, and reading one there throws.
 *
 * @param storage The session storage.
 * @param options `cookies` and `headers` of `next/headers`, and the answer if the engine fails.
 * @returns The functions that make route handlers and server actions, and read the session elsewhere.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; if `cookies` or `headers` is missing; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options: NextSessionOptions,
): NextSessions<Data, FlashData>;
/**
 * The same, with a cookie that replaces the storage's own.
 *
 * @param cookie The cookie that carries the session or its id.
 * @param storage The session storage.
 * @param options `cookies` and `headers` of `next/headers`, and the answer if the engine fails.
 * @returns The functions that make route handlers and server actions, and read the session elsewhere.
 * @throws {TypeError} If `storage` lacks `read` or `save`; if it is a cookie storage and `cookie` lacks secrets; if it
 * already reads a second cookie; if `cookies` or `headers` is missing; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options: NextSessionOptions,
): NextSessions<Data, FlashData>;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, NextSessionOptions>
): NextSessions<Data, FlashData> {
  const { storage, options } = mount(args, OPTIONS);
  const next = mustBeNext(options);
  const { after, isFailure, crossOrigin, onUnavailable } = options;
  type Opened = Session<Data, FlashData>;
  /** The sessions of running actions and route handlers, by the cookies of their request. */
  const running = new WeakMap<NextCookiesLike, Opened>();
  /** The sessions of components. A promise, so that two components that ask at once share one. */
  const reading = new WeakMap<NextCookiesLike, Promise<Opened>>();

  /** Runs a handler, during which `getSession` returns its session. */
  const run = async <T>(
    cookies: NextCookiesLike,
    session: Opened,
    handle: () => T | Promise<T>,
  ): Promise<T> => {
    running.set(cookies, session);
    try {
      return await handle();
    } finally {
      running.delete(cookies);
    }
  };

  return {
    async getSession() {
      const request = await requestOf(next);
      const { cookies } = request;
      const session = running.get(cookies);
      if (session) return session;
      const found = reading.get(cookies);
      if (found) return await found;
      const opened =
        (async () =>
          readOnly(storage, await openSession(storage, request), after))();
      reading.set(cookies, opened);
      return await opened;
    },
    action: (handler) => async (...args) => {
      const request = await requestOf(next);
      const { cookies } = request;
      const outer = running.get(cookies);
      if (outer) return await handler(outer, ...args);
      type Answer = { readonly result: Awaited<ReturnType<typeof handler>> };
      const { result } = await exchange<Data, FlashData, Answer>(storage, {
        request,
        handle: async (session) => ({
          result: await run(cookies, session, () => handler(session, ...args)),
        }),
        statusOf: () => undefined,
        carrier: (answer) => carrierOf(cookies, answer),
        errorStatus,
        errorCarrier: (error) => carrierOf(cookies, error),
        discard() {},
        unavailable(error) {
          throw error;
        },
      });
      return result;
    },
    route: (handler) => async (request, context) => {
      const { cookies } = await requestOf(next);
      return await respond<Data, FlashData>(storage, {
        request,
        isFailure,
        crossOrigin,
        handle: (session) =>
          run(cookies, session, () => handler(request, session, context)),
        thrown: answerOf,
        unavailable: onUnavailable &&
          ((error) => onUnavailable(error, request)),
      }) as Response;
    },
  };
}

/** @throws {TypeError} If the functions of Next are missing. */
function mustBeNext(
  { cookies, headers }: Partial<NextSessionOptions>,
): NextFunctions {
  if (typeof cookies === "function" && typeof headers === "function") {
    return { cookies, headers };
  }
  throw new TypeError(
    'Cannot mount session: it needs two functions of Next 15 or 16; write import { cookies, headers } from "next/headers", and session(storage, { cookies, headers })',
  );
}
