/**
 * Sessions for React Router's middleware: `context.get(sessionContext)`.
 *
 * @example A route for signed-in users
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
 * // A route. The middleware commits.
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
import type { OptionNames } from "../core/options.ts";
import type { Session, SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  mount,
  type MountArguments,
  mustBeFree,
  mustBeKept,
} from "./lifecycle/lifecycle.ts";
import {
  MIDDLEWARE_OPTIONS,
  type MiddlewareOptions,
} from "./lifecycle/options.ts";
import { respond } from "./lifecycle/response.ts";

export type * from "./lifecycle/types.ts";

/** A context key, as `createContext` of React Router returns it. */
export interface RouterContextLike<T> {
  /** The value that `context.get` returns if none was set. */
  defaultValue?: T;
}

/** The parts of a middleware's arguments that are used. */
export interface ReactRouterArgsLike {
  /** The request. */
  readonly request: Request;
  /** The values that middlewares, loaders and actions share. */
  readonly context: {
    /** Returns the value of a key, or throws if it was not set. */
    get(key: RouterContextLike<unknown>): unknown;
    /** Sets the value of a key. */
    set(key: RouterContextLike<unknown>, value: unknown): void;
  };
}

/** A middleware, for `export const middleware = [...]`. */
export type ReactRouterMiddleware = (
  args: ReactRouterArgsLike,
  next: () => Promise<unknown>,
) => Promise<Response>;

/** The default context key, for `context.get(sessionContext)`. */
export const sessionContext: RouterContextLike<Session> = {};

/** Options of {@linkcode session}. */
export interface ReactRouterSessionOptions<Data, FlashData>
  extends
    MiddlewareOptions<
      [args: ReactRouterArgsLike],
      Response | Promise<Response>
    > {
  /**
   * The context key that holds the session. Each session of a request needs its own. Create it with
   * `createContext<Session<Data>>()`, so that loaders know the types of the data.
   *
   * @default {sessionContext}
   */
  context?: RouterContextLike<Session<Data, FlashData>> | undefined;
}

const OPTIONS: OptionNames<ReactRouterSessionOptions<never, never>> = {
  ...MIDDLEWARE_OPTIONS,
  context: true,
};

/**
 * Adds a session to each request and commits it once, after loaders and actions, before the response is sent.
 *
 * `throw redirect("/")` commits. React Router answers an error before a middleware sees it, so a response of 500 or
 * above counts as an error and commits nothing.
 *
 * Loaders that call `getSession` and `commitSession` still work beside the middleware. Change a session in only one of
 * these ways in each request: browsers keep the last of two cookies with one name.
 *
 * @param storage The session storage.
 * @param options The context key that holds the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: ReactRouterSessionOptions<Data, FlashData>,
): ReactRouterMiddleware;
/**
 * The same, with a cookie that replaces the storage's own.
 *
 * @param cookie The cookie that carries the session or its id.
 * @param storage The session storage.
 * @param options The context key that holds the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` lacks `read` or `save`; if it is a cookie storage and `cookie` lacks secrets; if it
 * already reads a second cookie; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: ReactRouterSessionOptions<Data, FlashData>,
): ReactRouterMiddleware;
export function session<Data, FlashData>(
  ...args: MountArguments<
    Data,
    FlashData,
    ReactRouterSessionOptions<Data, FlashData>
  >
): ReactRouterMiddleware {
  const { storage, options } = mount(args, OPTIONS);
  const { isFailure, crossOrigin, onUnavailable } = options;
  const key = (options.context ?? sessionContext) as RouterContextLike<unknown>;
  return (args, next) =>
    respond<Data, FlashData>(storage, {
      request: args.request,
      isFailure,
      crossOrigin,
      async handle(session) {
        mustBeFree(valueOf(args.context, key), "the context", "context");
        args.context.set(key, session);
        const response = await next() as Response;
        mustBeKept(valueOf(args.context, key), session, "the context");
        return response;
      },
      unavailable: onUnavailable && ((error) => onUnavailable(error, args)),
    }) as Promise<Response>;
}

/** The value of a key, or `undefined` if it was not set. */
function valueOf(
  context: ReactRouterArgsLike["context"],
  key: RouterContextLike<unknown>,
): unknown {
  try {
    return context.get(key);
  } catch {
    return undefined;
  }
}
