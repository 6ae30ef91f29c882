/**
 * Sessions for TanStack Start: `context.session`.
 *
 * @example A server function that counts its calls
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionContext } from "@satchel/session/middleware/tanstack-start";
 * import { assertEquals } from "@std/assert";
 *
 * // src/start.ts
 * const storage = createMemorySessionStorage<{ visits: number }>();
 * type Context = SessionContext<typeof storage>;
 * const middleware = session(storage);
 * // const sessions = createMiddleware().server<Context>(session(storage));
 * // export const startInstance = createStart(() => ({ requestMiddleware: [sessions] }));
 *
 * // createServerFn().handler(count)
 * function count({ context }: { context: Context }) {
 *   const visits = (context.session.get("visits") ?? 0) + 1;
 *   context.session.set("visits", visits);
 *   return visits;
 * }
 *
 * // What TanStack Start does in a request
 * const response = await middleware({
 *   request: new Request("http://localhost/"),
 *   next: async ({ context }) => ({ context, response: Response.json(count({ context })) }),
 * });
 * assertEquals(await response.json(), 1);
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import { environment } from "../core/runtime.ts";
import type { SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  mount,
  type MountArguments,
  mustBeFree,
  mustBeKept,
  type SessionOf,
} from "./lifecycle/lifecycle.ts";
import { KEY_OPTIONS, type KeyOptions } from "./lifecycle/options.ts";
import { nested } from "./lifecycle/nested.ts";
import { refusedSession } from "./lifecycle/refused_session.ts";
import { respond } from "./lifecycle/response.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";

/** The parts of a request middleware's arguments that are used. */
export interface TanStackStartArgsLike {
  /** The request. */
  readonly request: Request;
  /** What earlier middlewares have put into the context. */
  // deno-lint-ignore no-explicit-any -- the application declares its type
  readonly context?: any;
  /** Runs the handlers after the middleware. */
  // deno-lint-ignore no-explicit-any -- TanStack Start computes the type from all middlewares
  next(options: { context: any }): any;
}

/** A request middleware, for `createMiddleware().server(…)`. */
export type TanStackStartMiddleware = (
  args: TanStackStartArgsLike,
) => Promise<Response>;

/** The type of the context, for `createMiddleware().server<SessionContext<typeof storage>>(session(storage))`. */
export interface SessionContext<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export type TanStackStartSessionOptions = KeyOptions<
  [args: TanStackStartArgsLike],
  Response | Promise<Response>
>;

const PRERENDERED =
  "this page is prerendered, so there is no visitor; leave it out of `prerender` in vite.config.ts, or do not use the session there";

/**
 * Adds a session to each request and commits it once, before the response is sent.
 *
 * Server functions receive the session in their `context`, also if a loader calls them while a page is rendered: all of
 * them share it. A thrown `redirect()` or `Response` is sent and commits. If a handler throws an error, nothing is
 * committed. In a page that streams, a change throws `late-change` once the response has begun.
 *
 * Add it to `requestMiddleware` in `src/start.ts`, or to `server.middleware` of a route. A server function by itself
 * cannot send the cookie, so there the middleware throws.
 *
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: TanStackStartSessionOptions,
): TanStackStartMiddleware;
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
  options?: TanStackStartSessionOptions,
): TanStackStartMiddleware;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, TanStackStartSessionOptions>
): TanStackStartMiddleware {
  const { storage, options } = mount(args, KEY_OPTIONS);
  const { key = "session", isFailure, crossOrigin, onUnavailable } = options;
  const nesting = nested("same-cookie");
  const isPrerender = environment("TSS_PRERENDERING") === "true";
  return async (args) => {
    checkArguments(args);
    const { request, context } = args;
    if (isPrerender) {
      const refused = { [key]: refusedSession(PRERENDERED) };
      return (await args.next({ context: refused })).response;
    }
    let handled: Response | undefined;
    let failed = false;
    const response = await respond<Data, FlashData>(storage, {
      request,
      isFailure,
      crossOrigin,
      nesting,
      async handle(session) {
        mustBeFree(context?.[key], `context.${key}`);
        const result = await args.next({ context: { [key]: session } });
        const found = result.context?.[key] ?? session;
        mustBeKept(found, session, `context.${key}`);
        handled = result.response as Response;
        // An untouched session is not saved either way.
        failed = session.dirty && await isSerializedError(handled);
        return handled;
      },
      failed: () => failed,
      unavailable: onUnavailable && ((error) => onUnavailable(error, args)),
    }) as Response;
    return withRedirect(response, handled);
  };
}

/** @throws {TypeError} If these are not the arguments of a request middleware that is known. */
function checkArguments(args: TanStackStartArgsLike): void {
  const isKnown = typeof args?.next === "function" &&
    typeof args.request?.headers?.get === "function" &&
    // The middleware of a server function has it.
    !("sendContext" in args);
  if (isKnown) return;
  throw new TypeError(
    "Cannot mount session: this is not a request middleware of TanStack Start 1.132 or later; write `createMiddleware().server(session(storage))`, and add it to requestMiddleware in src/start.ts",
  );
}

/** How seroval, which writes the results of server functions, notes `undefined` and other constants. */
const CONSTANT = 2;

/** Whether a response carries the error of a server function to the browser: its status is 200, as if it had not failed. */
async function isSerializedError(response: Response): Promise<boolean> {
  const { headers } = response;
  const isResult = headers.get("x-tss-serialized") === "true" &&
    headers.get("Content-Type") === "application/json";
  if (!isResult) return false;
  try {
    // The keys of the result's object, and its values.
    const { k, v } = JSON.parse(await response.clone().text()).p;
    const error = v[k.indexOf("error")];
    // Before 1.169, a result without an error has the key, too.
    return error !== undefined && error.t !== CONSTANT;
  } catch {
    return false;
  }
}

/** TanStack Start recognizes a `redirect()` by its options, and completes its headers after all middlewares. */
function withRedirect(
  response: Response,
  handled: (Response & { options?: unknown }) | undefined,
): Response {
  if (response === handled || !handled?.options) return response;
  return Object.assign(response, { options: handled.options });
}
