/**
 * What an event of h3 1 and Nitro 2 says about itself, and how its response is waited for.
 *
 * On runtimes other than Node, a mock stands for Node's response: h3 sends what is in it when the handlers have ended.
 *
 * @module
 */
import { isBun, isDeno } from "../../core/runtime.ts";
import { mustBeFree, mustBeKept } from "./lifecycle.ts";
import type { NodeRequestLike, NodeResponseLike } from "./node_http.ts";

interface Event {
  readonly node: {
    readonly req: NodeRequestLike;
    readonly res: NodeResponseLike;
  };
  context: Record<string, unknown>;
  readonly handled: boolean;
}

interface App {
  // deno-lint-ignore no-explicit-any -- h3's own types
  handler(event: any): any;
  // deno-lint-ignore no-explicit-any -- as above
  readonly options: any;
}

/** @throws {TypeError} If the application is not one of h3 1. */
export function mustBeH3<T extends App>(app: T): T {
  const { handler, options, stack } = Object(app);
  if (typeof handler === "function" && options && Array.isArray(stack)) {
    return app;
  }
  throw new TypeError(
    "Cannot mount session: this plugin is for Nitro 2, Nuxt 3 and 4, and h3 1; in Nitro 3 and h3 2, write app.use(session(storage)) with the session of @satchel/session/middleware/h3",
  );
}

/** Whether a cached handler has run for this event: others get its answer. */
export function isCached(event: Event | undefined): boolean {
  const { options } = Object(event?.context["cache"]);
  // An application may have a `cache` of its own there.
  return typeof Object(options).getKey === "function";
}

/**
 * Whether Nitro asks for a page while it builds. A visitor cannot make such a request: it has neither a connection nor
 * a platform.
 */
export function isPrerendered({ node: { req } }: Event): boolean {
  if (req.headers["x-nitro-prerender"] === undefined) return false;
  // There, the production server makes requests of the same kind.
  if (isBun() || isDeno()) return false;
  return "__unenv__" in req && req["__unenv__"] === undefined;
}

/**
 * Puts a session into the context of an event. In a cached handler, reading it throws.
 *
 * @throws {TypeError} If the context has another session.
 */
export function putSession(event: Event, key: string, session: object): void {
  const { context } = event;
  const holder = `event.context.${key}`;
  if (context[key] !== session) mustBeFree(context[key], holder);
  Object.defineProperty(context, key, {
    configurable: true,
    enumerable: true,
    get() {
      if (!isCached(event)) return session;
      throw new TypeError(
        `Cannot use session: this handler is cached, and others would get the answer of this visitor; remove it from the cache, or do not use ${holder} there`,
      );
    },
    set(value: unknown) {
      mustBeKept(value, session, holder);
      Object.defineProperty(context, key, { value, writable: true });
    },
  });
}

/** The status that h3 answers to an error: one of `createError`, or with a status as those have. */
export function errorStatus(error: unknown): number | undefined {
  const { statusCode, status, unhandled } = Object(error);
  const found = statusCode ?? status;
  return typeof found === "number" && unhandled !== true ? found : undefined;
}

/** When a response was sent, or its connection closed. */
const sendings = new WeakMap<NodeResponseLike, Promise<void>>();

/** Notes when a mock is sent. Called before its methods are wrapped, so that these may hold it back. */
export function watch(res: NodeResponseLike): void {
  if (!isMock(res) || sendings.has(res)) return;
  const { promise, resolve } = deferred();
  sendings.set(res, promise);
  res.on("close", resolve);
  const methods = res as unknown as Record<
    string,
    (...args: unknown[]) => unknown
  >;
  for (const name of ["writeHead", "write", "end", "flushHeaders"]) {
    const method = methods[name]!.bind(res);
    methods[name] = (...args) => {
      resolve();
      return method(...args);
    };
  }
}

/** `Promise.withResolvers`, which Node 20 does not have. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => resolve = done);
  return { promise, resolve };
}

/**
 * Waits until a mock has its response, for which the session is saved. Where there is a connection, nothing has to wait.
 *
 * @param status The status that an error will be answered with, outside the handlers.
 */
export async function settle(event: Event, status?: number): Promise<void> {
  const { res } = event.node;
  const sending = sendings.get(res);
  if (!sending || !event.handled && status === undefined) return;
  if (status !== undefined && !event.handled) res.statusCode = status;
  // A mock takes a stream as a whole, and the page of an error comes later.
  if (!res.headersSent) res.flushHeaders();
  await sending;
}

/** A mock has no connection. */
function isMock(res: NodeResponseLike): res is NodeResponseLike & MockBody {
  return !(res as { socket?: unknown }).socket;
}

interface MockBody {
  _data?: { cancel?(): Promise<void> } | undefined;
}

/** Removes the body from a mock, so that another answer can be sent. */
export function forget(event: Event): void {
  const { res } = event.node;
  if (!isMock(res) || !res._data) return;
  res._data.cancel?.().catch(() => {});
  res._data = undefined;
  Object.assign(event, { _handled: false });
}

/** Lets the framework answer an error that comes after its handlers have ended. */
export async function answerError(
  app: App,
  cause: unknown,
  event: Event,
): Promise<void> {
  const { res } = event.node;
  // As h3 makes them of errors that are not its own.
  const error = Object.assign(
    new Error(cause instanceof Error ? cause.message : String(cause), {
      cause,
    }),
    { statusCode: 500, unhandled: true, fatal: false },
  );
  res.statusCode = error.statusCode;
  if (app.options.onError) await app.options.onError(error, event);
  // deno-lint-ignore no-console -- as h3 does with errors that nothing handles
  else console.error("[h3] [unhandled]", error);
  if (event.handled) return;
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.end("Internal Server Error");
}
