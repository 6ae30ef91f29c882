/**
 * Sessions for Astro 5 and later: `Astro.locals.session`.
 *
 * @example A page that counts its visits
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionLocals } from "@satchel/session/middleware/astro";
 * import { assertEquals } from "@std/assert";
 *
 * // src/middleware.ts
 * const storage = createMemorySessionStorage<{ visits: number }>();
 * const onRequest = session(storage); // export const onRequest = …
 *
 * // src/env.d.ts: declare namespace App { interface Locals extends SessionLocals<typeof storage> {} }
 * type Locals = SessionLocals<typeof storage>;
 *
 * // src/pages/visits.ts
 * function GET({ locals }: { locals: Locals }) {
 *   const visits = (locals.session.get("visits") ?? 0) + 1;
 *   locals.session.set("visits", visits);
 *   return new Response(`Visit ${visits}`);
 * }
 *
 * // What Astro does in a request
 * const context = {
 *   request: new Request("http://localhost/visits"),
 *   locals: {} as Locals,
 *   isPrerendered: false,
 * };
 * const response = await onRequest(context, async () => GET(context));
 * assertEquals(await response.text(), "Visit 1");
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import { type SessionData, stateOf } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  mount,
  type MountArguments,
  mustBeFree,
  mustBeKept,
  type SessionOf,
} from "./lifecycle/lifecycle.ts";
import { KEY_OPTIONS, type KeyOptions } from "./lifecycle/options.ts";
import { nested } from "./lifecycle/nested.ts";
import { refusedSession } from "./lifecycle/refused_session.ts";
import { respond, responseCarrier } from "./lifecycle/response.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";

/** The parts of Astro's context that the middleware uses. */
export interface AstroContextLike {
  /** The request. */
  readonly request: Request;
  /** The values that middlewares, pages and endpoints share. */
  // deno-lint-ignore no-explicit-any -- the application declares its type
  readonly locals: any;
  /** Whether the page is made when the application is built. */
  readonly isPrerendered: boolean;
}

/** A middleware, for `export const onRequest` in `src/middleware.ts`. */
export type AstroMiddleware = (
  context: AstroContextLike,
  next: () => Promise<Response>,
) => Promise<Response>;

/** The type of the locals, for `interface Locals extends SessionLocals<typeof storage> {}` in `namespace App`. */
export interface SessionLocals<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export type AstroSessionOptions = KeyOptions<
  [context: AstroContextLike],
  Response | Promise<Response>
>;

const PRERENDERED =
  "this page is prerendered, so there is no visitor; write `export const prerender = false` in it, or do not use the session there";

/** What was done with the session of a request, when Astro makes its own error page. */
interface Ended {
  readonly session: unknown;
  /** The cookie of a logout, if the handler threw an error after it. */
  setCookie: string;
}

/**
 * Adds a session to each request and commits it once, before the response is sent.
 *
 * - A rewrite shares the session.
 * - A thrown `Response` is sent and commits. If a page throws an error, nothing is committed.
 * - The pages `404.astro` and `500.astro` that Astro makes for another page's answer can read the session of that page,
 *   its flash messages included, without consuming them. A change throws `late-change`.
 * - A layout or component can run after the response has begun. A change then throws `late-change`, and so does reading
 *   a flash message: do both in the page, or in a middleware after this one.
 * - In a prerendered page nothing is read or stored, and using the session throws.
 *
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The middleware. For several, use `sequence` of Astro, with this one first.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: AstroSessionOptions,
): AstroMiddleware;
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
  options?: AstroSessionOptions,
): AstroMiddleware;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, AstroSessionOptions>
): AstroMiddleware {
  const { storage, options } = mount(args, KEY_OPTIONS);
  const { key = "session", isFailure, crossOrigin, onUnavailable } = options;
  const nesting = nested("same-cookie");
  const requests = new WeakMap<Request, Ended>();
  return async (context, next) => {
    checkContext(context, next);
    const { locals, request } = context;
    if (context.isPrerendered) {
      locals[key] = refusedSession(PRERENDERED);
      return await next();
    }
    const ended = requests.get(request);
    if (ended) {
      // Astro runs the middleware again for its error page.
      const state = stateOf(ended.session);
      if (state?.closed) state.keepFlashes();
      locals[key] = ended.session;
      return withCookie(await next(), ended.setCookie);
    }
    let opened: Ended | undefined;
    try {
      return await respond<Data, FlashData>(storage, {
        request,
        isFailure,
        crossOrigin,
        nesting,
        async handle(session) {
          // A rewrite has the locals of the page that it replaces.
          if (locals[key] !== session) {
            mustBeFree(locals[key], `Astro.locals.${key}`);
          }
          opened = { session, setCookie: "" };
          locals[key] = session;
          const response = await next();
          mustBeKept(locals[key], session, `Astro.locals.${key}`);
          return response;
        },
        errorCarrier: (error) => (setCookie) => {
          if (opened) opened.setCookie = setCookie;
          return error;
        },
        unavailable: onUnavailable &&
          ((error) => onUnavailable(error, context)),
      }) as Response;
    } finally {
      // `next(path)` of a later middleware gives the context another request.
      if (opened) requests.set(request, opened).set(context.request, opened);
    }
  };
}

/** @throws {TypeError} If this is not a context of an Astro that is known. */
function checkContext(context: AstroContextLike, next: unknown): void {
  const isKnown = typeof next === "function" &&
    typeof context?.locals === "object" &&
    typeof context.isPrerendered === "boolean";
  if (isKnown) return;
  throw new TypeError(
    "Cannot mount session: this is not a context of Astro 5 or later; write `export const onRequest = session(storage)` in src/middleware.ts",
  );
}

function withCookie(response: Response, setCookie: string): Response {
  return setCookie
    ? responseCarrier(response)?.(setCookie) ?? response
    : response;
}
