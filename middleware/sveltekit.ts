/**
 * Sessions for SvelteKit 2 and 3: `event.locals.session`.
 *
 * @example A page that counts its visits
 * ```ts
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionLocals } from "@satchel/session/middleware/sveltekit";
 * import { assertEquals } from "@std/assert";
 *
 * // src/hooks.server.ts
 * const storage = createMemorySessionStorage<{ visits: number }>();
 * const handle = session(storage); // export const handle = …
 *
 * // src/app.d.ts: declare global { namespace App { interface Locals extends SessionLocals<typeof storage> {} } }
 * type Locals = SessionLocals<typeof storage>;
 *
 * // src/routes/+page.server.ts
 * function load({ locals }: { locals: Locals }) {
 *   const visits = (locals.session.get("visits") ?? 0) + 1;
 *   locals.session.set("visits", visits);
 *   return { visits };
 * }
 *
 * // What SvelteKit does in a request
 * const event = {
 *   request: new Request("http://localhost/"),
 *   locals: {} as Locals,
 *   cookies: { set() {} },
 * };
 * const response = await handle({ event, resolve: async (event) => Response.json(load(event)) });
 * assertEquals(await response.json(), { visits: 1 });
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import { environment } from "../core/runtime.ts";
import type { SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import { parseSetCookie } from "../core/set_cookie.ts";
import {
  type Carrier,
  mount,
  type MountArguments,
  mustBeFree,
  mustBeKept,
  type SessionOf,
} from "./lifecycle/lifecycle.ts";
import { KEY_OPTIONS, type KeyOptions } from "./lifecycle/options.ts";
import { nested } from "./lifecycle/nested.ts";
import { refusedSession } from "./lifecycle/refused_session.ts";
import { respond } from "./lifecycle/response.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";

/** The parts of SvelteKit's event that the hook uses. */
export interface SvelteKitEventLike {
  /** The request. */
  readonly request: Request;
  /** The values that hooks, `load` functions, actions and endpoints share. */
  // deno-lint-ignore no-explicit-any -- the application declares its type
  readonly locals: any;
  /** The cookies that SvelteKit sends itself. */
  readonly cookies: {
    /** Sets a cookie. */
    // deno-lint-ignore no-explicit-any -- each version of SvelteKit has its own type of the options
    set(name: string, value: string, options: any): void;
  };
  /** Whether the browser asks for the data of a page that it has loaded already. */
  readonly isDataRequest?: boolean;
}

/** A hook, for `export const handle` in `src/hooks.server.ts`. */
export type SvelteKitHandle = <Event extends SvelteKitEventLike>(input: {
  event: Event;
  resolve(event: Event): Response | Promise<Response>;
}) => Promise<Response>;

/** The type of the locals, for `interface Locals extends SessionLocals<typeof storage> {}` in `namespace App`. */
export interface SessionLocals<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export type SvelteKitSessionOptions = KeyOptions<
  [event: SvelteKitEventLike],
  Response | Promise<Response>
>;

const PRERENDERED =
  "this page is prerendered, so there is no visitor; write `export const prerender = false` in its +page.server.ts, or do not use the session there";

/**
 * Adds a session to each request and commits it once, before the response is sent.
 *
 * - `event.fetch` to the application itself shares the session.
 * - `redirect()` and `error()` of a `load` function, an action or an endpoint commit, below 500.
 * - A `redirect()` that a later hook throws commits; its `error()` commits nothing but a logout, because SvelteKit makes
 *   that page outside the hooks.
 * - In a page that streams promises, a change throws `late-change` once the response has begun.
 * - While a page is prerendered, nothing is read or stored, and using the session throws.
 *
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The hook. For several hooks, use `sequence` of SvelteKit, with this one first.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: SvelteKitSessionOptions,
): SvelteKitHandle;
/**
 * The same, with a cookie that replaces the storage's own.
 *
 * @param cookie The cookie that carries the session or its id.
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The hook.
 * @throws {TypeError} If `storage` lacks `read` or `save`; if it is a cookie storage and `cookie` lacks secrets; if it
 * already reads a second cookie; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: SvelteKitSessionOptions,
): SvelteKitHandle;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, SvelteKitSessionOptions>
): SvelteKitHandle {
  const { storage, options } = mount(args, KEY_OPTIONS);
  const { key = "session", isFailure, crossOrigin, onUnavailable } = options;
  const nesting = nested("same-cookie");
  // SvelteKit sets it in the process that builds and prerenders.
  const isBuild = environment("SVELTEKIT_FORK") !== undefined;
  return async ({ event, resolve }) => {
    checkEvent(event, resolve);
    const { locals } = event;
    if (isBuild) {
      locals[key] = refusedSession(PRERENDERED);
      return await resolve(event);
    }
    // SvelteKit replaces this function when the response has been made, though a redirect still takes cookies.
    const { set } = event.cookies;
    const response = await respond<Data, FlashData>(storage, {
      request: event.request,
      isFailure,
      crossOrigin,
      nesting,
      async handle(session) {
        mustBeFree(locals[key], `event.locals.${key}`);
        locals[key] = session;
        const response = await resolve(event);
        mustBeKept(locals[key], session, `event.locals.${key}`);
        return response;
      },
      errorStatus,
      errorCarrier: (error) => redirectCarrier(error, set),
      unavailable: onUnavailable && ((error) => onUnavailable(error, event)),
    }) as Response;
    return event.isDataRequest ? dataRedirect(response) : response;
  };
}

/** @throws {TypeError} If this is not an event of a SvelteKit that is known. */
function checkEvent(event: SvelteKitEventLike, resolve: unknown): void {
  const isKnown = typeof resolve === "function" &&
    typeof event?.request?.headers?.get === "function" &&
    typeof event.locals === "object" &&
    typeof event.cookies?.set === "function";
  if (isKnown) return;
  throw new TypeError(
    "Cannot mount session: this is not an event of SvelteKit 2 or 3; write `export const handle = session(storage)` in src/hooks.server.ts",
  );
}

/** The status of a `redirect()` or `error()` that a later hook has thrown. */
function errorStatus(error: unknown): number | undefined {
  const { status, location, body } = Object(error);
  if (typeof status !== "number") return undefined;
  return typeof location === "string" || typeof body === "object"
    ? status
    : undefined;
}

/** SvelteKit answers a thrown `redirect()` with its own cookies, and an `error()` without any. */
function redirectCarrier(
  error: unknown,
  set: SvelteKitEventLike["cookies"]["set"],
): Carrier<unknown> | undefined {
  if (typeof Object(error).location !== "string") return undefined;
  return (setCookie) => {
    const parts = parseSetCookie(setCookie);
    if (!parts) return error;
    const { name, value, options } = parts;
    set(name, value, {
      // SvelteKit has defaults of its own.
      path: "/",
      httpOnly: false,
      secure: false,
      sameSite: undefined,
      ...options,
      encode: (value: string) => value,
    });
    return error;
  };
}

/** SvelteKit makes JSON of a redirect of a hook, and loses its cookies. So it is made here. */
function dataRedirect(response: Response): Response {
  const { status, headers } = response;
  const location = headers.get("Location");
  const isRedirect = status >= 300 && status <= 308 && location !== null;
  if (!isRedirect || !headers.has("Set-Cookie")) return response;
  const kept = new Headers(headers);
  for (const name of ["Content-Length", "Content-Type", "Location"]) {
    kept.delete(name);
  }
  return Response.json({ type: "redirect", status, location }, {
    headers: kept,
  });
}
