/**
 * Sessions for Elysia: `session` in the context of each handler.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session } from "@satchel/session/middleware/elysia";
 * import { Elysia } from "npm:elysia@1.4.30";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>();
 * const app = new Elysia()
 *   .use(session(storage))
 *   .get("/", ({ session }) => {
 *     const visits = (session.get("visits") ?? 0) + 1;
 *     session.set("visits", visits);
 *     return `Visit ${visits}`;
 *   });
 * await app.handle(new Request("http://localhost/"));
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { OptionNames } from "../core/options.ts";
import type { Session, SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  mount,
  type MountArguments,
  mustBeFree,
} from "./lifecycle/lifecycle.ts";
import {
  MIDDLEWARE_OPTIONS,
  type MiddlewareOptions,
} from "./lifecycle/options.ts";
import { respond, responseCarrier } from "./lifecycle/response.ts";

export type * from "./lifecycle/types.ts";

/** The parts of Elysia's context that {@linkcode ElysiaSessionOptions.onUnavailable} receives. */
export interface ElysiaContextLike {
  /** The request. */
  readonly request: Request;
  /** What Elysia adds to the response. */
  readonly set: { headers: object; status?: number | string };
}

/** The parts of an Elysia application that the middleware uses. */
export interface ElysiaLike {
  /** Adds a hook that runs before the route is looked up, and may answer. */
  // deno-lint-ignore no-explicit-any -- Elysia's own types, which applications extend
  onRequest(hook: any): any;
  /** Adds a hook that runs after a handler threw. */
  // deno-lint-ignore no-explicit-any -- as above
  onError(hook: any): any;
  /** Adds a hook that adds properties to the context. */
  // deno-lint-ignore no-explicit-any -- as above
  derive(hook: any): any;
  /** Answers a request. */
  handle(request: Request): Promise<Response>;
}

/** An application, or the application that uses it, if Elysia knows one. */
interface Nested extends ElysiaLike {
  getParent?(): Nested | null | undefined;
}

/** A plugin for `app.use`. It adds the session to the type of the context. */
export type ElysiaPlugin<Data, FlashData, Key extends string = "session"> = <
  App extends ElysiaLike,
>(app: App) => App & {
  "~Singleton": { derive: { [key in Key]: Session<Data, FlashData> } };
};

/** Options of {@linkcode session}. */
export interface ElysiaSessionOptions<Key extends string = string>
  extends
    MiddlewareOptions<
      [context: ElysiaContextLike],
      Response | Promise<Response>
    > {
  /** The property of the context that holds the session. Each session of a request needs its own. @default {"session"} */
  key?: Key | undefined;
}

const OPTIONS: OptionNames<ElysiaSessionOptions> = {
  ...MIDDLEWARE_OPTIONS,
  key: true,
};

/**
 * Adds a session to each request and commits it once, before the response is sent.
 *
 * Mount it before other plugins and hooks. `onRequest` hooks that come earlier run twice, and an earlier `onError` hook
 * that answers hides the error. If a handler throws an error, nothing is committed, even if a later `onError` answers
 * it. `NotFoundError`, `status(401)` and other errors with a status below 500 are answers, and commit.
 *
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The plugin.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<
  Data = SessionData,
  FlashData = Data,
  const Key extends string = "session",
>(
  storage: SessionHeaders<Data, FlashData>,
  options?: ElysiaSessionOptions<Key>,
): ElysiaPlugin<Data, FlashData, Key>;
/**
 * The same, with a cookie that replaces the storage's own.
 *
 * @param cookie The cookie that carries the session or its id.
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The plugin.
 * @throws {TypeError} If `storage` lacks `read` or `save`; if it is a cookie storage and `cookie` lacks secrets; if it
 * already reads a second cookie; or if an option is unknown.
 */
export function session<
  Data = SessionData,
  FlashData = Data,
  const Key extends string = "session",
