/**
 * Sessions for handlers of Node's `http` and `https` servers.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session } from "@satchel/session/middleware/node";
 * import { createServer } from "node:http";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>({ cookie: {} });
 * const server = createServer(session(storage, (_req, res, session) => {
 *   const visits = (session.get("visits") ?? 0) + 1;
 *   session.set("visits", visits);
 *   res.end(`Visit ${visits}`);
 * }));
 * server.listen(0, () => server.close());
 * ```
 *
 * @module
 */
import { type Cookie, isCookie } from "../core/cookie.ts";
import type { SessionError } from "../core/errors.ts";
import { checkOptions, type OptionNames } from "../core/options.ts";
import type { Session, SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import { boundStorage, close, storeError } from "./lifecycle/lifecycle.ts";
import type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
import {
  clearAnswer,
  hold,
  serviceUnavailable,
} from "./lifecycle/node_response.ts";

export type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
export type * from "./lifecycle/types.ts";

/** A handler that is given the session of its request. */
export type NodeSessionHandler<Data, FlashData, Req, Res> = (
  req: Req,
  res: Res,
  session: Session<Data, FlashData>,
) => unknown;

/** A handler, as `createServer` takes it. */
export type NodeHandler<Req, Res> = (req: Req, res: Res) => Promise<void>;

/** Options of {@linkcode session}. */
export interface NodeSessionOptions<Req, Res> {
  /** Answers a request whose session could not be read or saved. @default {503 Service Unavailable} */
  onUnavailable?:
    | ((error: SessionError, req: Req, res: Res) => unknown)
    | undefined;
  /**
   * Answers a request whose handler threw or rejected, or whose session held what cannot be saved. The answer may be
   * under way already. What it throws goes to the session around this one, if there is one; otherwise to the console,
   * and the connection is cut.
   *
   * @default {500 Internal Server Error, and the error on the console}
   */
  onError?: ((error: unknown, req: Req, res: Res) => unknown) | undefined;
}

/**
 * Gives a handler the session of each request, and commits it once, just before the headers leave: at the first
 * `writeHead`, `write`, `end` or `flushHeaders`. What the handler sends waits until the session is saved.
 *
 * When the handler throws or rejects before it sends anything, nothing is committed; nor when the visitor goes away,
 * unless the session was destroyed by then. From then on, changes throw `late-change`.
 * `upgrade` events are not requests to Node: there, call `storage.getSession(req.headers.cookie)`.
 *
 * @param storage The storage, bound to a cookie.
 * @param handler The handler.
 * @param options What to answer to errors.
 * @returns The handler for the server.
 * @throws {TypeError} If `storage` is no session storage, or has no cookie; or if `handler` is no function.
 */
export function session<
  Data = SessionData,
  FlashData = Data,
  // deno-lint-ignore no-explicit-any -- the server says which request and response it has
  Req extends NodeRequestLike = any,
  // deno-lint-ignore no-explicit-any -- as above
  Res extends NodeResponseLike = any,
>(
  storage: SessionHeaders<Data, FlashData>,
  handler: NodeSessionHandler<Data, FlashData, Req, Res>,
  options?: NodeSessionOptions<Req, Res>,
): NodeHandler<Req, Res>;
/**
 * The same for a storage without a cookie.
 *
 * @param cookie The cookie that carries the session, or its id.
 * @param storage The storage.
 * @param handler The handler.
 * @param options What to answer to errors.
 * @returns The handler for the server.
 * @throws {TypeError} If `storage` is no session storage; if it is a cookie storage, and the cookie has no secrets; if
 * it reads an older cookie beside its own; or if `handler` is no function.
 */
export function session<
  Data = SessionData,
  FlashData = Data,
  // deno-lint-ignore no-explicit-any -- as above
  Req extends NodeRequestLike = any,
  // deno-lint-ignore no-explicit-any -- as above
  Res extends NodeResponseLike = any,
>(
  cookie: Cookie,
  storage: SessionValues<Data, FlashData>,
  handler: NodeSessionHandler<Data, FlashData, Req, Res>,
  options?: NodeSessionOptions<Req, Res>,
): NodeHandler<Req, Res>;
export function session<
  Data,
  FlashData,
  Req extends NodeRequestLike,
  Res extends NodeResponseLike,
>(
  first: SessionHeaders<Data, FlashData> | Cookie,
  second:
    | SessionValues<Data, FlashData>
    | NodeSessionHandler<Data, FlashData, Req, Res>,
  third?:
    | NodeSessionHandler<Data, FlashData, Req, Res>
    | NodeSessionOptions<Req, Res>,
  fourth?: NodeSessionOptions<Req, Res>,
): NodeHandler<Req, Res> {
  type Handler = NodeSessionHandler<Data, FlashData, Req, Res>;
  return isCookie(first)
    ? wrap(
      boundStorage(second as SessionValues<Data, FlashData>, first),
      third as Handler,
      fourth,
    )
    : wrap(
      boundStorage(first),
      second as Handler,
      third as NodeSessionOptions<Req, Res> | undefined,
    );
}

const OPTIONS: OptionNames<NodeSessionOptions<never, never>> = {
  onError: true,
  onUnavailable: true,
};

function wrap<
  Data,
  FlashData,
  Req extends NodeRequestLike,
  Res extends NodeResponseLike,
>(
  storage: SessionHeaders<Data, FlashData>,
  handler: NodeSessionHandler<Data, FlashData, Req, Res>,
  options: NodeSessionOptions<Req, Res> = {},
): NodeHandler<Req, Res> {
  checkOptions("wrap handler", options, OPTIONS);
  const {
    onUnavailable = (_error, _req, res) => serviceUnavailable(res),
    onError = (error, _req, res) => internalServerError(error, res),
  } = options;
  if (typeof handler !== "function") {
    throw new TypeError(
      `Cannot wrap handler: handler must be a function, received ${typeof handler}`,
    );
  }
  return async (req, res) => {
    let session: Session<Data, FlashData> | undefined;
    const isInner = served.has(res);
    served.add(res);
    const drop = (error: unknown) => {
      report(error);
      res.destroy();
    };
    const failed = async (error: unknown) => {
      try {
        await onError(error, req, res);
      } catch (other) {
        if (isInner) throw other;
        drop(other);
      }
    };
    const refused = async (error: unknown) => {
      try {
        await onUnavailable(storeError(error), req, res);
      } catch (other) {
        await failed(other);
      }
    };
    try {
      session = await storage.getSession(req.headers.cookie ?? null);
    } catch (error) {
      return await refused(error);
    }
    try {
      const unsaved = (error: unknown) => refused(error).catch(drop);
      hold(res, { storage, session, unsaved });
      await handler(req, res, session);
    } catch (error) {
      close(session);
      await failed(error);
    }
  };
}

/** The responses that have a session: what fails within it is for the outermost to answer. */
const served = new WeakSet<NodeResponseLike>();

function report(error: unknown): void {
  // deno-lint-ignore no-console -- as servers do with errors that nobody else takes
  console.error(error);
}

function internalServerError(error: unknown, res: NodeResponseLike): void {
  report(error);
  if (res.writableEnded) return;
  if (res.headersSent) {
    res.destroy();
    return;
  }
  clearAnswer(res);
  res.statusCode = 500;
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.end("Internal Server Error");
}
