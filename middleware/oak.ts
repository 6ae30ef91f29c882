/**
 * Sessions for oak: `ctx.state.session`.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionState } from "@satchel/session/middleware/oak";
 * import { Application } from "npm:@oakserver/oak@14.1.0";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>();
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
import type { SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
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
  responseCarrier,
  serviceUnavailable,
  withHeaders,
} from "./lifecycle/response.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";

/** The parts of oak's context that the middleware uses. */
export interface OakContextLike {
  /** The request. */
  readonly request: {
    readonly method: string;
    readonly headers: { get(name: string): string | null };
  };
  /** The response. */
  readonly response: {
    status: number;
    headers: Headers;
    body?: unknown;
    readonly writable: boolean;
    toDomResponse(): Promise<Response>;
  };
  /** The values that middlewares and handlers share. */
  // deno-lint-ignore no-explicit-any -- the application declares its type
  readonly state: any;
  /** `false` if a handler sends the response itself. */
  readonly respond: boolean;
}

/** A middleware for `app.use`. */
export type OakMiddleware = (
  // deno-lint-ignore no-explicit-any -- oak's own type, with the application's state
  ctx: any,
  next: () => Promise<unknown>,
) => Promise<void>;

/** The type of the state, for `new Application<SessionState<typeof storage>>()`. */
export interface SessionState<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export type OakSessionOptions = KeyOptions<
  [ctx: OakContextLike],
  unknown
>;

/**
 * Adds a session to each request and commits it once, before the response is sent.
 *
 * If a handler throws, nothing is committed. `ctx.upgrade()` sends the response itself, so a changed session is then an
 * error (`late-change`).
 *
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: OakSessionOptions,
): OakMiddleware;
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
  options?: OakSessionOptions,
): OakMiddleware;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, OakSessionOptions>
): OakMiddleware {
  const { storage, options } = mount(args, KEY_OPTIONS);
  const {
    key = "session",
    isFailure,
    crossOrigin,
    onUnavailable = unavailable,
  } = options;
  return async (ctx: OakContextLike, next) => {
    await exchange<Data, FlashData, Response | undefined>(storage, {
      request: ctx.request,
      isFailure,
      crossOrigin,
      async handle(session) {
        mustBeFree(ctx.state[key], `ctx.state.${key}`);
        ctx.state[key] = session;
        await next();
        mustBeKept(ctx.state[key], session, `ctx.state.${key}`);
        // After `response.with()`, oak ignores `response.headers`.
        return ctx.respond !== false && !ctx.response.writable
          ? await ctx.response.toDomResponse()
          : undefined;
      },
      statusOf: (made) => made?.status ?? ctx.response.status,
      errorStatus,
      errorCarrier: (error) => (setCookie) =>
        withCookie(error, setCookie, ctx.response.headers),
      carrier(made) {
        if (ctx.respond === false) return undefined;
        if (made) {
          const carrier = responseCarrier(made);
          return carrier && ((setCookie) => {
            const copy = carrier(setCookie);
            ctx.response.toDomResponse = () => Promise.resolve(copy);
            return copy;
          });
        }
        return (setCookie) => {
          // A handler may have assigned headers that it made once, for all visitors.
          ctx.response.headers = copyOf(ctx.response.headers);
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

/** The status that oak answers to an error. Without one, the error is a failure. */
function errorStatus(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { status } = error as { status?: unknown };
  return typeof status === "number" ? status : undefined;
}

/**
 * An error whose headers have the cookie. Not the thrown one: an application may have made it once, for all visitors.
 *
 * @param like Headers of the class that oak knows.
 */
function withCookie(error: unknown, setCookie: string, like: Headers): unknown {
  if (!(error instanceof Error)) return error;
  const { headers: own } = error as { headers?: Headers | undefined };
  const headers = own ? copyOf(own) : copyOf(like, []);
  addSetCookie(headers, setCookie);
  return withHeaders(error, headers);
}

/** Headers of the same class: on Node, oak has a class of its own. */
function copyOf(
  headers: Headers,
  entries: Iterable<string[]> = headers,
): Headers {
  const { constructor } = headers as { constructor: unknown };
  return new (constructor as typeof Headers)(
    [...entries] as [string, string][],
  );
}

async function unavailable(
  error: SessionError,
  { response }: OakContextLike,
): Promise<void> {
  const answer = serviceUnavailable(error);
  response.status = answer.status;
  response.headers = answer.headers;
  response.body = await answer.text();
}
