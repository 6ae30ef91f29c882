/**
 * Sessions for Fresh 2: `ctx.state.session`.
 *
 * @example A page that counts its visits
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionState } from "@satchel/session/middleware/fresh";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>();
 * type State = SessionState<typeof storage>;
 *
 * // In main.ts: new App<State>().use(session(storage)).get("/", hello)
 * function hello({ state }: { state: State }) {
 *   const visits = (state.session.get("visits") ?? 0) + 1;
 *   state.session.set("visits", visits);
 *   return new Response(`Visit ${visits}`);
 * }
 *
 * const ctx = {
 *   req: new Request("http://localhost/"),
 *   state: {} as State,
 *   next: async () => hello(ctx),
 * };
 * const response = await session(storage)(ctx);
 * assertEquals(await response.text(), "Visit 1");
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
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
import { respond } from "./lifecycle/response.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";

/** The parts of Fresh's context that the middleware uses. */
export interface FreshContextLike {
  /** The request. */
  readonly req: Request;
  /** The values that middlewares and handlers share. */
  // deno-lint-ignore no-explicit-any -- the application declares its type
  state: any;
  /** The error that a handler threw, if Fresh answered it. */
  readonly error?: unknown;
  /** Runs the handlers after the middleware. */
  next(): Promise<Response>;
}

/** A middleware for `app.use`. */
export type FreshMiddleware = (ctx: FreshContextLike) => Promise<Response>;

/** The type of the state, for `new App<SessionState<typeof storage>>()`. */
export interface SessionState<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export type FreshSessionOptions = KeyOptions<
  [ctx: FreshContextLike],
  Response | Promise<Response>
>;

/**
 * Adds a session to each request and commits it once, before the response is sent.
 *
 * If a handler throws an error, nothing is committed. In Fresh, a missing page is an error too (`HttpError` 404). A
 * thrown `Response` is sent and commits. An error page that runs outside this middleware can read values, but no flash
 * messages.
 *
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: FreshSessionOptions,
): FreshMiddleware;
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
  options?: FreshSessionOptions,
): FreshMiddleware;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, FreshSessionOptions>
): FreshMiddleware {
  const { storage, options } = mount(args, KEY_OPTIONS);
  const { key = "session", isFailure, crossOrigin, onUnavailable } = options;
  return (ctx) =>
    respond<Data, FlashData>(storage, {
      request: ctx.req,
      isFailure,
      crossOrigin,
      async handle(session) {
        mustBeFree(ctx.state[key], `ctx.state.${key}`);
        ctx.state[key] = session;
        const response = await ctx.next();
        mustBeKept(ctx.state[key], session, `ctx.state.${key}`);
        return response;
      },
      failed: () => !(ctx.error instanceof Response) && Boolean(ctx.error),
      unavailable: onUnavailable && ((error) => onUnavailable(error, ctx)),
    }) as Promise<Response>;
}
