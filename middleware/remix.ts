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
 * @example With its types: `context.session` and the storage's data
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionContextEntry } from "@satchel/session/middleware/remix";
 * import { createRouter, type Middleware } from "npm:@remix-run/fetch-router@0.20.1";
 *
 * const storage = createMemorySessionStorage<{ userId: number }>({ cookie: {} });
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
import type { SessionError } from "../core/errors.ts";
import type { OptionNames } from "../core/options.ts";
import { Session, type SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import { mount, mustBeFree, type SessionOf } from "./lifecycle/lifecycle.ts";
import { respond } from "./lifecycle/response.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";

/** What is used of Remix's request context. */
export interface RemixContextLike {
  /** The request's headers. */
  readonly headers: Headers;
  /** Gives what stands under a key. */
  get(key: object): unknown;
  /** Puts something under a key, and on the context itself under the name `property`. */
  set(key: object, value: unknown, options?: { property: string }): void;
}

/** A middleware, as `createRouter` takes it. */
export type RemixMiddleware = (
  context: RemixContextLike,
  next: () => Promise<Response>,
) => Promise<Response>;

/** What the middleware adds to the context, for Remix's own type: `Middleware<SessionContextEntry<typeof storage>>`. */
export interface SessionContextEntry<Storage> {
  /** The key, for `context.get(Session)`. */
  key: typeof Session;
  /** The session of the request. */
  value: SessionOf<Storage>;
  /** The name, for `context.session`. */
  property: "session";
}

/** Options of {@linkcode session}. */
export interface RemixSessionOptions {
  /** The context key; give each session of a request its own. @default {Session} */
  key?: object | undefined;
  /** The name on the context itself. @default {"session", for the key `Session`} */
  property?: string | undefined;
  /** Answers a request whose session could not be read or saved. @default {503 Service Unavailable} */
  onUnavailable?:
    | ((
      error: SessionError,
      context: RemixContextLike,
    ) => Response | Promise<Response>)
    | undefined;
}

const OPTIONS: OptionNames<RemixSessionOptions> = {
  key: true,
  onUnavailable: true,
  property: true,
};

/**
 * Gives each request its session, and commits it once, before the response goes out.
 *
 * An error commits nothing; a thrown `Response` is an answer, as a returned one is.
 *
 * In TypeScript, Remix's own `Middleware` tells the router what is in the context:
 * `const sessions: Middleware<SessionContextEntry<typeof storage>> = session(storage)`.
 *
 * @param storage The storage, bound to a cookie.
 * @param options The place on the context, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage, or has no cookie.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: RemixSessionOptions,
): RemixMiddleware;
/**
 * The same for a storage without a cookie.
 *
 * @param cookie The cookie that carries the session, or its id.
 * @param storage The storage.
 * @param options The place on the context, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage; if it is a cookie storage, and the cookie has no secrets; or
 * if it reads an older cookie beside its own.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: RemixSessionOptions,
): RemixMiddleware;
export function session<Data, FlashData>(
  first: SessionHeaders<Data, FlashData> | Cookie,
  second?: SessionValues<Data, FlashData> | RemixSessionOptions,
  third?: RemixSessionOptions,
): RemixMiddleware {
  const { storage, options } = mount(first, second, third, OPTIONS);
  const { key = Session, onUnavailable } = options;
  const property = options.property ??
    (key === Session ? "session" : undefined);
  return (context, next) =>
    respond<Data, FlashData>(storage, {
      headers: context.headers,
      handle(session) {
        mustBeFree(context.get(key), "the context");
        context.set(key, session, ...(property ? [{ property }] : []));
        return next();
      },
      ...(onUnavailable && {
        unavailable: (error) => onUnavailable(error, context),
      }),
    }) as Promise<Response>;
}
