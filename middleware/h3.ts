/**
 * Sessions for h3 2: `event.context.session`.
 *
 * @example
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionOf } from "@satchel/session/middleware/h3";
 * import { H3 } from "npm:h3@^2.0.8";
 * import { assertEquals } from "@std/assert";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>({ cookie: {} });
 * const app = new H3();
 * app.use(session(storage));
 * app.get("/", (event) => {
 *   const session = event.context["session"] as SessionOf<typeof storage>;
 *   const visits = (session.get("visits") ?? 0) + 1;
 *   session.set("visits", visits);
 *   return `Visit ${visits}`;
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
import type { SessionData } from "../core/session.ts";
import type {
  HttpSessionStorage,
  SessionStorage,
} from "../storage/contract.ts";
import { exchange, mount, mustBeFree } from "./_lifecycle.ts";
import {
  addSetCookie,
  discard,
  serviceUnavailable,
  takesCookie,
  withSetCookie,
} from "./_response.ts";

export type { SessionOf } from "./_lifecycle.ts";

/** What is used of h3's event. */
export interface H3EventLike {
  /** The request. */
  readonly req: { readonly headers: { get(name: string): string | null } };
  /** What the response will carry, whatever the handler gives. */
  readonly res: { readonly headers: Headers };
  /** What handlers share in one request. */
  // deno-lint-ignore no-explicit-any -- an application's own
  readonly context: Record<string, any>;
}

/** A middleware, as `app.use` takes it. */
export type H3Middleware = (
  // deno-lint-ignore no-explicit-any -- h3's own class has private fields, which no structural type can match
  event: H3EventLike & any,
  next: () => unknown,
) => Promise<unknown>;

/** Options of {@linkcode session}. */
export interface H3SessionOptions {
  /** Where in `event.context` it is; give each session of a request its own. @default {"session"} */
  key?: string | undefined;
  /** Answers a request whose session could not be read or saved. @default {503 Service Unavailable} */
  onUnavailable?:
    | ((
      error: SessionError,
      event: H3EventLike,
    ) => Response | Promise<Response>)
    | undefined;
}

/**
 * Gives each request its session, and commits it once, before the response goes out.
 *
 * An error commits nothing; a thrown `Response` is an answer.
 *
 * @param storage The storage, bound to a cookie.
 * @param options The session's key, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If the storage has no cookie.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: HttpSessionStorage<Data, FlashData>,
  options?: H3SessionOptions,
): H3Middleware;
/** The same for a storage without a cookie. */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionStorage<Data, FlashData>,
  options?: H3SessionOptions,
): H3Middleware;
export function session<Data, FlashData>(
  first: HttpSessionStorage<Data, FlashData> | Cookie,
  second?: SessionStorage<Data, FlashData> | H3SessionOptions,
  third?: H3SessionOptions,
): H3Middleware {
  const { storage, options } = mount(first, second, third);
  const { key = "session", onUnavailable = serviceUnavailable } = options;
  return (event: H3EventLike, next) =>
    exchange<Data, FlashData, unknown>(storage, {
      cookieHeader: event.req.headers.get("Cookie"),
      async handle(session) {
        mustBeFree(event.context[key], `event.context.${key}`);
        event.context[key] = session;
        return await next();
      },
      thrown: (error) => error instanceof Response ? error : undefined,
      // Symbols stand for "no route" and for "a Node handler has answered".
      sendable: (answer) =>
        typeof answer !== "symbol" &&
        (!(answer instanceof Response) || takesCookie(answer)),
      send(answer, setCookie) {
        if (answer instanceof Response) {
          return withSetCookie(answer, setCookie);
        }
        addSetCookie(headersOf(answer) ?? event.res.headers, setCookie);
        return answer;
      },
      discard: (answer) => answer instanceof Response && discard(answer),
      unavailable: (error) => onUnavailable(error, event),
    });
}

/** The headers of h3's own kind of response, which win over those of the event. */
function headersOf(answer: unknown): Headers | undefined {
  const { headers } = (answer ?? {}) as { headers?: unknown };
  return headers instanceof Headers ? headers : undefined;
}
