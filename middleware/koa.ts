/**
 * Sessions for Koa 2 and 3: `ctx.session`.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionContext } from "@satchel/session/middleware/koa";
 * // @ts-types="npm:@types/koa@3.0.3"
 * import Koa from "npm:koa@3.3.0";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>();
 * const app = new Koa<Koa.DefaultState, SessionContext<typeof storage>>();
 * app.use(session(storage));
 * app.use((ctx) => {
 *   const visits = (ctx.session.get("visits") ?? 0) + 1;
 *   ctx.session.set("visits", visits);
 *   ctx.body = `Visit ${visits}`;
 * });
 * app.listen(0, function (this: void) {}).close();
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { SessionError } from "../core/errors.ts";
import { type SessionData, stateOf } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  isServerError,
  mount,
  type MountArguments,
  openSession,
  type SessionOf,
  unavailableError,
} from "./lifecycle/lifecycle.ts";
import {
  PROPERTIES_OPTIONS,
  type PropertiesOptions,
} from "./lifecycle/options.ts";
import type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
import {
  commitBeforeSending,
  infoOf,
  serviceUnavailable,
} from "./lifecycle/node_response.ts";
import { holdSession, sessionBehind } from "./lifecycle/properties.ts";
import { PropertiesSession } from "./lifecycle/properties_session.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
export type { PropertiesCookie } from "./lifecycle/properties_cookie.ts";
export type {
  SessionCallback,
  SessionMethods,
  SessionProperties,
} from "./lifecycle/properties_session.ts";
export type * from "./lifecycle/types.ts";

/** The parts of Koa's context that the middleware uses. */
export interface KoaContextLike {
  /** Node's request. */
  readonly req: NodeRequestLike;
  /** Node's response. */
  readonly res: NodeResponseLike;
  /** Answers an error. */
  // deno-lint-ignore no-explicit-any -- Koa's own type
  onerror(error: any): void;
}

/** A middleware for `app.use`. */
export type KoaMiddleware = (
  ctx: KoaContextLike,
  next: () => Promise<unknown>,
) => Promise<void>;

/** The type of the context, for `new Koa<Koa.DefaultState, SessionContext<typeof storage>>()`. */
export interface SessionContext<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export type KoaSessionOptions = PropertiesOptions<
  [ctx: KoaContextLike],
  unknown
>;

/**
 * Adds a session to each request and commits it once, just before the headers are sent, by Koa or by a handler that
 * writes to `ctx.res` itself.
 *
 * If a handler throws an error that is not one of `ctx.throw()`, nothing is committed, even if a middleware answers it.
 * Assigning `null` to `ctx.session` ends the session.
 *
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: KoaSessionOptions,
): KoaMiddleware;
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
  options?: KoaSessionOptions,
): KoaMiddleware;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, KoaSessionOptions>
): KoaMiddleware {
  const { storage, options } = mount(args, PROPERTIES_OPTIONS);
  const { key = "session", isFailure = isServerError, properties } = options;
  const { crossOrigin } = options;
  const name = `ctx.${key}`;
  const {
    onUnavailable = (error: SessionError, { res }: KoaContextLike) =>
      serviceUnavailable(res, error),
  } = options;
  return async (ctx, next) => {
    checkHost(ctx);
    const { res } = ctx;
    const unsaved = async (error: unknown) => {
      try {
        await onUnavailable(unavailableError(error), ctx);
      } catch (other) {
        ctx.onerror(other);
      }
    };
    const info = infoOf(ctx.req);
    let opened;
    try {
      opened = await openSession(storage, info, crossOrigin);
    } catch (error) {
      await onUnavailable(unavailableError(error), ctx);
      // Koa would answer as well.
      Object.assign(ctx, { respond: false });
      return;
    }
    const session = opened;
    const fail = (error: unknown) => ctx.onerror(error);
    const view = KoaProperties;
    const other = holdSession({
      ...{ storage, session, info, request: ctx, key, name, fail },
      ...{ properties, view },
    });
    const failed = commitBeforeSending(res, {
      ...{ storage, session, isFailure, unsaved, other },
    });
    try {
      await next();
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined || isFailure(status)) failed();
      throw error;
    }
  };
}

/** @throws {TypeError} If the middleware was not called by Koa. */
function checkHost(ctx: unknown): void {
  const { req, res, onerror } = Object(ctx) as Partial<KoaContextLike>;
  if (req && res && typeof onerror === "function") return;
  throw new TypeError(
    "Cannot read session: this middleware is for Koa 2 and 3; for Express, import session from @satchel/session/middleware/express",
  );
}

/** The status of an error of `ctx.throw()`. Any other error is a failure. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { status, statusCode } = error as {
    status?: unknown;
    statusCode?: unknown;
  };
  const found = status ?? statusCode;
  return typeof found === "number" ? found : undefined;
}

/** A session with properties, and what users of koa-session read and write. */
class KoaProperties extends PropertiesSession {
  get isNew(): boolean {
    return stateOf(sessionBehind(this))?.stored !== true;
  }

  get maxAge(): number | null {
    return this.cookie.maxAge;
  }

  set maxAge(milliseconds: number | null) {
    this.cookie.maxAge = milliseconds;
  }
}