>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: ElysiaSessionOptions<Key>,
): ElysiaPlugin<Data, FlashData, Key>;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, ElysiaSessionOptions>
): ElysiaPlugin<Data, FlashData, string> {
  const { storage, options } = mount(args, OPTIONS);
  const { key = "session", isFailure, crossOrigin, onUnavailable } = options;
  return <App extends ElysiaLike>(app: App) => {
    mustBeElysia(app);
    const visits = new WeakMap<Request, Visit>();
    // Early answers and error pages of Elysia do not pass its later hooks. So this hook handles the request a second
    // time, and returns the finished response.
    //
    // Elysia reads the source of each hook: it awaits what is `async`, and parses the body and the cookies of all
    // requests if a hook uses its context as a whole. So hooks here destructure it.
    app.onRequest(async ({ request, set }: ElysiaContextLike) => {
      if (visits.has(request)) return;
      // Elysia answers an error here with this status, and without it with 200.
      set.status = 500;
      const response = await respond<Data, FlashData>(storage, {
        request,
        isFailure,
        crossOrigin,
        async handle(session) {
          hold(request, key, session);
          visits.set(request, { session, threw: false });
          const response = await outermost(app).handle(request);
          return isUpgrade(request) ? undefined : unframed(response);
        },
        failed: () => visits.get(request)?.threw === true,
        unavailable: onUnavailable &&
          ((error) => onUnavailable(error, { request, set })),
      });
      // The response has the headers of `app.headers()` already.
      set.headers = {};
      set.status = 200;
      return response ?? new Response();
    });
    app.onError(({ request, error }: { request: Request; error: unknown }) => {
      const visit = visits.get(request);
      if (visit && !isAnswer(error)) visit.threw = true;
    });
    app.derive(({ request }: { request: Request }) => {
      return { [key]: visits.get(request)?.session };
    });
    return app as ReturnType<ElysiaPlugin<Data, FlashData, string>> & App;
  };
}

/** A request that Elysia handles the second time. */
interface Visit {
  readonly session: unknown;
  /** Whether a handler threw an error that is not an answer. */
  threw: boolean;
}

/** The sessions of a request, by the property that holds them. */
const holders = new WeakMap<Request, Record<string, unknown>>();

/** @throws {TypeError} If the request has a session under this key. */
function hold(request: Request, key: string, session: unknown): void {
  const held = holders.get(request) ?? {};
  mustBeFree(held[key], `the context's ${key}`);
  held[key] = session;
  holders.set(request, held);
}

/** The application that received the request: Elysia runs this hook for all its routes. */
function outermost(app: Nested): ElysiaLike {
  const parent = app.getParent?.();
  return parent ? outermost(parent) : app;
}

/** @throws {TypeError} If the application is not one of a version whose hooks and types are known. */
function mustBeElysia(app: ElysiaLike): void {
  const { onRequest, onError, derive, handle } = Object(app);
  const isKnown = [onRequest, onError, derive, handle].every((method) =>
    typeof method === "function"
  );
  // Elysia has it since version 1.3.
  if (isKnown && "~Singleton" in app) return;
  throw new TypeError(
    "Cannot mount session: this plugin is for Elysia 1.3 and later; write new Elysia().use(session(storage))",
  );
}

/** Whether an error is one of Elysia's HTTP errors, or has a status as those have. */
function isAnswer(error: unknown): boolean {
  if (error instanceof Response) return true;
  const { status, code, toResponse } = Object(error);
  return typeof status === "number" || typeof code === "number" ||
    typeof toResponse === "function";
}

/**
 * A response without `Transfer-Encoding`, which a server adds itself. Elysia sets it for streams and generators, and on
 * Node it sends a hook's response that has it without all other headers, the cookie among them.
 */
function unframed(response: Response): Response {
  if (!response.headers.has("Transfer-Encoding")) return response;
  const copy = responseCarrier(response)?.("");
  copy?.headers.delete("Transfer-Encoding");
  return copy ?? response;
}

/** A WebSocket's handshake is sent while its handler runs, or without the response. */
function isUpgrade({ headers }: Request): boolean {
  return headers.get("Upgrade")?.toLowerCase() === "websocket";
}
