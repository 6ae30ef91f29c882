/**
 * Sessions for oak: `ctx.state.session`.
 *
 * @example
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionState } from "@satchel/session/middleware/oak";
 * import { Application } from "npm:@oakserver/oak@^14.1.0";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>({ cookie: {} });
 * const app = new Application<SessionState<typeof storage>>();
 * app.use(session(storage));
 * app.use(({ state, response }) => {
 *   const visits = (state.session.get("visits") ?? 0) + 1;
 *   state.session.set("visits", visits);
 *   response.body = `Visit ${visits}`;
 * });
 *
 * if (import.meta.main) await app.listen({ port: 8000 });
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { SessionError } from "../core/errors.ts";
import type { SessionData } from "../core/session.ts";
import type {
  HttpSessionStorage,
  SessionStorage,
} from "../storage/contract.ts";
import { exchange, mount, mustBeFree, type SessionOf } from "./_lifecycle.ts";
import { addSetCookie, takesCookie } from "./_response.ts";

export type { SessionOf } from "./_lifecycle.ts";

/** What is used of oak's context. */
export interface OakContextLike {
  /** The request. */
  readonly request: {
    readonly headers: { get(name: string): string | null };
  };
  /** The response. */
  readonly response: {
    status: number;
    body: unknown;
    readonly headers: Headers;
    /** Whether it can still be changed. */
    readonly writable: boolean;
    /** The response as a `Response`, which it stays. */
    toDomResponse(): Promise<Response>;
  };
  /** Whether oak will answer, or somebody has. */
  respond: boolean;
  /** What middlewares share in one request. */
  // deno-lint-ignore no-explicit-any -- an application's own
  readonly state: Record<string, any>;
}

/** A middleware, as `app.use` takes it. */
export type OakMiddleware = (
  // deno-lint-ignore no-explicit-any -- oak's own class has private fields, which no structural type can match
  ctx: OakContextLike & any,
  next: () => Promise<unknown>,
) => Promise<void>;

/** The state of an application with sessions, for `new Application<…>()`. */
export interface SessionState<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export interface OakSessionOptions {
  /** Where in `ctx.state` it is; give each session of a request its own. @default {"session"} */
  key?: string | undefined;
  /** Answers a request whose session could not be read or saved. @default {503 Service Unavailable} */
  onUnavailable?:
    | ((error: SessionError, ctx: OakContextLike) => void | Promise<void>)
    | undefined;
}

/**
 * Gives each request its session, and commits it once, before the response goes out.
 *
 * What is thrown commits nothing. `ctx.upgrade()` answers at once: a session that was changed then is a `late-change`.
 *
 * @param storage The storage, bound to a cookie.
 * @param options The session's key, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If the storage has no cookie.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: HttpSessionStorage<Data, FlashData>,
  options?: OakSessionOptions,
): OakMiddleware;
/** The same for a storage without a cookie. */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionStorage<Data, FlashData>,
  options?: OakSessionOptions,
): OakMiddleware;
export function session<Data, FlashData>(
  first: HttpSessionStorage<Data, FlashData> | Cookie,
  second?: SessionStorage<Data, FlashData> | OakSessionOptions,
  third?: OakSessionOptions,
): OakMiddleware {
  const { storage, options } = mount(first, second, third);
  const { key = "session", onUnavailable } = options;
  return (ctx: OakContextLike, next) =>
    exchange<Data, FlashData, Headers | void>(storage, {
      cookieHeader: ctx.request.headers.get("Cookie"),
      async handle(session) {
        mustBeFree(ctx.state[key], `ctx.state.${key}`);
        ctx.state[key] = session;
        await next();
        return await headersOf(ctx);
      },
      sendable: (headers) => headers !== undefined,
      send(headers, setCookie) {
        if (headers) addSetCookie(headers, setCookie);
      },
      discard() {},
      unavailable: async (error) => {
        if (!ctx.response.writable) throw error;
        for (const name of [...ctx.response.headers.keys()]) {
          ctx.response.headers.delete(name);
        }
        if (onUnavailable) return await onUnavailable(error, ctx);
        ctx.response.status = 503;
        ctx.response.body = "Service Unavailable";
        ctx.response.headers.set("Cache-Control", "no-store");
        ctx.response.headers.set("Retry-After", "5");
      },
    }).then(() => {});
}

/** The headers that will be sent; `undefined` where they have been, or cannot be changed. */
async function headersOf(
  { respond, response }: OakContextLike,
): Promise<Headers | undefined> {
  if (respond === false) return undefined;
  if (response.writable) return response.headers;
  // A handler has set a whole Response.
  const made = await response.toDomResponse();
  return takesCookie(made) ? made.headers : undefined;
}
