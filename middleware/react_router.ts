/**
 * Sessions for React Router's middleware: `context.get(sessionContext)`.
 *
 * @example A route for those who are signed in
 * ```ts ignore
 * import { createMemorySessionStorage, type Session } from "@satchel/session";
 * import { session } from "@satchel/session/middleware/react-router";
 * import {
 *   createContext,
 *   type LoaderFunctionArgs,
 *   type MiddlewareFunction,
 *   redirect,
 * } from "npm:react-router@8.5.1";
 *
 * // app/sessions.ts
 * type Data = { userId: string };
 * const storage = createMemorySessionStorage<Data>({ cookie: { secrets: ["s3cr3t"] } });
 * const sessionContext = createContext<Session<Data>>();
 *
 * // app/root.tsx
 * export const middleware: MiddlewareFunction<Response>[] = [
 *   session(storage, { context: sessionContext }),
 * ];
 *
 * // A route; nothing is left to commit.
 * export function loader({ context }: LoaderFunctionArgs): { userId: string } {
 *   const userId = context.get(sessionContext).get("userId");
 *   if (!userId) throw redirect("/login");
 *   return { userId };
 * }
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { SessionError } from "../core/errors.ts";
import type { OptionNames } from "../core/options.ts";
import type { Session, SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import { mount, mustBeFree } from "./lifecycle/lifecycle.ts";
import { respond } from "./lifecycle/response.ts";

export type * from "./lifecycle/types.ts";

/** A context key, as React Router's `createContext` makes it. */
export interface RouterContextLike<T> {
  /** What `context.get` gives where nothing was set. */
  defaultValue?: T;
}

/** What is used of a middleware's arguments. */
export interface ReactRouterArgsLike {
  /** The request. */
  readonly request: Request;
  /** What middlewares share with loaders and actions. */
  readonly context: {
    /** Gives what stands under a key, or throws. */
    get(key: RouterContextLike<unknown>): unknown;
    /** Puts something under a key. */
    set(key: RouterContextLike<unknown>, value: unknown): void;
  };
}

/** A middleware, for `export const middleware = [...]`. */
export type ReactRouterMiddleware = (
  args: ReactRouterArgsLike,
  next: () => Promise<unknown>,
) => Promise<Response>;

/** Where the session is, unless told otherwise: `context.get(sessionContext)`. */
export const sessionContext: RouterContextLike<Session> = {};

/** Options of {@linkcode session}. */
export interface ReactRouterSessionOptions<Data, FlashData> {
  /**
   * The context key: `createContext<Session<Data>>()`, which gives loaders the type of the data, and each session of a
   * request a place of its own.
   *
   * @default {sessionContext}
   */
  context?: RouterContextLike<Session<Data, FlashData>> | undefined;
  /** Answers a request whose session could not be read or saved. @default {503 Service Unavailable} */
  onUnavailable?:
    | ((
      error: SessionError,
      args: ReactRouterArgsLike,
    ) => Response | Promise<Response>)
    | undefined;
}

const OPTIONS: OptionNames<ReactRouterSessionOptions<never, never>> = {
  context: true,
  onUnavailable: true,
};

/**
 * Gives each request its session, and commits it once, after loaders and actions, before the response goes out.
 *
 * `throw redirect("/")` commits, as returning it does. React Router tells no middleware of an error in a loader: a
 * response of 500 or above stands for it, and commits nothing.
 *
 * Loaders that call `getSession` and `commitSession` themselves work as before, beside it. One request should change a
 * session in one way only: of two cookies with one name, browsers keep the last.
 *
 * @param storage The storage, bound to a cookie.
 * @param options The context key, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage, or has no cookie.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: ReactRouterSessionOptions<Data, FlashData>,
): ReactRouterMiddleware;
/**
 * The same for a storage without a cookie.
 *
 * @param cookie The cookie that carries the session, or its id.
 * @param storage The storage.
 * @param options The context key, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage; if it is a cookie storage, and the cookie has no secrets; or
 * if it reads an older cookie beside its own.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: ReactRouterSessionOptions<Data, FlashData>,
): ReactRouterMiddleware;
export function session<Data, FlashData>(
  first: SessionHeaders<Data, FlashData> | Cookie,
  second?:
    | SessionValues<Data, FlashData>
    | ReactRouterSessionOptions<Data, FlashData>,
  third?: ReactRouterSessionOptions<Data, FlashData>,
): ReactRouterMiddleware {
  const { storage, options } = mount(first, second, third, OPTIONS);
  const { onUnavailable } = options;
  const key = (options.context ?? sessionContext) as RouterContextLike<unknown>;
  return (args, next) =>
    respond<Data, FlashData>(storage, {
      headers: args.request.headers,
      handle(session) {
        mustBeFree(found(args.context, key), "the context", "context");
        args.context.set(key, session);
        return next() as Promise<Response>;
      },
      failed: (response) => (response?.status ?? 0) >= 500,
      ...(onUnavailable && {
        unavailable: (error) => onUnavailable(error, args),
      }),
    }) as Promise<Response>;
}

/** What stands under a key; `get` throws where nothing does. */
function found(
  context: ReactRouterArgsLike["context"],
  key: RouterContextLike<unknown>,
): unknown {
  try {
    return context.get(key);
  } catch {
    return undefined;
  }
}
