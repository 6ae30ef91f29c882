/**
 * Sessions for Remix 3: `context.session`, or `context.get(Session)`.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createCookie, createCookieSessionStorage, Session } from "@satchel/session";
 * import { session } from "@satchel/session/middleware/remix";
 * import { createRouter } from "npm:@remix-run/fetch-router@0.20.1";
 * import { assertEquals } from "@std/assert";
 *
 * const sessionCookie = createCookie("__session", {
 *   secrets: ["s3cr3t"],
 *   httpOnly: true,
 *   secure: true,
 *   sameSite: "lax",
 * });
 * const sessionStorage = createCookieSessionStorage();
 * const router = createRouter({
 *   middleware: [session(sessionCookie, sessionStorage)],
 * });
 * router.get("/", (context) => {
 *   const session = context.get(Session)!;
 *   session.set("count", Number(session.get("count") ?? 0) + 1);
 *   return new Response(`Count: ${session.get("count")}`);
 * });
 *
 * const first = await router.fetch("https://localhost/");
 * const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
 * const second = await router.fetch("https://localhost/", { headers: { cookie } });
 * assertEquals(await second.text(), "Count: 2");
 * ```
 *
 * @example With types: `context.session` and the storage's data
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionContextEntry } from "@satchel/session/middleware/remix";
 * import { createRouter, type Middleware } from "npm:@remix-run/fetch-router@0.20.1";
 *
 * const storage = createMemorySessionStorage<{ userId: number }>();
 * const sessions: Middleware<SessionContextEntry<typeof storage>> = session(storage);
 * const router = createRouter({ middleware: [sessions] });
 * router.get("/", ({ session }) => {
 *   const userId: number | undefined = session.get("userId");
 *   return Response.json({ userId });
 * });
 * await router.fetch("https://localhost/");
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { OptionNames } from "../core/options.ts";
import { Session, type SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  mount,
  type MountArguments,
  mustBeFree,
  mustBeKept,
  type SessionOf,
} from "./lifecycle/lifecycle.ts";
import {
  MIDDLEWARE_OPTIONS,
  type MiddlewareOptions,
} from "./lifecycle/options.ts";
import { respond } from "./lifecycle/response.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";

/** The parts of Remix's request context that the middleware uses. */
export interface RemixContextLike {
  /** The request's method. */
  readonly method: string;
  /** The request's headers. */
  readonly headers: Headers;
  /** Whether a key was set. */
  has(key: object): boolean;
  /** Returns the value of a key. Older routers throw if it was not set. */
  get(key: object): unknown;
  /** Sets the value of a key, and of the property `property` on the context itself. */
  set(key: object, value: unknown, options?: { property: string }): void;
}

/** A middleware for `createRouter`. */
export type RemixMiddleware = (
  context: RemixContextLike,
  next: () => Promise<Response>,
) => Promise<Response>;

/** The type of the context's new entry, for `Middleware<SessionContextEntry<typeof storage>>`. */
export interface SessionContextEntry<Storage> {
  /** The key, for `context.get(Session)`. */
  key: typeof Session;
  /** The session of the request. */
  value: SessionOf<Storage>;
  /** The property, for `context.session`. */
  property: "session";
}

/** Options of {@linkcode session}. */
export interface RemixSessionOptions extends
  MiddlewareOptions<
    [context: RemixContextLike],
    Response | Promise<Response>
  > {
  /** The context key that holds the session. Each session of a request needs its own. @default {Session} */
  key?: object | undefined;
  /** The property of the context that holds the session. @default {"session", for the key `Session`} */
  property?: string | undefined;
}

const OPTIONS: OptionNames<RemixSessionOptions> = {
  ...MIDDLEWARE_OPTIONS,
  key: true,
  property: true,
};

/**
 * Adds a session to each request and commits it once, before the response is sent.
 *
 * If a handler throws an error, nothing is committed. A thrown `Response` is sent and commits.
 *
 * In TypeScript, annotate the middleware with Remix's `Middleware`, so that the router knows the type of the context:
 * `const sessions: Middleware<SessionContextEntry<typeof storage>> = session(storage)`.
 *
 * @param storage The session storage.
 * @param options The context key and the property that hold the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: RemixSessionOptions,
): RemixMiddleware;
/**
 * The same, with a cookie that replaces the storage's own.
 *
 * @param cookie The cookie that carries the session or its id.
 * @param storage The session storage.
 * @param options The context key and the property that hold the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` lacks `read` or `save`; if it is a cookie storage and `cookie` lacks secrets; if it
 * already reads a second cookie; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: RemixSessionOptions,
): RemixMiddleware;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, RemixSessionOptions>
): RemixMiddleware {
  const { storage, options } = mount(args, OPTIONS);
  const { key = Session, isFailure, crossOrigin, onUnavailable } = options;
  const property = options.property ??
    (key === Session ? "session" : undefined);
  return (context, next) =>
    respond<Data, FlashData>(storage, {
      request: context,
      isFailure,
      crossOrigin,
      async handle(session) {
        if (has(context, key)) mustBeFree(context.get(key), "the context");
        context.set(key, session, ...(property ? [{ property }] : []));
        const response = await next();
        mustBeKept(context.get(key), session, "the context");
        return response;
      },
      unavailable: onUnavailable && ((error) => onUnavailable(error, context)),
    }) as Promise<Response>;
}

/** @throws {TypeError} If the router is too old. */
function has(context: RemixContextLike, key: object): boolean {
  if (typeof context.has === "function") return context.has(key);
  throw new TypeError(
    "Cannot add session: the router's context lacks has(), get() and set(); update @remix-run/fetch-router to 0.18 or newer",
  );
}
