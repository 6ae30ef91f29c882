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
 * const storage = createMemorySessionStorage<{ visits: number }>();
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

/** The parts of Hono's context that the middleware uses. */
export interface HonoContextLike {
  /** The request. */
  readonly req: { readonly raw: Request };
  /** The response. */
  res: Response;
  /** Whether there is a response. */
  readonly finalized: boolean;
  /** The error that a handler threw, if Hono answered it. */
  readonly error: Error | undefined;
  /** Returns a variable. */
  get(key: string): unknown;
  /** Sets a variable. */
  set(key: string, value: unknown): void;
}

/** A middleware for `app.use`. */
export type HonoMiddleware = (
  // deno-lint-ignore no-explicit-any -- the application declares the types of its variables
  c: HonoContextLike & any,
  next: () => Promise<void>,
) => Promise<void>;

/** The type of the variables, for `new Hono<{ Variables: SessionVariables<typeof storage> }>()`. */
export interface SessionVariables<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export type HonoSessionOptions = KeyOptions<
  [c: HonoContextLike],
  Response | Promise<Response>
>;

/**
 * Adds a session to each request and commits it once, before the response is sent.
 *
 * If a handler throws an error, nothing is committed, even if `app.onError` answers it. A thrown `Response` is sent and
 * commits.
 *
 * @param storage The session storage.
 * @param options The variable that holds the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: HonoSessionOptions,
): HonoMiddleware;
/**
 * The same, with a cookie that replaces the storage's own.
 *
 * @param cookie The cookie that carries the session or its id.
 * @param storage The session storage.
 * @param options The variable that holds the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` lacks `read` or `save`; if it is a cookie storage and `cookie` lacks secrets; if it
 * already reads a second cookie; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: HonoSessionOptions,
): HonoMiddleware;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, HonoSessionOptions>
): HonoMiddleware {
  const { storage, options } = mount(args, KEY_OPTIONS);
  const { key = "session", isFailure, crossOrigin, onUnavailable } = options;
  return async (c: HonoContextLike, next) => {
    const response = await respond<Data, FlashData>(storage, {
      request: c.req.raw,
      isFailure,
      crossOrigin,
      async handle(session) {
        mustBeFree(c.get(key), `c.get("${key}")`);
        c.set(key, session);
        await next();
        mustBeKept(c.get(key), session, `c.get("${key}")`);
        return c.finalized ? c.res : undefined;
      },
      // An HTTPException is an answer; an error stays one, whatever page app.onError has made of it.
      failed: () => c.error !== undefined && !("getResponse" in c.error),
      unavailable: onUnavailable && ((error) => onUnavailable(error, c)),
    });
    if (!response || c.finalized && response === c.res) return;
    // Hono copies the cookies of a response that is replaced, so remove it first.
    c.res = undefined as unknown as Response;
    c.res = response;
  };
}
