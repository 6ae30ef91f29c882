/**
 * Sessions for Express 4 and 5: `req.session`, and Remix 0.x's loaders and actions, which receive `{ session }`.
 *
 * Express 4 does not catch an asynchronous handler's error: catch it yourself and call `next(error)`. {@linkcode loader}
 * does so in both versions.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type WithSession } from "@satchel/session/middleware/express";
 * // @ts-types="npm:@types/express@5.0.6"
 * import express, { type Request } from "npm:express@5.3.0";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>();
 * const app = express();
 * app.use(session(storage));
 * app.get("/", (req, res) => {
 *   const { session } = req as WithSession<Request, typeof storage>;
 *   const visits = (session.get("visits") ?? 0) + 1;
 *   session.set("visits", visits);
 *   res.send(`Visit ${visits}`);
 * });
 * app.listen(0, function (this: void) {}).close();
 * ```
 *
 * @example Loaders
 * ```ts ignore
 * import { loader, session } from "@satchel/session/middleware/express";
 * // @ts-types="npm:@types/express@5.0.6"
 * import express from "npm:express@5.3.0";
 *
 * const app = express();
 * app.use(session({ secret: "s3cr3t", resave: false, saveUninitialized: false }));
 * app.get("/cart", loader(({ session }) => {
 *   const notice = session.get("notice") ?? null;
 *   return { cart: session.get("cart") ?? [], notice };
 * }));
 * ```
 *
 * @module
 */
import type { Cookie } from "../core/cookie.ts";
import { checkOptions, type OptionNames } from "../core/options.ts";
import type { Session, SessionData } from "../core/session.ts";
import type {
  SessionCookieOptions,
  SessionHeaders,
  SessionValues,
} from "../storage/contract.ts";
import { createCookieSessionStorage } from "../storage/cookie.ts";
import {
  isServerError,
  mount,
  type MountArguments,
  openSession,
  type SessionOf,
  unavailableError,
} from "./lifecycle/lifecycle.ts";
import {
  PROPERTIES_OPTIONS,
  type PropertiesOptions,
} from "./lifecycle/options.ts";
import type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
import {
  commitBeforeSending,
  infoOf,
  serviceUnavailable,
} from "./lifecycle/node_response.ts";
import { loader } from "./lifecycle/loader.ts";
import { holdSession } from "./lifecycle/properties.ts";

export type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
export type { SessionOf } from "./lifecycle/lifecycle.ts";
export { loader };
export type { LoaderArgs } from "./lifecycle/loader.ts";
export type { PropertiesCookie } from "./lifecycle/properties_cookie.ts";
export type {
  SessionCallback,
  SessionMethods,
  SessionProperties,
} from "./lifecycle/properties_session.ts";
export type * from "./lifecycle/types.ts";
export type { CookieOptions } from "../core/cookie.ts";
export type { LegacyFormat } from "../core/formats.ts";
export type { SessionCookieOptions } from "../storage/contract.ts";

/** A middleware for `app.use`. */
export type ExpressMiddleware = (
  // deno-lint-ignore no-explicit-any -- Express's own types, which applications extend
  req: any,
  // deno-lint-ignore no-explicit-any -- as above
  res: any,
  // deno-lint-ignore no-explicit-any -- hosts differ in the type of the error
  next: (error?: any) => void,
) => void;

/** A request with a session, which has the types of the storage's sessions. */
export type WithSession<Request, Storage> = Request & {
  /** The session of the request. */
  readonly session: SessionOf<Storage>;
};

/** Options of {@linkcode session}. */
export type ExpressSessionOptions = PropertiesOptions<
  [req: NodeRequestLike, res: NodeResponseLike],
  unknown
>;

/**
 * The options of express-session that Remix 0.x used. The session is kept in its cookie, encrypted. The other options
 * of express-session are not supported.
 */
export interface ExpressSecretOptions extends ExpressSessionOptions {
  /** The secret, or several: the first one encrypts, all decrypt. */
  secret: string | string[];
  /** Untouched sessions are never saved. @default {false} */
  resave?: false | undefined;
  /** New sessions are saved when they are first written to. @default {false} */
  saveUninitialized?: false | undefined;
  /** The cookie's name. @default {"__session"} */
  name?: string | undefined;
  /** The cookie's attributes. `maxAge` is in seconds; in express-session, it is in milliseconds. */
  cookie?: SessionCookieOptions | undefined;
}

