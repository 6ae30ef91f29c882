/**
 * Sessions for Express: `req.session`, and loaders and actions that are handed `{ session }` as Remix 0.x did.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session, type WithSession } from "@satchel/session/middleware/express";
 * // @ts-types="npm:@types/express@5.0.6"
 * import express, { type Request } from "npm:express@5.3.0";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>({ cookie: {} });
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
import type { SessionError } from "../core/errors.ts";
import { checkOptions, type OptionNames } from "../core/options.ts";
import { isSession, type Session, type SessionData } from "../core/session.ts";
import type {
  SessionCookieOptions,
  SessionHeaders,
  SessionValues,
} from "../storage/contract.ts";
import { createCookieSessionStorage } from "../storage/cookie.ts";
import {
  mount,
  mustBeFree,
  type SessionOf,
  storeError,
} from "./lifecycle/lifecycle.ts";
import type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
import { hold, serviceUnavailable } from "./lifecycle/node_response.ts";

export type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
export type { SessionOf } from "./lifecycle/lifecycle.ts";
export type * from "./lifecycle/types.ts";
export type { CookieOptions } from "../core/cookie.ts";
export type { LegacyFormat } from "../core/formats.ts";
export type { SessionCookieOptions } from "../storage/contract.ts";

/** A middleware, as `app.use` takes it. */
export type ExpressMiddleware = (
  // deno-lint-ignore no-explicit-any -- Express's own types, which applications extend
  req: any,
  // deno-lint-ignore no-explicit-any -- as above
  res: any,
  next: (error?: unknown) => void,
) => void;

/** A request whose session has the types of a storage's. */
export type WithSession<Request, Storage> = Request & {
  /** The session of the request. */
  readonly session: SessionOf<Storage>;
};

/** Options of {@linkcode session}. */
export interface ExpressSessionOptions {
  /** The property of the request; give each session of a request its own. @default {"session"} */
  key?: string | undefined;
  /**
   * Answers a request whose session could not be read or saved; what it throws goes to `next(error)`.
   *
   * @default {503 Service Unavailable}
   */
  onUnavailable?:
    | ((
      error: SessionError,
      req: NodeRequestLike,
      res: NodeResponseLike,
    ) => unknown)
    | undefined;
}

/**
 * The options of express-session that Remix 0.x asked for: the session lives in its cookie, sealed. Its other options
 * are refused.
 */
export interface ExpressSecretOptions extends ExpressSessionOptions {
  /** The secret, or several: the first writes, all read. */
  secret: string | string[];
  /** Untouched sessions are never saved. @default {false} */
  resave?: false | undefined;
  /** New sessions are saved once there is something in them. @default {false} */
  saveUninitialized?: false | undefined;
  /** The cookie's name. @default {"__session"} */
  name?: string | undefined;
  /** The cookie's attributes. Its `maxAge` is in seconds, where that of express-session is in milliseconds. */
  cookie?: SessionCookieOptions | undefined;
}

const OPTIONS: OptionNames<ExpressSessionOptions> = {
  key: true,
  onUnavailable: true,
};

/**
 * Gives each request its session, and commits it once, just before the headers leave. What the handler sends waits until
 * the session is saved.
 *
 * Express tells no middleware of an error in a handler: a response of 500 or above stands for it, and commits nothing;
 * nor does a visitor who leaves before the answer, unless the session was destroyed by then.
 * A session that cannot be saved because of what is in it goes to `next(error)`.
 *
 * @param storage The storage, bound to a cookie; or the secret of a cookie that holds the session itself.
 * @param options The property's name, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage, or has no cookie.
 */
export function session<Data = SessionData, FlashData = Data>(
  storage: SessionHeaders<Data, FlashData>,
  options?: ExpressSessionOptions,
): ExpressMiddleware;
/**
 * The same for a storage without a cookie.
 *
 * @param cookie The cookie that carries the session, or its id.
 * @param storage The storage.
 * @param options The property's name, and what to answer when the storage is down.
 * @returns The middleware.
 * @throws {TypeError} If `storage` is no session storage; if it is a cookie storage, and the cookie has no secrets; or
 * if it reads an older cookie beside its own.
 */
export function session<Data = SessionData, FlashData = Data>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  options?: ExpressSessionOptions,
): ExpressMiddleware;
/**
 * The same with the options of express-session.
 *
 * @param options The secret, the cookie's name and attributes, the property's name, and what to answer to errors.
 * @returns The middleware.
 * @throws {TypeError} If a secret is missing, `resave` or `saveUninitialized` is true, or the cookie is refused.
 * @throws {RangeError} If the cookie's `maxAge` is negative or not finite.
 */
