/**
 * Sessions for oak: `ctx.state.session`.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionState } from "@satchel/session/middleware/oak";
 * import { Application } from "npm:@oakserver/oak@14.1.0";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>({ cookie: {} });
 * const app = new Application<SessionState<typeof storage>>();
 * app.use(session(storage));
 * app.use(({ state, response }) => {
 *   const visits = (state.session.get("visits") ?? 0) + 1;
 *   state.session.set("visits", visits);
 *   response.body = `Visit ${visits}`;
 * });
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
  exchange,
  mount,
  mustBeFree,
  type SessionOf,
} from "./lifecycle/lifecycle.ts";
import {
  addSetCookie,
  responseCarrier,
  serviceUnavailable,
} from "./lifecycle/response.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";

/** What is used of oak's context. */
export interface OakContextLike {
  /** The request. */
  readonly request: { readonly headers: { get(name: string): string | null } };
  /** The response. */
  readonly response: {
    status: number;
    headers: Headers;
    body?: unknown;
    readonly writable: boolean;
    toDomResponse(): Promise<Response>;
  };
  /** What middlewares share. */
  // deno-lint-ignore no-explicit-any -- the application says what is in it
  readonly state: any;
  /** `false` once a handler has answered by itself. */
  readonly respond: boolean;
}

/** A middleware, as `app.use` takes it. */
export type OakMiddleware = (
  // deno-lint-ignore no-explicit-any -- oak's own type, with the application's state
  ctx: any,
  next: () => Promise<unknown>,
) => Promise<void>;

/** The state of an application with sessions, for `new Application<…>()`. */
export interface SessionState<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export interface OakSessionOptions {
  /** The property of the state; give each session of a request its own. @default {"session"} */
  key?: string | undefined;
  /** Sets the response of a request whose session could not be read or saved. @default {503 Service Unavailable} */
  onUnavailable?:
    | ((error: SessionError, ctx: OakContextLike) => unknown)
    | undefined;
}

const OPTIONS: OptionNames<OakSessionOptions> = {
  key: true,
  onUnavailable: true,
};

/**
 * Gives each request its session, and commits it once, before the response goes out.
 *
 * An error commits nothing. A session that was changed in a request that `ctx.upgrade()` has turned into a WebSocket is
 * an error, `late-change`: by then the response has left.
 *
 * @param storage The storage, bound to a cookie.
 * @param options The property's name, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage, or has no cookie.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: OakSessionOptions,
): OakMiddleware;
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
  options?: OakSessionOptions,
): OakMiddleware;
export function session<Data, FlashData>(
  first: SessionHeaders<Data, FlashData> | Cookie,
  second?: SessionValues<Data, FlashData> | OakSessionOptions,
  third?: OakSessionOptions,
): OakMiddleware {
  const { storage, options } = mount(first, second, third, OPTIONS);
  const { key = "session", onUnavailable = unavailable } = options;
  return async (ctx: OakContextLike, next) => {
    await exchange<Data, FlashData, Response | undefined>(storage, {
      cookieHeader: ctx.request.headers.get("Cookie"),
      async handle(session) {
        mustBeFree(ctx.state[key], `ctx.state.${key}`);
        ctx.state[key] = session;
        await next();
        // A response that a handler made by `response.with()` is final: oak does not look at `response.headers` again.
        return ctx.respond !== false && !ctx.response.writable
          ? await ctx.response.toDomResponse()
          : undefined;
      },
      carrier(made) {
        if (ctx.respond === false) return undefined;
        if (made) return responseCarrier(made, { asItIs: true });
        return (setCookie) => {
          addSetCookie(ctx.response.headers, setCookie);
          return undefined;
        };
      },
      discard() {},
      async unavailable(error) {
        await onUnavailable(error, ctx);
        return undefined;
      },
    });
  };
}

async function unavailable(
  _error: SessionError,
  { response }: OakContextLike,
): Promise<void> {
  const answer = serviceUnavailable();
  response.status = answer.status;
  response.headers = answer.headers;
  response.body = await answer.text();
}