/**
 * Adds a session to each request and commits it once, just before the headers are sent. The handler's output is held
 * back until the session is saved.
 *
 * Express does not report a handler's error to a middleware, so a response of 500 or above counts as an error: only a
 * `destroy()` is committed. The same holds if the visitor disconnects before the response: other changes are dropped,
 * with a `late-save` event. If the session cannot be saved because of its values, the error goes to `next(error)`.
 *
 * @param storage The session storage.
 * @param options The property that holds the session, and the answer if the engine fails.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; or if an option is unknown.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: ExpressSessionOptions,
): ExpressMiddleware;
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
  options?: ExpressSessionOptions,
): ExpressMiddleware;
/**
 * The same, with the options of express-session. Each session is kept in its cookie, encrypted.
 *
 * @param options The secret, the cookie, the property that holds the session, and the answer if the session could not
 * be saved.
 * @returns The middleware.
 * @throws {TypeError} If the secret is missing, an option is unknown or not supported, or an attribute of the cookie is
 * malformed or contradicts another.
 * @throws {RangeError} If the cookie's `maxAge` is negative or not finite.
 */
export function session(options: ExpressSecretOptions): ExpressMiddleware;
export function session<Data, FlashData>(
  ...args:
    | MountArguments<Data, FlashData, ExpressSessionOptions>
    | [options: ExpressSecretOptions]
): ExpressMiddleware {
  const [first] = args;
  if (typeof first !== "object" || !first) {
    throw new TypeError(
      "Cannot mount session: write session(storage), session(cookie, storage) or session({ secret })",
    );
  }
  if ("secret" in first) {
    const { key, onUnavailable, isFailure, crossOrigin, properties } = first;
    return session(secretStorage(first), {
      ...{ key, onUnavailable, isFailure, crossOrigin, properties },
    });
  }
  const { storage, options } = mount(
    args as Exclude<typeof args, [ExpressSecretOptions]>,
    PROPERTIES_OPTIONS,
  );
  const { key = "session", crossOrigin, properties } = options;
  const { isFailure = isServerError } = options;
  const onUnavailable = options.onUnavailable ??
    ((error, _req, res) => serviceUnavailable(res, error));
  return (
    req: NodeRequestLike & Record<string, unknown>,
    res: NodeResponseLike,
    next,
  ) => {
    const answerUnavailable = async (error: unknown) => {
      try {
        await onUnavailable(unavailableError(error), req, res);
      } catch (other) {
        next(other);
      }
    };
    const start = (session: Session<Data, FlashData>) => {
      let other;
      try {
        other = holdSession({
          ...{ storage, session, key, properties },
          ...{
            info: infoOf(req),
            request: req,
            name: `req.${key}`,
            fail: next,
          },
        });
      } catch (error) {
        return next(error);
      }
      if (properties && key === "session") {
        Object.defineProperty(req, "sessionID", SESSION_ID);
      }
      const unsaved = answerUnavailable;
      commitBeforeSending(res, { storage, session, isFailure, unsaved, other });
      next();
    };
    const opened =
      (async () => await openSession(storage, infoOf(req), crossOrigin))();
    opened.then(start, answerUnavailable).catch(() => res.destroy());
  };
}

export default session;

/** What `require` returns, as for express-session: the function. The other exports are its properties. */
const required: typeof session & {
  default: typeof session;
  session: typeof session;
  loader: typeof loader;
} = Object.assign(session.bind(undefined), {
  default: session,
  session,
  loader,
});
export { required as "module.exports" };

/** `req.sessionID`, as in express-session. */
const SESSION_ID: PropertyDescriptor = {
  get(this: { session?: { id?: string } | null }) {
    return this.session?.id;
  },
  configurable: true,
  enumerable: true,
};

const UNTOUCHED =
  "untouched sessions are never saved; leave it out or pass false";

/** What to write instead of the options of express-session that are not supported. */
const INSTEAD: Record<string, string> = {
  resave: UNTOUCHED,
  saveUninitialized: UNTOUCHED,
  rolling:
    "it is not supported; create a storage with rolling: true, and write session(storage)",
  store:
    "it is not supported; create a session storage, and write session(storage)",
  genid: "it is not supported, because the storage makes the ids; leave it out",
  unset: "it is not supported; call req.session.destroy() to end the session",
  proxy:
    "it is not supported; set cookie.secure to true if your site uses HTTPS",
};

const SECRET_OPTIONS: OptionNames<ExpressSecretOptions> = {
  ...PROPERTIES_OPTIONS,
  cookie: true,
  name: true,
  resave: true,
  saveUninitialized: true,
  secret: true,
};

function secretStorage(options: ExpressSecretOptions): SessionHeaders {
  const unknown: Record<string, unknown> = { ...options };
  for (const [option, instead] of Object.entries(INSTEAD)) {
    const value = unknown[option];
    if (value !== undefined && value !== false) {
      throw new TypeError(`Cannot use ${option}: ${instead}`);
    }
    delete unknown[option];
  }
  checkOptions("mount session", unknown, SECRET_OPTIONS);
  const { secret, name, cookie } = options;
  const secrets = [secret ?? []].flat();
  if (secrets.length === 0) {
    throw new TypeError(
      "Cannot use secret: there is none; pass a string, or an array of strings",
    );
  }
  return createCookieSessionStorage({
    cookie: { ...cookie, ...(name !== undefined && { name }), secrets },
  });
}
