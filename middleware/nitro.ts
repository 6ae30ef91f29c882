/**
 * Sessions for Nitro 2, Nuxt 3 and 4, and h3 1: `event.context.session`.
 *
 * In Nuxt and Nitro, the whole of `server/plugins/session.ts` is `export default session(storage)`.
 *
 * @example A page that counts its visits, in h3 1 alone
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type SessionContext } from "@satchel/session/middleware/nitro";
 * import { createApp, eventHandler, toWebHandler } from "npm:h3@1.15.11";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>();
 * const app = createApp();
 * session(storage)(app);
 * app.use(eventHandler((event) => {
 *   const { session } = event.context as unknown as SessionContext<typeof storage>;
 *   const visits = (session.get("visits") ?? 0) + 1;
 *   session.set("visits", visits);
 *   return `Visit ${visits}`;
 * }));
 * await toWebHandler(app)(new Request("http://localhost/"));
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import type { Session, SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  isServerError,
  mount,
  type MountArguments,
  openSession,
  type RequestInfo,
  type SessionOf,
  unavailableError,
} from "./lifecycle/lifecycle.ts";
import { KEY_OPTIONS, type KeyOptions } from "./lifecycle/options.ts";
import { outerSession, shareSession } from "./lifecycle/nested.ts";
import type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
import {
  commitBeforeSending,
  infoOf,
  serviceUnavailable,
} from "./lifecycle/node_response.ts";
import {
  answerError,
  errorStatus,
  forget,
  isCached,
  isPrerendered,
  mustBeH3,
  putSession,
  settle,
  watch,
} from "./lifecycle/nitro_event.ts";
import { refusedSession } from "./lifecycle/refused_session.ts";

export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
export type * from "./lifecycle/types.ts";

/** The parts of an event of h3 1 that the plugin uses. */
export interface NitroEventLike {
  /** Node's request and response, or mocks of them on other runtimes. */
  readonly node: {
    readonly req: NodeRequestLike;
    readonly res: NodeResponseLike;
  };
  /** The values that middlewares and handlers share. */
  // deno-lint-ignore no-explicit-any -- the application declares its type
  context: any;
  /** Whether the response has been made. */
  readonly handled: boolean;
}

/** The parts of an application of h3 1 that the plugin uses. */
export interface H3AppLike {
  /** Handles a request. */
  // deno-lint-ignore no-explicit-any -- h3's own type of an event
  handler(event: any): any;
  /** The hooks around the handlers. */
  // deno-lint-ignore no-explicit-any -- as above
  readonly options: any;
}

/** A plugin for Nitro, or for an application of h3 1. */
export type NitroPlugin = (
  app: H3AppLike | { readonly h3App: H3AppLike },
) => void;

/** The type of the context, for `event.context as unknown as SessionContext<typeof storage>`. */
export interface SessionContext<Storage> {
  /** The session of the request. */
  session: SessionOf<Storage>;
}

/** Options of {@linkcode session}. */
export type NitroSessionOptions = KeyOptions<
  [event: NitroEventLike],
  unknown
>;

const PRERENDERED =
  "this route is prerendered, so there is no visitor; remove it from the prerendered routes, or do not use the session there";

/**
 * Adds a session to each request and commits it once, before the response is sent.
 *
 * - `$fetch` and `useFetch` to the application itself share the session while a page is rendered: their changes are
 *   saved with it, and its cookie is sent once.
 * - If a handler throws an error, nothing is committed but a logout. An error of `createError` below 500 commits.
 * - In a cached handler (`defineCachedEventHandler`, or `cache`, `swr` and `isr` in the route rules), using the session
 *   throws: the answer of one visitor would be sent to others. A cached function must not request routes that use it.
 * - While a route is prerendered, nothing is read or stored, and using the session throws.
 *
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The plugin. It throws a `TypeError` if the application is not one of Nitro 2 or h3 1.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: NitroSessionOptions,
): NitroPlugin;
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
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: NitroSessionOptions,
): NitroPlugin;
export function session<Data, FlashData>(
  ...args: MountArguments<Data, FlashData, NitroSessionOptions>
): NitroPlugin {
  const { storage, options } = mount(args, KEY_OPTIONS);
  const { key = "session", isFailure = isServerError, crossOrigin } = options;
  const onUnavailable = options.onUnavailable ??
    ((error, { node }) => serviceUnavailable(node.res, error));
  return (nitro) => {
    const app = mustBeH3("h3App" in nitro ? nitro.h3App : nitro);
    const { handler } = app;
    const { onRequest } = app.options;
    const sessions = new WeakMap<object, object>();
    app.options.onRequest = async (event: NitroEventLike) => {
      await onRequest?.(event);
      // Nitro may have replaced the context.
      const session = sessions.get(event);
      if (session) putSession(event, key, session);
    };
    /** Runs the handlers with a session. */
    const run = (event: NitroEventLike, session: object) => {
      sessions.set(event, session);
      putSession(event, key, session);
      return handler.call(app, event);
    };
    const answerUnavailable = async (error: unknown, event: NitroEventLike) => {
      try {
        await onUnavailable(unavailableError(error), event);
      } catch (other) {
        await answerError(app, other, event);
      }
    };
    app.handler = Object.assign(async (event: NitroEventLike) => {
      if (isPrerendered(event)) {
        try {
          return await run(event, refusedSession(PRERENDERED));
        } catch (error) {
          // deno-lint-ignore no-console -- Nitro prints only "[500] Server Error"
          console.error(error);
          throw error;
        }
      }
      const request = requestOf(event);
      const outer = outerSession(
        storage,
        request,
        "same-cookie-or-none",
        mayShare,
      );
      const handle = (session: Session<Data, FlashData>) =>
        shareSession(storage, request, session, () => run(event, session));
      if (outer) return await handle(outer);
      let session: Session<Data, FlashData>;
      try {
        session = await openSession(storage, request, crossOrigin);
      } catch (error) {
        return await answerUnavailable(error, event);
      }
      const { res } = event.node;
      watch(res);
      const fail = commitBeforeSending(res, {
        storage,
        session,
        isFailure,
        unsaved: (error) => {
          forget(event);
          return answerUnavailable(error, event);
        },
      });
      try {
        const answer = await handle(session);
        await settle(event);
        return answer;
      } catch (error) {
        const status = errorStatus(error);
        if (status === undefined) fail();
        await settle(event, status ?? 500);
        throw error;
      }
    }, handler);
  };
}

/** The requests of events. An event has one, so that several sessions see the same object. */
const requests = new WeakMap<NitroEventLike, RequestInfo>();
const events = new WeakMap<object, NitroEventLike>();

function requestOf(event: NitroEventLike): RequestInfo {
  const found = requests.get(event);
  if (found) return found;
  const request = infoOf(event.node.req);
  requests.set(event, request);
  events.set(request, event);
  return request;
}

/** A request of a cached handler must not depend on the visitor. */
function mayShare(request: object): boolean {
  return !isCached(events.get(request));
}
