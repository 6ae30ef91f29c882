/**
 * Sessions for handlers of Node's `http` and `https` servers.
 *
 * @example A page that counts its visits
 * ```ts ignore
 * import { createMemorySessionStorage } from "@satchel/session";
 * import { session } from "@satchel/session/middleware/node";
 * import { createServer } from "node:http";
 *
 * const storage = createMemorySessionStorage<{ visits: number }>();
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
import type { Cookie } from "../core/cookie.ts";
import type { OptionNames } from "../core/options.ts";
import type { Session, SessionData } from "../core/session.ts";
import type { SessionHeaders, SessionValues } from "../storage/contract.ts";
import {
  isServerError,
  type MountArguments,
  mountHandler,
  openSession,
  unavailableError,
} from "./lifecycle/lifecycle.ts";
import {
  MIDDLEWARE_OPTIONS,
  type MiddlewareOptions,
} from "./lifecycle/options.ts";
import type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
import {
  clearAnswer,
  commitBeforeSending,
  infoOf,
  serviceUnavailable,
} from "./lifecycle/node_response.ts";

export type {
  NodeRequestLike,
  NodeResponseLike,
} from "./lifecycle/node_http.ts";
export type * from "./lifecycle/types.ts";

/** A handler that receives the session of its request. */
export type NodeSessionHandler<Data, FlashData, Req, Res> = (
  req: Req,
  res: Res,
  session: Session<Data, FlashData>,
) => unknown;

/** A handler for `createServer`. */
export type NodeHandler<Req, Res> = (req: Req, res: Res) => Promise<void>;

/** Options of {@linkcode session}. */
export interface NodeSessionOptions<Req, Res>
  extends MiddlewareOptions<[req: Req, res: Res], unknown> {
  /**
   * Sends the answer if the handler threw or rejected, or if the session cannot be saved because of its values. Part of
   * the response may have been sent already. An error that it throws goes to the `session()` around this one. Around
   * the outermost one, it is printed to the console and the connection is closed.
   *
   * @default {500 Internal Server Error; the error is printed to the console}
   */
  onError?: ((error: unknown, req: Req, res: Res) => unknown) | undefined;
}

/**
 * Adds a session to each request of a handler and commits it once, just before the headers are sent: at the first
 * `writeHead`, `write`, `end` or `flushHeaders`. The handler's output is held back until the session is saved.
 *
 * If the handler throws or rejects before it sends anything, or answers with 500 or above, only a `destroy()` is
 * committed. The same holds if the visitor disconnects before the response: other changes are dropped, with a
 * `late-save` event. After the commit, a change throws `late-change`.
 *
 * Node's `upgrade` event does not reach the handler. Call `storage.getSession(req.headers.cookie)` there.
 *
 * @param storage The session storage.
 * @param handler The handler.
 * @param options The answers if the engine fails or the handler throws.
 * @returns The handler for the server.
 * @throws {TypeError} If `storage` is not a session storage; if it needs a cookie, as a cookie storage without secrets
 * or a storage with only `read` and `save` does; if `handler` is not a function; or if an option is unknown.
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
 * The same, with a cookie that replaces the storage's own.
 *
 * @param cookie The cookie that carries the session or its id.
 * @param storage The session storage.
 * @param handler The handler.
 * @param options The answers if the engine fails or the handler throws.
 * @returns The handler for the server.
 * @throws {TypeError} If `storage` lacks `read` or `save`; if it is a cookie storage and `cookie` lacks secrets; if it
 * already reads a second cookie; if `handler` is not a function; or if an option is unknown.
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
  ...args: MountArguments<
    Data,
    FlashData,
    NodeSessionOptions<Req, Res>,
    [handler: NodeSessionHandler<Data, FlashData, Req, Res>]
  >
): NodeHandler<Req, Res> {
  const { storage, handler, options } = mountHandler(args, OPTIONS);
  const {
    onUnavailable = (error, _req, res) => serviceUnavailable(res, error),
    onError = (error, _req, res) => internalServerError(error, res),
  } = options;
  const { isFailure = isServerError, crossOrigin } = options;
  return async (req, res) => {
    let session: Session<Data, FlashData>;
    const isInner = served.has(res);
    served.add(res);
    const disconnect = (error: unknown) => {
      report(error);
      res.destroy();
    };
    const answerError = async (error: unknown) => {
      try {
        await onError(error, req, res);
      } catch (other) {
        if (isInner) throw other;
        disconnect(other);
      }
    };
    const answerUnavailable = async (error: unknown) => {
      try {
        await onUnavailable(unavailableError(error), req, res);
      } catch (other) {
        await answerError(other);
      }
    };
    try {
      session = await openSession(storage, infoOf(req), crossOrigin);
    } catch (error) {
      return await answerUnavailable(error);
    }
    const fail = commitBeforeSending(res, {
      storage,
      session,
      isFailure,
      unsaved: (error) => answerUnavailable(error).catch(disconnect),
    });
    try {
      await handler(req, res, session);
    } catch (error) {
      fail();
      await answerError(error);
    }
  };
}

const OPTIONS: OptionNames<NodeSessionOptions<never, never>> = {
  ...MIDDLEWARE_OPTIONS,
  onError: true,
};

/** The responses that have a session already. An error in an inner `session()` goes to the outermost one. */
const served = new WeakSet<NodeResponseLike>();

function report(error: unknown): void {
  // deno-lint-ignore no-console -- as servers do with errors that nothing else handles
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
