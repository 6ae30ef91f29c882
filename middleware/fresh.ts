/**
 * Sessions for Fresh 2: `ctx.state.session`.
 *
 * @example A page that counts its visits
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionState } from "@satchel/session/middleware/fresh";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>({ cookie: {} });
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
import type { SessionError } from "../core/errors.ts";
import type { OptionNames } from "../core/options.ts";
import type { SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import { mount, mustBeFree, type SessionOf } from "./lifecycle/lifecycle.ts";
import { respond } from "./lifecycle/response.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";

/** What is used of Fresh's context. */
export interface FreshContextLike {
  /** The request. */
  readonly req: Request;
  /** What middlewares share. */
  // deno-lint-ignore no-explicit-any -- the application says what is in it
  state: any;
  /** The error that a handler threw and Fresh has answered. */
  readonly error?: unknown;
  /** Runs what comes after the middleware. */
  next(): Promise<Response>;
}

/** A middleware, as `app.use` takes it. */
export type FreshMiddleware = (ctx: FreshContextLike) => Promise<Response>;

/** The state of an application with sessions, for `new App<…>()`. */
export interface SessionState<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export interface FreshSessionOptions {
  /** The property of the state; give each session of a request its own. @default {"session"} */
  key?: string | undefined;
  /** Answers a request whose session could not be read or saved. @default {503 Service Unavailable} */
  onUnavailable?:
    | ((
      error: SessionError,
      ctx: FreshContextLike,
    ) => Response | Promise<Response>)
    | undefined;
}

const OPTIONS: OptionNames<FreshSessionOptions> = {
  key: true,
  onUnavailable: true,
};

/**
 * Gives each request its session, and commits it once, before the response goes out.
 *
 * An error commits nothing, a missing page (`HttpError` 404) included; a thrown `Response` is an answer. Error pages
 * outside this middleware can read values, and no flashes.
 *
 * @param storage The storage, bound to a cookie.
 * @param options The property's name, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage, or has no cookie.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: FreshSessionOptions,
): FreshMiddleware;
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
  options?: FreshSessionOptions,
): FreshMiddleware;
export function session<Data, FlashData>(
  first: SessionHeaders<Data, FlashData> | Cookie,
  second?: SessionValues<Data, FlashData> | FreshSessionOptions,
  third?: FreshSessionOptions,
): FreshMiddleware {
  const { storage, options } = mount(first, second, third, OPTIONS);
  const { key = "session", onUnavailable } = options;
  return (ctx) =>
    respond<Data, FlashData>(storage, {
      headers: ctx.req.headers,
      handle(session) {
        mustBeFree(ctx.state[key], `ctx.state.${key}`);
        ctx.state[key] = session;
        return ctx.next();
      },
      failed: () => !(ctx.error instanceof Response) && Boolean(ctx.error),
      ...(onUnavailable && {
        unavailable: (error) => onUnavailable(error, ctx),
      }),
    }) as Promise<Response>;
}
