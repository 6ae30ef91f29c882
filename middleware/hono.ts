/**
 * Sessions for Hono: `c.get("session")` or `c.var.session`.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionVariables } from "@satchel/session/middleware/hono";
 * import { Hono } from "npm:hono@4.13.19";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>({ cookie: {} });
 * const app = new Hono<{ Variables: SessionVariables<typeof storage> }>();
 * app.use(session(storage));
 * app.get("/", (c) => {
 *   const visits = (c.var.session.get("visits") ?? 0) + 1;
 *   c.var.session.set("visits", visits);
 *   return c.text(`Visit ${visits}`);
 * });
 *
 * const first = await app.request("/");
 * const cookie = first.headers.get("set-cookie")!.split(";")[0]!;
 * const second = await app.request("/", { headers: { cookie } });
 * assertEquals(await second.text(), "Visit 2");
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

/** What is used of Hono's context. */
export interface HonoContextLike {
  /** The request. */
  readonly req: { readonly raw: Request };
  /** The response. */
  res: Response;
  /** Whether there is a response. */
  readonly finalized: boolean;
  /** The error that a handler threw and Hono has answered. */
  readonly error: Error | undefined;
  /** Gives a variable. */
  get(key: string): unknown;
  /** Sets a variable. */
  set(key: string, value: unknown): void;
}

/** A middleware, as `app.use` takes it. */
export type HonoMiddleware = (
  // deno-lint-ignore no-explicit-any -- Hono's own types say which keys there are, and vary with the application
  c: HonoContextLike & any,
  next: () => Promise<void>,
) => Promise<void>;

/** The variables of an application with sessions, for `new Hono<{ Variables: … }>()`. */
export interface SessionVariables<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export interface HonoSessionOptions {
  /** The name of the variable; give each session of a request its own. @default {"session"} */
  key?: string | undefined;
  /** Answers a request whose session could not be read or saved. @default {503 Service Unavailable} */
  onUnavailable?:
    | ((
      error: SessionError,
      c: HonoContextLike,
    ) => Response | Promise<Response>)
    | undefined;
}

const OPTIONS: OptionNames<HonoSessionOptions> = {
  key: true,
  onUnavailable: true,
};

/**
 * Gives each request its session, and commits it once, before the response goes out.
 *
 * An error commits nothing, also where `app.onError` has answered it; a thrown `Response` is an answer.
 *
 * @param storage The storage, bound to a cookie.
 * @param options The variable's name, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage, or has no cookie.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: HonoSessionOptions,
): HonoMiddleware;
/**
 * The same for a storage without a cookie.
 *
 * @param cookie The cookie that carries the session, or its id.
 * @param storage The storage.
 * @param options The variable's name, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage; if it is a cookie storage, and the cookie has no secrets; or
 * if it reads an older cookie beside its own.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: HonoSessionOptions,
): HonoMiddleware;
export function session<Data, FlashData>(
  first: SessionHeaders<Data, FlashData> | Cookie,
  second?: SessionValues<Data, FlashData> | HonoSessionOptions,
  third?: HonoSessionOptions,
): HonoMiddleware {
  const { storage, options } = mount(first, second, third, OPTIONS);
  const { key = "session", onUnavailable } = options;
  return async (c: HonoContextLike, next) => {
    const response = await respond<Data, FlashData>(storage, {
      headers: c.req.raw.headers,
      async handle(session) {
        mustBeFree(c.get(key), `c.get("${key}")`);
        c.set(key, session);
        await next();
        return c.finalized ? c.res : undefined;
      },
      failed: () => c.error !== undefined,
      ...(onUnavailable && { unavailable: (error) => onUnavailable(error, c) }),
    });
    if (!response || c.finalized && response === c.res) return;
    // Assigned over another response, Hono would keep that one's cookies instead of these.
    c.res = undefined as unknown as Response;
    c.res = response;
  };
}