export function session(options: ExpressSecretOptions): ExpressMiddleware;
export function session<Data, FlashData>(
  first: SessionHeaders<Data, FlashData> | Cookie | ExpressSecretOptions,
  second?: SessionValues<Data, FlashData> | ExpressSessionOptions,
  third?: ExpressSessionOptions,
): ExpressMiddleware {
  if (typeof first !== "object" || !first) {
    throw new TypeError(
      "Cannot mount session: write session(storage), session(cookie, storage) or session({ secret })",
    );
  }
  if ("secret" in first) {
    const { key, onUnavailable } = first;
    return session(sealed(first), { key, onUnavailable });
  }
  const { storage, options } = mount(first, second, third, OPTIONS);
  const { key = "session" } = options;
  const onUnavailable = options.onUnavailable ??
    ((_error, _req, res) => serviceUnavailable(res));
  return (
    req: NodeRequestLike & Record<string, unknown>,
    res: NodeResponseLike,
    next,
  ) => {
    const refused = async (error: unknown) => {
      try {
        await onUnavailable(storeError(error), req, res);
      } catch (other) {
        next(other);
      }
    };
    const start = (session: Session<Data, FlashData>) => {
      try {
        mustBeFree(req[key], `req.${key}`);
      } catch (error) {
        return next(error);
      }
      req[key] = session;
      const failed = (status: number) => status >= 500;
      hold(res, { storage, session, failed, unsaved: refused });
      next();
    };
    storage.getSession(req.headers.cookie ?? null).then(start, refused)
      .catch(() => res.destroy());
  };
}

const UNTOUCHED =
  "untouched sessions are never saved; leave it out or pass false";

/** What to do instead of what express-session has, and this not. */
const INSTEAD: Record<string, string> = {
  resave: UNTOUCHED,
  saveUninitialized: UNTOUCHED,
  rolling:
    "it is not supported; create a storage with idleTimeout, and write session(storage)",
  store:
    "it is not supported; create a session storage, and write session(storage)",
  genid: "it is not supported, because the storage makes the ids; leave it out",
  unset: "it is not supported; call req.session.destroy() to end the session",
  proxy:
    "it is not supported; set cookie.secure to true if your site uses HTTPS",
};

const SECRET_OPTIONS: OptionNames<ExpressSecretOptions> = {
  ...OPTIONS,
  cookie: true,
  name: true,
  resave: true,
  saveUninitialized: true,
  secret: true,
};

function sealed(options: ExpressSecretOptions): SessionHeaders {
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

/** What a loader or an action is handed. */
export interface LoaderArgs<Data = SessionData, FlashData = Data> {
  /** The session of the request. */
  session: Session<Data, FlashData>;
  /** The parameters of the path. */
  params: Record<string, string>;
  /** The request, as Express has it. */
  // deno-lint-ignore no-explicit-any -- Express's own type, which applications extend
  request: any;
}

/**
 * A route handler that runs a loader or an action as Remix 0.x did, with `{ request, params, session }`.
 *
 * @param run Gives a `Response`, such as a redirect, whose body is sent as it comes, or data that is sent as JSON.
 * @returns The handler, for `app.get`, `app.post` and the like.
 * @throws {TypeError} When it runs, if no session was mounted before it.
 */
export function loader<Data = SessionData, FlashData = Data>(
  run: (args: LoaderArgs<Data, FlashData>) => unknown,
  // deno-lint-ignore no-explicit-any -- as above
): (req: any, res: any) => Promise<void> {
  return async (req, res) => {
    if (!isSession(req.session)) {
      throw new TypeError(
        "Cannot run loader: req.session is not a session of this library; call app.use(session(storage)) before the route",
      );
    }
    const session = req.session as unknown as Session<Data, FlashData>;
    const result = await run({ request: req, params: req.params, session });
    if (!(result instanceof Response)) {
      res.json(result ?? null);
      return;
    }
    res.status(result.status);
    for (const [name, value] of result.headers) {
      const joins = name === "set-cookie" || name === "vary";
      res[joins ? "append" : "setHeader"](name, value);
    }
    await stream(result.body, req, res);
  };
}

/** Sends a body as it comes, and lets go of it when nobody will get the rest. */
async function stream(
  body: ReadableStream<Uint8Array> | null,
  req: { readonly method: string },
  res: NodeResponseLike,
): Promise<void> {
  if (!body || req.method === "HEAD") {
    res.end();
    await body?.cancel();
    return;
  }
  const closed = new AbortController();
  const { signal } = closed;
  let resume = () => {};
  const stop = () => {
    closed.abort();
    resume();
  };
  res.on("drain", () => resume());
  res.on("close", stop);
  // As a stream of Node's does, that is to be stopped where another answer takes this one's place.
  res.emit("pipe", { unpipe: stop });
  if (res.destroyed) stop();
  // At once, as whoever waits for events wants to know that they will come.
  res.flushHeaders();
  const sink = new WritableStream<Uint8Array>({
    async write(part) {
      if (signal.aborted || res.write(part)) return;
      await new Promise<void>((resolve) => resume = resolve);
    },
    close: () => void res.end(),
  });
  try {
    await body.pipeTo(sink, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
